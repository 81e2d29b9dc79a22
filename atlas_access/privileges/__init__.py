"""Actions, built-in roles and privileges as values. Pure."""
