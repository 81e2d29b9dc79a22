"""Classes: their members as those of one instance, settings whose fields are variables, and instances.

Pure, a part of `flow`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from atlas_access.code import connections
from atlas_access.code.invocation import path_of
from atlas_access.code.syntax import Node
from atlas_access.code.values import Scope, Value

if TYPE_CHECKING:
    from atlas_access.code.flow import Flow


def class_of(flow: Flow, node: Node, scope: Scope) -> Value:
    """A class; its methods are visited like functions."""
    *heads, body = node.parts
    named = [each for head in heads for each in head.walk() if each.kind in ("name", "member")]
    bases = [path_of(each, scope) for each in named]
    known = [each for each in map(scope.find, bases) if each is not None and each.kind == "class"]
    settings = any(flow.idioms.named("settings_classes", each) for each in bases)
    settings = settings or any(each.text == "settings" for each in known)
    instance = Value("object")
    for each in known:
        instance.items |= each.this.items if each.this is not None and each.node is not node else {}
    value = Value("class", "settings" if settings else node.text, node=node, scope=scope, this=instance)
    scope.names[node.text] = value
    inner = Scope(scope, scope.module, {"this": instance, "self": instance})
    prefix = _prefix(node)
    for part in body.parts if body.kind == "block" else (body,):
        functions = [each for each in (part, *part.parts) if each.kind == "function"]
        if functions and part.kind in ("function", "block"):
            decorators = " ".join(each.text for each in part.parts if each.kind != "function")
            getter = "property" in decorators or functions[0].parts[0].text == "getter"
            text = "getter" if getter else ""
            method = Value("function", text, node=functions[0], scope=inner, this=instance)
            instance.items[functions[0].text] = method
            flow.pending.append((method, flow.module))
        elif part.kind == "assign" and part.parts:
            name = part.parts[0].text
            given = flow.visit(part.parts[-1], inner) if len(part.parts) > 1 else None
            field = _setting(flow, f"{prefix}{name}".upper(), given, part) if settings else given or Value()
            instance.items[name] = inner.names[name] = field
        else:
            flow.visit(part, inner)
    if any(flow.idioms.named("documents", each) for each in bases):
        said = instance.items["meta"].items.get("collection") if "meta" in instance.items else None
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", node.text).lower()
        connections.collection(flow, said or Value("text", snake), flow.default.reads, node)
    return value


def _prefix(node: Node) -> str:
    """What the names of a settings class's variables begin with."""
    for each in node.walk():
        if each.kind in ("pair", "assign") and each.parts and "env_prefix" in (each.text, each.parts[0].text):
            return each.parts[-1].text
    return ""


def _setting(flow: Flow, variable: str, given: Value | None, node: Node) -> Value:
    """A field of a class of settings: a variable, and its default."""
    if given is not None and given.reads and given.kind == "unknown":
        return given
    if not flow.names.counts(variable):
        return Value()
    value = flow.read(variable, node)
    default = given.items.get("default") if given is not None and given.kind == "spec" else given
    if default is not None:
        flow.stand_in(value, default, node)
    return value


def constructed(flow: Flow, made: Value, given: list[Value], named: dict[str, Value], node: Node) -> Value:
    """An instance; where it is handed a connection, its methods are visited with it."""
    shared, values = made.this or Value("object"), (*given, *named.values())
    if made.text == "settings" or not values:
        return shared
    instance = Value("object", made.text)
    for name, each in shared.items.items():
        method = Value(each.kind, each.text, node=each.node, scope=each.scope, this=instance)
        instance.items[name] = method if each.kind == "function" else each
    maker = instance.items.get("constructor") or instance.items.get("__init__")
    if maker is None:
        instance.items |= named
    else:
        flow.inline(maker, given, named, node)
    if any(each.kind in ("client", "database") or each.reads for each in values):
        for each in [*instance.items.values()]:
            if each.kind == "function" and each is not maker:
                flow.inline(each, [], {}, node)
    return instance


def tag(flow: Flow, node: Node) -> Value:
    """A Go field's tag: `env:"NAME"`, with its default beside it or behind a comma."""
    pairs = dict(re.findall(r'(\w+):"([^"]*)"', node.text))
    for key in ("env", "envconfig"):
        name, *options = pairs.get(key, "").split(",")
        if name:
            flow.read(name, node)
        given = pairs.get("envDefault") or pairs.get("default") or ""
        given = next((each.partition("=")[2] for each in options if each.startswith("default=")), given)
        if name and given:
            flow.stand_in((name,), Value("text", given), node)
    return Value()
