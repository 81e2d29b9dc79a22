"""Connections, from the client to the collections that it is asked for, in every driver's words.

Pure, a part of `flow`. A connection comes from the variables of its address; mongoose has one that is used by default.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from atlas_access.code.syntax import Node
from atlas_access.code.values import Value, joined

if TYPE_CHECKING:
    from atlas_access.code.flow import Flow
    from atlas_access.code.invocation import Call

_PLURALS = (
    (r"(?i)person$", "people"), (r"(?i)child$", "children"), (r"(?i)([^aeiou])y$", r"\1ies"),
    (r"(?i)(x|ch|ss|sh|s)$", r"\1es"), (r"$", "s"),
)  # fmt: skip
"""How mongoose makes a collection's name of a model's, the common cases."""


def connection(it: Call) -> Value | None:
    """Calls that open a connection, and calls on one."""
    flow = it.flow
    reads = it.receiver.reads or (flow.default.reads if it.path.startswith("mongoose") else ())
    if it.means("clients") and not it.receiver.reads:
        return _client(it)
    if it.last == "Schema":
        return Value("object", items=it.given[1].items if len(it.given) > 1 else {})
    if it.means("model_lists") and it.given:
        for each in it.first.items.values():
            said = [each.items.get(key, Value()) for key in ("name", "schema")]
            _model(flow, said, flow.default.reads, it.node)
        return Value()
    if it.ends("models") and it.given and (it.receiver.reads or it.path.startswith("mongoose")):
        _model(flow, it.given, reads, it.node)
        return Value("collection")
    if it.ends("databases") and reads:
        return Value("database", it.path, reads)
    if it.ends("collections") and reads:
        return collection(flow, it.first, reads, it.node)
    if it.receiver.kind == "collection":
        for each in it.given if it.ends("pipelines") else ():
            _stages(flow, each, it.receiver.reads, it.node)
        return Value()
    if it.receiver.kind in ("client", "database") and it.receiver.reads:
        functions = [each for each in it.given if each.kind == "function"]
        returned = [flow.inline(each, [it.receiver] * 2, {}, it.node) for each in functions]
        kept = it.last.startswith(("get", "connect", "on")) or it.ends("same_content")
        return it.receiver if kept else joined(returned) if returned else Value()
    return None


def _client(it: Call) -> Value:
    addresses = [each for each in (*it.given, *it.named.values()) if each.whole or each.kind == "client"]
    handed = joined(addresses or it.given[:1]).reads
    for name in handed:
        it.flow.event("opens", it.node, name)
    if it.means("default_connections"):
        it.flow.default.reads = tuple(dict.fromkeys((*it.flow.default.reads, *handed)))
    client = Value("client", it.path, handed)
    for each in it.given:
        if each.kind == "function":  # a callback
            it.flow.inline(each, [Value("null"), client], {}, it.node)
    return client


def _model(flow: Flow, given: Sequence[Value], reads: tuple[str, ...], node: Node) -> None:
    name, schema, said = (*given, Value(), Value())[:3]
    said = said if said.kind == "text" else schema.items.get("collection", Value())
    plural = next(
        re.sub(end, put, name.text.lower(), count=1) for end, put in _PLURALS if re.search(end, name.text)
    )
    collection(flow, said if said.kind == "text" else Value(name.kind, plural), reads, node)


def collection(flow: Flow, name: Value, reads: tuple[str, ...], node: Node) -> Value:
    """A collection that is used."""
    for text in (name.texts or ("",)) if reads else ():
        flow.event("collection", node, text, ",".join(reads))
    return Value("collection", name.text, reads)


def _stages(flow: Flow, value: Value, reads: tuple[str, ...], node: Node) -> None:
    """The collections that a pipeline names."""
    for key, inner in value.items.items():
        if key in flow.idioms.plain("stages") and not inner.items:
            collection(flow, inner, reads, node)
        _stages(flow, inner, reads, node)


def member(flow: Flow, owner: Value, name: str, node: Node) -> Value:
    """A member of a connection, or of a value whose members are unknown."""
    plain = flow.module.script or name in flow.idioms.plain("connection_members")
    if owner.kind == "client" and owner.reads:
        return Value("database", name, owner.reads) if name == "db" or not plain else Value(reads=owner.reads)
    if owner.kind == "database" and owner.reads and not plain and not flow.module.path.endswith(".go"):
        return collection(flow, Value("text", name), owner.reads, node)
    if owner.kind == "server":
        return owner
    return Value(reads=owner.reads, whole=owner.whole and name in flow.idioms.plain("same_content"))


def subscript(flow: Flow, owner: Value, key: Value, node: Node) -> Value:
    """`client["database"]["collection"]`."""
    if owner.kind == "client" and owner.reads:
        return Value("database", key.text, owner.reads)
    if owner.kind == "database" and owner.reads:
        return collection(flow, key, owner.reads, node)
    if owner.items and key.kind == "each":
        return joined(owner.items.values())
    if owner.kind in ("unknown", "external") and flow.names.counts(key.text):
        return flow.read(key.text, node)
    return Value(reads=owner.reads)
