"""What a call does: a function of the project is followed, a library's by the table of idioms, any other is unknown.

Pure, a part of `flow`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from atlas_access.code import classes, connections
from atlas_access.code.invocation import Call, path_of
from atlas_access.code.names import CONNECTION, VARIABLE
from atlas_access.code.syntax import Node
from atlas_access.code.values import Scope, Value, joined

if TYPE_CHECKING:
    from atlas_access.code.flow import Flow

_LISTS = ("map", "forEach", "some", "every", "flatMap", "find", "filter", "findLast", "sort", "reduce")
_KEYS_OF_VIPER = frozenset({"GetString", "SetDefault", "BindEnv", "MustBindEnv", "IsSet", "Get"})


def call(flow: Flow, node: Node, scope: Scope) -> Value:
    """The value of a call."""
    if not node.parts:
        return Value()
    callee, *given = node.parts
    path, member = path_of(callee, scope), callee.kind == "member"
    receiver = flow.visit(callee.parts[0], scope) if member else Value()
    stops = flow.idioms.named("stops", path)
    if path in ("echo", "printf"):  # what a shell's function returns
        for each in given:
            flow.visit(each, scope)
        return Value("bool")
    if stops or flow.idioms.named("logs", path):
        with flow.quietly():
            for each in given:
                flow.visit(each, scope)
        return Value("stop" if stops else "bool")
    named = {each.text: flow.visit(each, scope) for each in given if each.kind == "pair"}
    arguments = [value for each in given if each.kind != "pair" for value in _given(flow, each, scope)]
    if path == "require" and arguments and arguments[0].kind == "text":
        return flow.module_of(arguments[0].text)
    if path == "getattr" and len(arguments) > 1 and arguments[1].kind == "text":
        return flow.get(arguments[0], arguments[1].text, node)
    if member:
        owner = receiver.this if receiver.kind == "class" and receiver.this is not None else receiver
        function = owner.items.get(callee.text, Value())
    else:
        found = scope.find(callee.text) if callee.kind == "text" else flow.visit(callee, scope)
        function = found or Value()
    if function.kind == "function":
        return flow.inline(function, arguments, named, node)
    if function.kind == "class":
        return classes.constructed(flow, function, arguments, named, node)
    if function.kind in ("client", "database") and not member:
        return function  # its name says what it opens
    it = Call(flow, path, receiver, arguments, named, node)
    for handler in (_environment, _list, _default, _idiom, connections.connection, _reader):
        value = handler(it)
        if value is not None:
            return value
    return _unknown(it)


def _given(flow: Flow, node: Node, scope: Scope) -> Iterator[Value]:
    value = flow.visit(node.parts[0] if node.kind == "spread" and node.parts else node, scope)
    yield from value.items.values() if node.kind == "spread" and value.items else [value]


def _environment(it: Call) -> Value | None:
    """Calls on the environment, and calls that it is handed to."""
    if it.means("validated"):
        declared(it, it.named)
        return Value("env")
    if it.receiver.kind == "env":
        return _read(it, *it.given) if it.given and it.ends("readers") else it.receiver
    if it.first.kind == "env" and len(it.given) > 1 and it.given[1].kind in ("text", "each"):
        return _read(it, *it.given[1:])  # get(process.env, "NAME", default)
    at = next((at for at, each in enumerate(it.given) if each.kind == "env"), -1)
    if at < 0 or it.means("hands_on") or it.receiver.reads:
        return None
    before = it.given[:at] if it.means("later_wins") else []
    for each in it.given[at + 1 :] if it.means("earlier_wins") else before:
        for name, value in each.items.items():
            it.flow.stand_in((name,), value, it.node)
    return Value("env")


def _list(it: Call) -> Value | None:
    """Calls on lists and on texts."""
    items = list(it.receiver.items.values()) if it.receiver.kind in ("object", "filtered") else []
    if it.last == "join" and (items or it.first.items):
        pieces, between = (items, it.first) if items else (list(it.first.items.values()), it.receiver)
        text = between.text.join(each.text if each.kind == "text" else "{}" for each in pieces)
        return Value("template" if "{}" in text else "text", text)
    if it.last in ("concat", "format", "Sprintf") and "text" in (it.receiver.kind, it.first.kind):
        more = "{}" if it.last == "concat" else ""
        text = it.receiver.text + more if it.receiver.kind == "text" else it.first.text
        return Value("template", text, joined(it.given).reads)
    function = it.first if it.first.kind == "function" else None
    if it.last in ("list", "tuple", "sorted", "from") and it.first.items:
        return it.first
    if it.path == "map" and it.given[1:] and it.flow.idioms.named("readers", it.first.text):
        read = [it.flow.key(each, it.node) for each in it.given[1].items.values()]
        return Value("object", items={str(at): each for at, each in enumerate(read)})
    if it.last == "filter" and not items and it.given[1:] and it.given[1].items:  # filter(None, list)
        items, function = list(it.given[1].items.values()), None
    if items and it.last in _LISTS:
        return _over(it, items, function)
    listed = it.receiver if it.receiver.kind == "filtered" else it.first if it.given else it.receiver
    if listed.items and it.means("first_of_list"):
        it.flow.first_of((name for each in listed.items.values() for name in each.reads), it.node)
        return joined(listed.items.values())
    filtered = it.last in ("compact", "values") and it.first.items
    return Value("filtered", items=it.first.items) if filtered else None


def _over(it: Call, items: list[Value], function: Value | None) -> Value:
    """`find`, `filter`, `map` and their likes, over a list's items."""
    if it.last == "reduce" and function is not None:
        return it.flow.inline(function, items[:2], {}, it.node)
    found = [it.flow.inline(function, [each], {}, it.node) for each in items] if function else items
    pairs = list(zip(items, found, strict=True))
    reads = [name for each, tested in pairs for name in each.reads or tested.reads]
    if it.last in ("find", "findLast"):
        tested = any(each.kind != "bool" for each in found) or any(each.reads for each in items)
        it.flow.first_of(reads if tested else (), it.node)
        return Value("each", reads=tuple(reads), items=it.receiver.items)
    if it.last == "filter":
        kept = [Value(each.kind, each.text, each.reads or tested.reads, each.whole) for each, tested in pairs]
        return Value("filtered", items={str(at): each for at, each in enumerate(kept)})
    return Value("object", items={str(at): each for at, each in enumerate(found)})


