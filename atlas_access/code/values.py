"""What is known of a value without running the code: its variables, its text, its members, its function.

Pure records. Several possibilities are one value that comes from all of their variables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from atlas_access.code.syntax import Node


@dataclass(eq=False)
class Value:
    """`reads` are the variables that a value comes from, in order; it is `whole` when it is such a variable's content.

    Kinds: `unknown`, `external` (its text is its path), `text`, `number`, `null`, `bool`, `env` (the environment),
    `object` (also a list), `filtered` and `each` (of a list, what passes; any one), `spec` (of a variable, in a
    schema), `schema`, `function`, `class`, `template`, `stop`, `server` (in memory), `client`, `database`,
    `collection`.
    """

    kind: str = "unknown"
    text: str = ""
    reads: tuple[str, ...] = ()
    whole: bool = False
    items: dict[str, Value] = field(default_factory=dict)
    node: Node | None = None
    scope: Scope | None = None
    this: Value | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The constant texts that a value is, or that a list holds."""
        if self.kind == "text":
            return (self.text,)
        listed = self.items.values() if self.kind in ("object", "each", "filtered") else ()
        return tuple(text for each in listed for text in each.texts)


@dataclass(frozen=True, order=True)
class Event:
    """Something that a guard judges: its kind, its line, the name that it is about, and what else it names.

    `reads` (a variable), `sets`, `handed` (to what is out of sight), `opens` (one that a MongoDB client receives),
    `composed` (the beginning of a name that is put together), `falls` (a variable, and what stands in), `hidden` (the
    same, out of sight), `collection` (a name or "", and the variables that the connection comes from, by commas).
    """

    kind: str
    line: int
    name: str
    other: str = ""


@dataclass(eq=False)
class Module:
    """A file: its names, and what was observed in it."""

    path: str
    script: bool
    scope: Scope = field(default_factory=lambda: Scope())
    events: set[Event] = field(default_factory=set)
    bound: dict[str, Value] = field(default_factory=dict)


@dataclass(eq=False)
class Scope:
    """The names of a block of code, and those around it."""

    parent: Scope | None = None
    module: Module | None = None
    names: dict[str, Value] = field(default_factory=dict)

    def find(self, name: str) -> Value | None:
        """The value of a name here or around."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def bind(self, name: str, value: Value) -> None:
        """Set a name where it is known already, else here; outside of a function, what was there stays possible."""
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.parent
        if scope is None or scope is self:
            self.names[name] = value
        else:
            scope.names[name] = joined((scope.names[name], value))


def joined(values: Iterable[Value]) -> Value:
    """A value that may be any of these."""
    found = [each for each in values if each.kind not in ("null", "stop")]
    reads = tuple(dict.fromkeys(name for each in found for name in each.reads))
    if not found:
        return Value("null")
    first = next((each for each in found if each.kind != "unknown"), found[0])
    if len(found) == 1 or all(each is first for each in found):
        return first
    if len({each.text for each in found}) > 1 and all(each.kind == "text" for each in found):
        return Value("each", items={str(at): each for at, each in enumerate(found)})
    items = {key: item for each in reversed(found) for key, item in each.items.items()}
    whole = any(each.whole for each in found)
    return Value(first.kind, first.text, reads, whole, items, first.node, first.scope, first.this)


def compares_with_nothing(values: list[Value]) -> bool:
    """Whether one side of a comparison is nothing, or what is left of the other where its variable is empty."""
    empty = any(
        each.kind in ("null", "bool") or (each.kind == "object" and not each.items) for each in values
    )
    plain = {each.text for each in values if each.kind in ("text", "number", "template") and not each.reads}
    filled = any(each.kind == "template" and each.text.replace("{}", "") in plain for each in values)
    return empty or filled or bool(plain & {"", "undefined", "0"})
