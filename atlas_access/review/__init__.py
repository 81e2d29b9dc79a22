"""Evidence and declarations for people: the access matrix, policy findings, deployments."""
