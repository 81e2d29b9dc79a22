"""MongoDB on loopback: the servers, what is in them, who uses them, and a way to them that can be cut."""
