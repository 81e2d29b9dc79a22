"""The declaration: `access.yaml` as frozen records. Pure."""
