"""The one kind of error that a run tells in a sentence; anything else that is raised is a fault of the engine."""


class EngineError(Exception):
    """What went wrong, and the way out, in words that a person may read as they are."""
