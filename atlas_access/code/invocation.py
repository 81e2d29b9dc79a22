"""A call as the table of idioms asks about it: its path, its receiver and its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas_access.code.syntax import Node
from atlas_access.code.values import Scope, Value

if TYPE_CHECKING:
    from atlas_access.code.flow import Flow


def path_of(node: Node, scope: Scope) -> str:
    """A callee's path: `process.env.get`, with imported names by what they were imported as."""
    if node.kind == "member":
        inner = path_of(node.parts[0], scope)
        return f"{inner}.{node.text}" if inner else node.text
    if node.kind in ("call", "new") and node.parts:
        return path_of(node.parts[0], scope)
    found = scope.find(node.text) if node.kind in ("name", "text") else None
    return found.text if found is not None and found.kind in ("external", "env") else node.text


@dataclass(frozen=True, eq=False)
class Call:
    """A call of something that is no function of the project."""

    flow: Flow
    path: str
    receiver: Value
    given: list[Value]
    named: dict[str, Value]
    node: Node

    @property
    def last(self) -> str:
        """The last part of the path: the function's own name."""
        return self.path.rpartition(".")[2]

    @property
    def first(self) -> Value:
        """The first argument."""
        return self.given[0] if self.given else Value()

    def means(self, key: str) -> bool:
        """Whether a list of idioms names the path."""
        return self.flow.idioms.named(key, self.path)

    def ends(self, key: str) -> bool:
        """Whether a list of idioms names the function's own name."""
        return self.last in self.flow.idioms.plain(key)

    def counts(self, name: str) -> bool:
        """Whether a variable counts."""
        return self.flow.names.counts(name)

    def result(self, value: Value) -> Value:
        """A value, or what a function that is handed over returns."""
        return self.flow.inline(value, [], {}, self.node) if value.kind == "function" else value
