"""The mongodbatlas provider's resource ids: names and values in base64, sorted by name."""

import base64
import binascii

from sandbox.providers.errors import ProviderError


def encoded(**parts: str) -> str:
    """The id that the state holds."""
    return "-".join(f"{_encode(name)}:{_encode(value)}" for name, value in sorted(parts.items()))


def decoded(identity: str) -> dict[str, str] | None:
    """The parts of an id, or None if it is not one: then it is one to import by."""
    parts = {}
    for pair in identity.split("-"):
        name, separator, value = pair.partition(":")
        if not separator:
            return None
        try:
            parts[_decode(name)] = _decode(value)
        except (binascii.Error, ValueError):
            return None
    return parts


def refused(identity: str, expected: str) -> ProviderError:
    """The error for an id that is of neither form."""
    return ProviderError(f"import format error: {identity!r} should be of the form {expected}")


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()
