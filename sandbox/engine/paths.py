"""Property paths, as ignore_changes and replace_on_changes write them: `a.b`, `a[0]`, `a["k"]`, `*`.

Pure. Must never change a value it was given: resetting copies what it changes.
"""

import re
from typing import Any

from sandbox.engine.values import Secret

Path = tuple[str | int, ...]
_PART = re.compile(r"""\.?(?P<name>[^.\[\]"]+)|\[(?P<index>\d+|\*)\]|\["(?P<key>(?:[^"\\]|\\.)*)"\]""")
_MISSING = object()


class BadPath(ValueError):
    """A property path that cannot be read."""


def parse(text: str) -> Path:
    """The parts of `text`, names as str and positions as int; raises BadPath."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise BadPath(f"property path {text!r} cannot be read at character {position + 1}")
        name, index, key = match.group("name", "index", "key")
        if index is not None:
            parts.append(index if index == "*" else int(index))
        else:
            parts.append(name if name is not None else re.sub(r"\\(.)", r"\1", key))
        position = match.end()
    if not parts:
        raise BadPath("a property path is empty")
    return tuple(parts)


def contains(pattern: Path, path: Path) -> bool:
    """True if `path` is at or under `pattern`, in which `*` stands for any one part."""
    return len(path) >= len(pattern) and all(
        part in ("*", other) for part, other in zip(pattern, path, strict=False)
    )


def _get(value: Any, part: str | int) -> Any:
    if isinstance(value, Secret):
        return _get(value.element, part)
    if isinstance(value, dict):
        return value.get(str(part), _MISSING)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return _MISSING


def _parts(pattern: str | int, *sides: Any) -> list[str | int]:
    if pattern != "*":
        return [pattern]
    found: dict[str | int, None] = {}
    for side in sides:
        inner = side.element if isinstance(side, Secret) else side
        keys = inner if isinstance(inner, dict) else range(len(inner)) if isinstance(inner, list) else ()
        found.update(dict.fromkeys(keys))
    return list(found)


def reset(new: Any, old: Any, path: Path) -> Any:
    """`new` with the value at `path` as it stands in `old`: changed back, added or removed."""
    if isinstance(new, Secret):
        return Secret(reset(new.element, old.element if isinstance(old, Secret) else old, path))
    if not isinstance(new, (dict, list)):
        return new
    for part in _parts(path[0], new, old):
        before, after = _get(old, part), _get(new, part)
        if len(path) > 1:
            if before is not _MISSING and after is not _MISSING:
                new = _put(new, part, reset(after, before, path[1:]))
        elif before is _MISSING and isinstance(new, dict):
            new = {key: value for key, value in new.items() if key != part}
        elif before is not _MISSING and (after is not _MISSING or isinstance(new, dict)):
            new = _put(new, part, before)
    return new


def _put(target: Any, part: str | int, value: Any) -> Any:
    if isinstance(target, dict):
        return {**target, str(part): value}
    return [value if index == part else element for index, element in enumerate(target)]
