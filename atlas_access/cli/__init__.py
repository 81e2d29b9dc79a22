"""The `atlas-access` command: one verb, one function; formats and exit codes.

It must never decide anything: what a command shows was computed below it. Only `atlas_access/cli/sandbox.py` may
import `sandbox`.
"""
