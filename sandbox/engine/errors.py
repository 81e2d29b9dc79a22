"""The exception for failures that a user can act on; any other exception is a defect of the engine."""


class EngineError(Exception):
    """The failure and its remedy, as a message for the user."""
