"""The legacy inventory and its retirement: gate, tombstones, deletion; status, undo and the local env file."""
