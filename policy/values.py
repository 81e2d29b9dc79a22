"""Property values of rules: plain JSON, or a marker for an unknown (a preview) or a secret (an exported state)."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import TypeAlias


class Marker(enum.Enum):
    """Why a value is not there to be judged."""

    UNKNOWN = "not known before creation"
    SECRET = "secret"  # noqa: S105
    OUTSIDE = "decided outside the program"


UNKNOWN = Marker.UNKNOWN
SECRET = Marker.SECRET
OUTSIDE = Marker.OUTSIDE

Value: TypeAlias = "bool | int | float | str | Marker | list[Value] | dict[str, Value] | None"
Text: TypeAlias = str | Marker

_UNKNOWN_SENTINELS = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""How Pulumi's protocol writes an unknown value of each kind (sdk/go/common/resource/plugin/rpc.go)."""

_SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105
_OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_SHOWN_SECRET = "[secret]"  # noqa: S105


def from_protocol(raw: object) -> Value:
    """Turn a decoded protocol or state value into a `Value`; unknown types become text of their type's name.

    A secret envelope and the text `[secret]`, which `pulumi policy analyze` writes, both become `SECRET`.
    """
    if raw is None or isinstance(raw, bool | int | float):
        return raw
    if isinstance(raw, str):
        if raw in _UNKNOWN_SENTINELS:
            return UNKNOWN
        return SECRET if raw == _SHOWN_SECRET else raw
    if isinstance(raw, Mapping):
        signature = raw.get(_SIGNATURE_KEY)
        if signature == _SECRET_SIGNATURE:
            return SECRET
        if signature == _OUTPUT_SIGNATURE:
            return from_protocol(raw["value"]) if "value" in raw else UNKNOWN
        return {str(key): from_protocol(value) for key, value in raw.items()}
    if isinstance(raw, list | tuple):
        return [from_protocol(value) for value in raw]
    return f"<{type(raw).__name__}>"


def inside(value: Value) -> Iterator[tuple[str, Value]]:
    """Yield a value and everything inside it, each with its path (`tags.note`, `roles[0].roleName`)."""
    pending: list[tuple[str, Value]] = [("", value)]
    while pending:
        path, current = pending.pop()
        yield path, current
        if isinstance(current, dict):
            pending.extend((f"{path}.{key}" if path else key, item) for key, item in current.items())
        elif isinstance(current, list):
            pending.extend((f"{path}[{index}]", item) for index, item in enumerate(current))


def texts(value: Value) -> Iterator[tuple[str, str]]:
    """Yield every text inside a value with its path, keys of objects included, as `PATH.<key>`."""
    for path, part in inside(value):
        if isinstance(part, dict):
            yield from ((f"{path}.<key>" if path else "<key>", key) for key in part)
        elif isinstance(part, str):
            yield path, part


def markers(value: Value) -> Iterator[tuple[str, Marker]]:
    """Yield the path of every value that cannot be seen."""
    return ((path, part) for path, part in inside(value) if isinstance(part, Marker))
