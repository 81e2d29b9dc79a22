"""What every part needs: settings, connection strings, endpoints, redaction, the answers. Imports nothing of ours."""
