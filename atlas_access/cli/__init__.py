"""The `atlas-access` command: one verb, one function; formats and exit codes.

What a command shows was computed below it. Only `atlas_access/cli/sandbox.py` may import `sandbox`.
"""
