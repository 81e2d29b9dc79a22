"""The demo: its story, how it is played, and the receipt of a migration."""
