"""Error answers and log lines without values: MongoDB quotes the refused command, so only its kind is kept."""

import re

from pymongo.errors import ConnectionFailure, DuplicateKeyError, OperationFailure, PyMongoError

from sandbox.app.builds import VariableUnset

_COMMAND = re.compile(r"execute command \{ (\w+): \"?([\w.]+)")
_AUTHENTICATION_FAILED = 18
_UNAUTHORIZED = 13


class BadRequest(ValueError):
    """A request that cannot be served as it is; the message is the answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class ServiceDown(RuntimeError):
    """Another service (mail, HubSpot) did not do its part; the message names it and its answer's status."""


def line(error: Exception) -> str:
    """Return what the log says of a failure, without any value."""
    if isinstance(error, DuplicateKeyError):
        return "duplicate key"
    if isinstance(error, OperationFailure):
        return _refused(error)
    if isinstance(error, ConnectionFailure):
        return "the database cannot be reached"
    if isinstance(error, PyMongoError):
        return f"the database failed ({type(error).__name__})"
    if isinstance(error, VariableUnset | ServiceDown):
        return str(error)
    return f"unexpected {type(error).__name__}"


def answer(error: Exception) -> str:
    """Return the caller's error message."""
    if isinstance(error, PyMongoError | VariableUnset):
        return "database error"
    return "another service failed" if isinstance(error, ServiceDown) else "internal error"


def _refused(error: OperationFailure) -> str:
    if error.code == _AUTHENTICATION_FAILED:
        return "the database refused the login (code 18)"
    if error.code != _UNAUTHORIZED:
        return f"the database refused (code {error.code})"
    found = _COMMAND.search(str(error))
    where = f"{found[1]} {found[2]}, " if found else ""
    return f"not authorized ({where}code 13)"