def _default(it: Call) -> Value | None:
    """`.default(x)` and its likes: on a variable, on a schema's entry, as an argument of `pipe`."""
    if it.means("default_wrappers") and len(it.given) > 1:
        return Value("spec", items={"default": it.given[1]})
    method = it.node.parts[0].kind == "member" or it.means("default_wrappers")
    if it.ends("default_methods") and method and it.given and not it.named:
        value = it.result(it.first)
        if not it.receiver.reads:
            return Value("spec", items={"default": value})
        it.flow.stand_in(it.receiver, value, it.node, literals=it.first.kind != "function")
        return joined((it.receiver, value))
    if it.receiver.kind == "spec" and not it.means("readers"):
        return it.receiver
    spec = next((each for each in it.given if each.kind == "spec" and "default" in each.items), None)
    if not it.receiver.reads or spec is None:
        return None
    it.flow.stand_in(it.receiver, spec.items["default"], it.node)
    return it.receiver


def _idiom(it: Call) -> Value | None:
    """The first that is there, bound keys, conditions, and what keeps a variable's content."""
    if it.means("memory_servers") or it.receiver.kind == "server":
        return Value("server", it.path)
    if it.means("first_of") or it.means("first_of_reversed"):
        lists = (each.items.values() if each.kind == "object" else [each] for each in it.given)
        values = [one for each in lists for one in each]
        values = values[::-1] if it.means("first_of_reversed") else values
        read = [it.flow.key(each, it.node) if it.counts(each.text) else each for each in values]
        for wanted, other in pairwise(read):
            it.flow.stand_in(wanted, other, it.node)
        listed = {str(at): each for at, each in enumerate(values)}
        return Value("object", items=listed) if it.last.startswith("Alias") else joined(read)
    if it.means("bound_names") or it.means("bound_defaults"):
        return _bound(it)
    if it.path == "test" and len(it.given) > 1:  # a shell's
        return Value(text="empty" if it.first.text == "-z" else "", reads=it.given[1].reads, whole=True)
    if it.means("empty") and len(it.given) == 1:
        return Value(text="empty", reads=it.first.reads)
    if it.means("present") and it.first.reads:
        return Value(reads=it.first.reads)
    if it.ends("same_content"):
        kept = it.receiver if it.receiver.reads or not it.given else it.first
        return kept if kept.reads or not it.given else None
    return None


def _bound(it: Call) -> Value:
    """Viper's keys: bound to variables, or with a default."""
    texts, bound = [each.text for each in it.given], it.flow.bound
    key, name = texts[0] if texts else "", _upper(it, texts[0] if texts else "")
    if it.ends("bound_defaults"):
        bound.setdefault(key, Value(reads=(name,) if it.counts(name) else (), whole=True))
        bound[key].items["default"] = it.given[1] if len(it.given) > 1 else Value()
    else:
        names = texts[1:] or [name]
        for each in names:
            it.flow.read(each, it.node)
        it.flow.first_of(names, it.node)
        bound[key] = Value(reads=tuple(names), whole=True, items=bound[key].items if key in bound else {})
    if "default" in bound[key].items:
        it.flow.stand_in(bound[key], bound[key].items["default"], it.node)
    return Value("bool")


def _upper(it: Call, key: str) -> str:
    return (it.flow.prefix + re.sub(r"[.-]", "_", key)).upper()


