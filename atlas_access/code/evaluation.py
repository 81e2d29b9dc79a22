"""Follows values through a program without running it: what every kind of code has in common.

Pure. A value is known by the variables that it comes from; what is used where one of them is missing is recorded. A
function is followed for the arguments of each call, and once for unknown ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise

from atlas_access.code.idioms import Idioms
from atlas_access.code.names import CONNECTION, VARIABLE, Names
from atlas_access.code.syntax import Node
from atlas_access.code.values import Event, Module, Scope, Value, joined

_DEEPEST = 4
_HOLE = r"\{[^{}]*\}|%(?:\(\w+\))?[sdrv]"
_COMPOSED = re.compile(rf"(?=.*MONGO)(?!.*MONGO(?:DB)?_ATLAS_)(?:[A-Z0-9_]|{_HOLE})+")


class Evaluation:
    """Evaluates modules. `imported` is the module that an import of a file leads to, None where it is outside."""

    def __init__(self, names: Names, idioms: Idioms, imported: Callable[[str, str], Module | None]) -> None:
        self.names = names
        self.idioms = idioms
        self.imported = imported
        self.default = Value("external", "mongoose")
        self.called: set[int] = set()
        self.pending: list[tuple[Value, Module]] = []
        self.bound: dict[str, Value] = {}
        self.prefix = ""
        self.structs: dict[str, Value] = {}
        self._site: tuple[Module, int] | None = None
        self.module = Module("", script=False)
        self._active: list[int] = []
        self.results: dict[tuple[int, int], Value] = {}
        self.returned: list[list[tuple[Value, tuple[str, ...], int]]] = []
        self.gone: tuple[str, ...] = ()
        self.weak = False
        self.present: tuple[str, ...] = ()
        self.quiet = 0
        self.trace: list[str] = []
        self.listed: tuple[str, ...] = ()
        self.entry = ""
        self.generic: Node | None = None

    def run(self, module: Module, program: Node) -> None:
        """Evaluate a file, then each of its functions with unknown arguments."""
        self.module, module.scope.module = module, module
        self.bound, self.prefix = {}, ""
        self.visit(program, module.scope)
        while self.pending:
            function, self.module = self.pending.pop(0)
            self.generic = function.node
            self.inline(function, [], {})
            self.generic = None

    def state(self) -> dict[str, object]:
        """The state of the evaluation, before another file is evaluated in between."""
        kept = {name: value for name, value in vars(self).items() if name not in ("default", "called")}
        self.pending, self._site, self._active, self.returned = [], None, [], []
        self.gone, self.weak, self.quiet, self.trace, self.listed = (), False, 0, [], ()
        self.entry, self.generic = "", None
        return kept

    def restore(self, kept: dict[str, object]) -> None:
        """Continue where the evaluation stood."""
        vars(self).update(kept)

    def event(self, kind: str, node: Node, name: str, other: str = "") -> None:
        """Record an observation, where the file's own code leads to it."""
        module, line = self._site or (self.module, node.line)
        hidden = kind == "hidden" or (kind == "collection" and not name)
        if hidden and self.generic is not None and id(self.generic) in self.called:
            return  # its callers are in sight
        module.events.add(Event(kind, line, name, other))

    def visit(self, node: Node, scope: Scope) -> Value:
        """The value of an expression; statements are carried out."""
        handler: Callable[[Node, Scope], Value] | None = getattr(self, f"_{node.kind}", None)
        if handler is not None:
            return handler(node, scope)
        values = [self.visit(part, scope) for part in node.parts]
        return values[-1] if len(values) == 1 else joined(values) if values else Value()

    def read(self, name: str, node: Node) -> Value:
        """The content of a variable."""
        self.event("reads", node, name)
        self.trace.append(name)
        return Value(reads=(name,), whole=True)

    def key(self, key: Value, node: Node) -> Value:
        """The environment's value under a key."""
        if key.kind == "text":
            return self.read(key.text, node)
        if key.kind in ("each", "filtered"):
            items = {str(at): self.read(text, node) for at, text in enumerate(key.texts)}
            return Value("each", reads=key.texts, whole=True, items=items)
        if key.kind == "template" and _COMPOSED.fullmatch(key.text):
            pieces = re.split(_HOLE, key.text)
            self.event("composed", node, max(pieces[:2], key=len))
        return Value()

    def stand_in(
        self, wanted: Value | tuple[str, ...], value: Value, node: Node, *, literals: bool = True
    ) -> None:
        """Record that `value` is used where the variables of `wanted` are missing."""
        missing = wanted.reads if isinstance(wanted, Value) else wanted
        if value.kind == "each" and value.items and not value.reads:
            value = next(iter(value.items.values()))
        if self.quiet or not missing or value.kind in ("stop", "null", "bool", "number"):
            return
        known = {*missing, *(f"{name}_FILE" for name in missing)}  # NAME_FILE names the file that holds NAME
        others = [name for name in value.reads if name not in known and VARIABLE.fullmatch(name)]
        first = next((name for name in reversed(missing) if self.names.counts(name)), "")
        whole = literals and (not isinstance(wanted, Value) or wanted.whole)
        address = value.kind in ("text", "template") and CONNECTION.search(value.text) is not None
        if others:
            name = first or next((name for name in others if self.names.counts(name)), "")
            for other in others if name else ():
                self.event("falls", node, first or missing[-1], other)
        elif value.kind == "server":
            self.event("falls", node, first or missing[-1], "an in-memory server")
        elif value.reads:
            return
        elif address or (first and whole and value.kind in ("text", "template") and value.text.strip()):
            self.event("falls", node, first or missing[-1], "a literal")
        elif first and whole and value.kind in ("unknown", "external") and value.text != "this":
            self.event("hidden", node, first)

    def first_of(self, reads: Iterable[str], node: Node) -> None:
        """Record that the first of several variables that is there is used."""
        listed = list(dict.fromkeys(reads))
        for wanted, other in pairwise(listed):
            self.stand_in((wanted,), Value(reads=(other,), whole=True), node)

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """What is only printed or raised stands in for nothing."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1

    @contextmanager
    def without(self, gone: Iterable[str], *, weak: bool = False) -> Iterator[None]:
        """Code that runs where these variables are missing; `weak`: where something else may be the reason."""
        before = self.gone, self.weak
        self.gone, self.weak = (*self.gone, *gone), weak
        try:
            yield
        finally:
            self.gone, self.weak = before

    def inline(
        self, function: Value, arguments: list[Value], named: dict[str, Value], node: Node | None = None
    ) -> Value:
        """What a function of the project returns for these arguments."""
        made = function.node
        given = joined([*arguments, *named.values()]).reads if arguments or named else ()
        if made is None or function.scope is None or id(made) in self._active or len(self._active) > _DEEPEST:
            return Value(reads=given)
        plain = not any(self._matters(each) for each in (*arguments, *named.values()))
        key = id(made), id(function.this)
        if plain and key in self.results:
            self.called.add(id(made) if node is not None else 0)
            return self.results[key]
        scope = Scope(function.scope, function.scope.module)
        if function.this is not None:
            scope.names["this"] = scope.names["self"] = scope.names["cls"] = function.this
        params = [each for each in made.parts[0].parts if each.parts]
        if params and params[0].text.startswith("*"):  # the receiver of a Go method
            scope.names[params[0].parts[0].text] = self.structs.get(params[0].text[1:], Value())
            params = params[1:]
        if params and params[0].parts[0].text in ("self", "cls"):
            params = params[1:]
        site, before, module = self._site, (self.gone, self.weak, self.trace), self.module
        self.module = function.scope.module or module
        if node is not None:
            self.called.add(id(made))
            self._site = site or (None if plain else (module, node.line))
        self.gone, self.weak = (), False
        self._active.append(id(made))
        self.returned.append([])
        for at, param in enumerate(params):
            self._parameter(param, arguments[at:], named, scope)
            if param.text == "kept" and function.this is not None:
                function.this.items[param.parts[0].text] = scope.names.get(param.parts[0].text, Value())
        self.visit(made.parts[1], scope)
        returned = self.returned.pop()
        self._active.pop()
        for value, gone, line in returned:
            others = [other for other, *_ in returned if other is not value and other.whole]
            kept = {name for other in others for name in other.reads}
            if value.kind in ("text", "template", "unknown") and not value.reads and set(gone) & kept:
                self.stand_in(tuple(name for name in gone if name in kept), value, Node("return", line))
        self._site, self.module = site, module
        self.gone, self.weak, _ = before
        found = joined(value for value, *_ in returned)
        if plain:
            self.results[key] = found
        return found

    def _matters(self, value: Value, depth: int = 0) -> bool:
        """Whether a function may do something else for this argument than for an unknown one."""
        if value.reads or value.kind in ("env", "function", "client", "database", "schema", "each"):
            return True
        if value.kind in ("text", "template"):
            address = CONNECTION.search(value.text) is not None
            return address or VARIABLE.fullmatch(value.text) is not None or self.names.counts(value.text)
        return depth < 2 and any(self._matters(each, depth + 1) for each in value.items.values())

    def _parameter(self, param: Node, rest: list[Value], named: dict[str, Value], scope: Scope) -> None:
        target, *default = param.parts
        if param.kind == "spread":
            items = {str(at): value for at, value in enumerate(rest)}
            scope.names[target.text] = Value("object", items=items)
            return
        value = rest[0] if rest else named.get(target.text)
        if default:
            other = self.visit(default[0], scope)
            if value is None:
                value = other
            elif self.module.script:
                self.stand_in(value, other, param)
        self.target(target, value if value is not None else Value(), scope, fresh=True)

    def target(self, target: Node, value: Value, scope: Scope, *, fresh: bool = False) -> None:
        """Bind what an assignment's left side names."""
        if target.kind in ("name", "var", "text"):
            (scope.names.__setitem__ if fresh else scope.bind)(target.text, value)
        elif target.kind == "default":
            self.stand_in(value, self.visit(target.parts[1], scope), target)
            self.target(target.parts[0], value, scope, fresh=fresh)
        elif target.kind == "object":
            if value.kind == "filtered":
                self.first_of((name for each in value.items.values() for name in each.reads), target)
            several = value.kind == "object" and str(len(target.parts) - 1) in value.items
            for at, part in enumerate(target.parts):
                if part.kind == "pair":
                    inner = self.get(value, part.text, part)
                    if len(part.parts) > 1:
                        self.stand_in(inner, self.visit(part.parts[1], scope), part)
                    self.target(part.parts[0], inner, scope, fresh=fresh)
                else:
                    self.target(part, value.items[str(at)] if several else value, scope, fresh=fresh)
        elif target.kind == "pair":
            self.target(target.parts[0], value, scope, fresh=fresh)
        elif target.kind in ("member", "index"):
            owner = self.visit(target.parts[0], scope)
            named = target.text if target.kind == "member" else self.visit(target.parts[-1], scope).text
            if owner.kind == "env" and named:
                self.event("sets", target, named)
            elif named and owner.items.get(named) is not value:
                owner.items[named] = joined((owner.items[named], value)) if named in owner.items else value
                if owner.text in ("exports", "module.exports"):
                    scope.bind(named, value)
                elif (owner.text, named) == ("module", "exports"):
                    self._exports(value, scope)

    def _exports(self, value: Value, scope: Scope) -> None:
        scope.bind("default", value)
        for name, item in value.items.items():
            scope.bind(name, item)

    def get(self, owner: Value, name: str, node: Node) -> Value:
        """A member of a value."""
        if owner.kind == "env" and name in owner.items:
            return owner.items[name]
        if owner.kind == "env":
            return self.read(name, node) if VARIABLE.fullmatch(name) or self.names.known(name) else owner
        if name in owner.items:
            found = owner.items[name]
            getter = found.kind == "function" and found.text == "getter"
            return self.inline(found, [], {}, node) if getter else found
        if owner.kind == "class" and owner.this is not None:
            return self.get(owner.this, name, node)
        unseen = owner.kind in ("external", "unknown", "object") and not owner.reads
        if unseen and self.names.counts(name):
            return self.read(name, node)
        if owner.kind == "external":
            path = f"{owner.text}.{name}"
            kind = "env" if self.idioms.named("environments", path) else "external"
            return Value(kind, path, owner.reads)
        return self.outside(owner, name, node)

    # Expressions

    def outside(self, owner: Value, name: str, node: Node) -> Value:
        """A member of a value whose members are unknown."""
        raise NotImplementedError

    def module_of(self, origin: str, name: str = "") -> Value:
        """What is imported: a name of a module, or all of it."""
        module = self.imported(self.module.path, origin)
        inner = f"{origin}.{name}".replace("..", ".") if module is None and name else ""
        if inner and (module := self.imported(self.module.path, inner)):
            name = ""
        if module is None:
            path = ".".join(filter(None, (origin, "" if name in ("default", "*") else name)))
            return Value("env" if self.idioms.named("environments", path) else "external", path)
        whole = Value("object", items=module.scope.names)
        if name in ("", "*") or (name == "default" and "default" not in whole.items):
            return whole
        return whole.items.get(name, Value())
