"""The exception for failures that a user can act on; any other exception is a defect of the engine."""


class EngineError(Exception):
    """What went wrong, and the way out, in words that a person may read as they are."""