def _reader(it: Call) -> Value | None:
    """Calls that name a variable: `env("NAME", default)`."""
    if it.last == "Env":  # django-environ: NAME=(cast, default)
        for name, each in it.named.items():
            it.flow.stand_in((name,), each.items.get("1", Value("null")), it.node)
    if it.last in ("prefixed", "SetEnvPrefix"):
        it.flow.prefix = it.first.text + ("" if it.last == "prefixed" else "_")
        return Value()
    field = it.given[:1] if it.last in ("Option", "Argument", "Field") else []
    if (found := declared(it, it.named, *field)) is not None:
        return found
    text, kind = it.first.text, it.first.kind
    inner: Value | None = it.receiver if it.receiver.items and kind == "text" else None
    for part in text.split(".") if inner is not None else ():
        inner = None if inner is None else inner.items.get(part)
    if inner is not None:
        return declared(it, inner.items) or inner
    if kind == "text" and it.last in _KEYS_OF_VIPER and text in it.flow.bound:
        return it.flow.bound[text]
    spelled = (text, it.flow.prefix + text, _upper(it, text) if it.last in _KEYS_OF_VIPER else text)
    name = next((each for each in spelled if kind == "text" and it.counts(each)), "")
    if name:
        counted = [each.text for each in it.given if each.kind == "text" and it.counts(each.text)]
        if len(counted) <= 1:
            return _read(it, Value("text", name), *it.given[1:])
        if not it.means("checks"):
            it.flow.event("hidden", it.node, name)
        return joined([it.flow.read(each, it.node) for each in counted])
    known = kind in ("each", "template") or VARIABLE.fullmatch(text) is not None
    return _read(it, *it.given) if it.means("readers") and known and not it.receiver.reads else None


def _read(it: Call, key: Value, *others: Value) -> Value:
    """A variable by its key, with the default that is beside it."""
    value, keys = it.flow.key(key, it.node), it.flow.idioms.plain("default_keys")
    found = [it.named[name] for name in keys if name in it.named]
    found += [each.items[name] for each in others for name in keys if name in each.items]
    beside = others[0] if others and not others[0].items else None
    reader = it.means("readers") and not it.means("checks")
    if beside is not None and (reader or CONNECTION.search(beside.text)):
        found.append(beside)
    if not found:
        return value
    default = it.result(found[0])
    it.flow.stand_in(value, default, it.node)
    return joined((value, default))


def declared(it: Call, items: dict[str, Value], *given: Value) -> Value | None:
    """A variable that an entry names by `env:` or `envvar=`, with the default beside it."""
    idioms = it.flow.idioms
    listed = [text for key in items if key in idioms.plain("name_keys") for text in items[key].texts]
    names = [each for each in listed if it.counts(each) or (VARIABLE.fullmatch(each) and "_" in each)]
    defaults = [items[key] for key in idioms.plain("default_keys") if key in items] or list(given)
    if not names:
        return None
    for each in names:
        it.flow.read(each, it.node)
    it.flow.first_of(names, it.node)
    for default in defaults[:1]:
        it.flow.stand_in((names[-1],), it.result(default), it.node)
    return Value(reads=tuple(names), whole=True)


def _unknown(it: Call) -> Value:
    """A function that is out of sight."""
    flow, values = it.flow, [*it.given, *it.named.values()]
    command = it.node.parts[0].kind == "text"  # of a shell
    spared = command or any(it.means(key) for key in ("hands_on", "checks", "present", "empty"))
    counted = [name for each in it.given if each.whole for name in each.reads[:1] if it.counts(name)]
    if len(set(counted)) > 1 and not spared:
        flow.event("hidden", it.node, counted[0])
    if it.receiver.kind == "schema" and re.match(r"(?i)(safe|async)?(parse|valid|load)", it.last):
        return Value("env")
    schema = it.receiver.kind == "schema" or any(it.counts(key) for each in values for key in each.items)
    taint = joined([it.receiver, *(each for each in values if each.reads and each.kind != "function")])
    known = Value(taint.kind, "", taint.reads, taint.whole)
    entry = Value(reads=(flow.entry,), whole=True) if flow.entry else known
    argument = Value("env") if schema else entry
    functions = [each for each in it.given if each.kind == "function"]
    returned = [flow.inline(each, [argument] * 3, {}, it.node) for each in functions]
    handed = next((each for each in values if each.kind in ("client", "database") and each.reads), None)
    if handed is not None and not spared and not it.receiver.reads:
        flow.event("collection", it.node, "", ",".join(handed.reads))
    inner = [one for each in values for one in (each, *each.items.values()) if one.whole]
    for name in dict.fromkeys(name for each in inner for name in each.reads if not spared):
        flow.event("handed", it.node, name)
    default = next((it.named[key] for key in flow.idioms.plain("default_keys") if key in it.named), None)
    if default is not None or (it.last == "Field" and it.given):
        return Value("spec", items={"default": default or it.first})
    items = next((each.items for each in values if each.items and each.kind == "object"), {})
    if schema or (items and not taint.reads):
        return Value("schema", items=items)
    chained = it.receiver.reads and it.last in ("then", "map", "pipe", "let", "also")
    read = [each for each in returned if each.reads]
    return joined(returned) if chained and returned else joined(read) if read else Value(reads=taint.reads)
