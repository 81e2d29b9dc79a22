"""Compares a resource's state with new inputs, as the bridged providers do. Pure.

Comparing outputs with inputs lets the next update correct drift found by a refresh. An empty string, list, object or
`false` that was never given is no difference.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.providers.resource import Property, ResourceType
from sandbox.values import Properties, Value, is_known

Kind = Literal["ADD", "DELETE", "UPDATE"]


@dataclass(frozen=True)
class Change:
    """One path that changes, for example `roles[0].roleName`."""

    path: str
    kind: Kind
    replaces: bool

    @property
    def property(self) -> str:
        """The top-level property that the path is in."""
        return self.path.split(".")[0].split("[")[0]


def changes(
    resource: ResourceType[Any], old: Properties, new: Properties, ignored: Sequence[str] = ()
) -> list[Change]:
    """Every path that would change from the state `old` to the inputs `new`, but for the ignored ones."""
    return [
        change
        for prop in resource.inputs()
        for change in _property_changes(prop, old, new)
        if not any(_covers(path, change.path) for path in ignored)
    ]


def _property_changes(prop: Property, old: Properties, new: Properties) -> Iterator[Change]:
    before, after = old.get(prop.name), new.get(prop.name)
    if after is None and prop.computed:
        return
    if prop.equivalent and is_known(after) and not _empty(before) and not _empty(after):
        if not prop.equivalent(before, after, new):
            yield Change(prop.name, "UPDATE", prop.replaces)
        return
    for path, kind in _value_changes(prop.name, before, after, unordered=prop.unordered):
        yield Change(path, kind, prop.replaces)


def _value_changes(path: str, old: Value, new: Value, *, unordered: bool) -> Iterator[tuple[str, Kind]]:
    if same(old, new):
        return
    if _empty(old) or _empty(new):
        yield path, "ADD" if _empty(old) else "DELETE"
    elif isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _value_changes(f"{path}.{name}", old.get(name), new.get(name), unordered=True)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_changes(path, old, new, unordered=unordered)
    else:
        yield path, "UPDATE"


def _list_changes(
    path: str, old: list[Value], new: list[Value], *, unordered: bool
) -> Iterator[tuple[str, Kind]]:
    before, after = list(enumerate(old)), list(enumerate(new))
    if unordered:
        for item in list(after):
            match = next((other for other in before if same(other[1], item[1])), None)
            if match:
                before.remove(match)
                after.remove(item)
    shared = min(len(before), len(after))
    for (_, left), (index, right) in zip(before[:shared], after[:shared], strict=True):
        yield from _value_changes(f"{path}[{index}]", left, right, unordered=True)
    for index, _ in before[shared:]:
        yield f"{path}[{index}]", "DELETE"
    for index, _ in after[shared:]:
        yield f"{path}[{index}]", "ADD"


def same(old: Value, new: Value) -> bool:
    """Whether two values are equal, an empty one being equal to none; lists in objects are compared as sets."""
    if not is_known(new) or not is_known(old):
        return False
    if _empty(old) or _empty(new):
        return all(_empty(value) or value is False for value in (old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return all(_nested(old.get(name), new.get(name)) for name in old.keys() | new.keys())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(same(left, right) for left, right in zip(old, new, strict=True))
    return bool(old == new)


def _nested(old: Value, new: Value) -> bool:
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(any(same(left, right) for left in old) for right in new)
    return same(old, new)


def _empty(value: Value) -> bool:
    return value is None or value in ("", [], {})


def _covers(ignored: str, path: str) -> bool:
    return ignored in ("*", path) or path.startswith((f"{ignored}.", f"{ignored}["))
