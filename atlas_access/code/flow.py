"""Follows values through a program, kind of code by kind of code: expressions, statements, conditions, imports.

Pure. Constants, assignments, parameters, destructuring, members of objects and classes, functions of the project, and
imports between its files are followed. What a library does is said by `idioms.yaml`; what a function does that is in
neither is unknown, and never taken for harmless.
"""

from __future__ import annotations

import re

from atlas_access.code import calls, classes, connections
from atlas_access.code.evaluation import Evaluation
from atlas_access.code.invocation import Call, path_of
from atlas_access.code.names import CONNECTION, VARIABLE
from atlas_access.code.syntax import Node
from atlas_access.code.values import Scope, Value, compares_with_nothing, joined


class Flow(Evaluation):
    """What each kind of code does; a kind without a method of its own is its parts, one after the other."""

    def outside(self, owner: Value, name: str, node: Node) -> Value:  # noqa: D102 - as it is declared
        return connections.member(self, owner, name, node)

    def _text(self, node: Node, _: Scope) -> Value:
        return Value("text", node.text)

    def _number(self, node: Node, _: Scope) -> Value:
        return Value("number", node.text)

    def _null(self, node: Node, _: Scope) -> Value:
        return Value("null", node.text)

    def _var(self, node: Node, scope: Scope) -> Value:
        variable = VARIABLE.fullmatch(node.text) is not None
        return scope.find(node.text) or (self.read(node.text, node) if variable else Value())

    def _name(self, node: Node, scope: Scope) -> Value:
        known = "env" if self.idioms.named("environments", node.text) else "external"
        return self._hinted(scope.find(node.text) or Value(known, node.text), node)

    def _member(self, node: Node, scope: Scope) -> Value:
        return self._hinted(self.get(self.visit(node.parts[0], scope), node.text, node), node)

    def _hinted(self, value: Value, node: Node) -> Value:
        """A value, or the connection that a name out of sight says that it is."""
        if value.reads or value.kind not in ("unknown", "external") or not self.names.hint.match(node.text):
            return value
        kind = "client" if "client" in node.text.lower() else "database"
        return Value(kind, node.text, tuple(self.names.across))

    def _index(self, node: Node, scope: Scope) -> Value:
        owner, key = (self.visit(part, scope) for part in (node.parts * 2)[:2])
        if owner.kind == "env":
            return self.key(key, node)
        if owner.kind == "filtered":
            self.first_of((name for each in owner.items.values() for name in each.reads), node)
            return Value("each", reads=joined(owner.items.values()).reads, items=owner.items)
        if key.text in owner.items:
            return owner.items[key.text]
        return connections.subscript(self, owner, key, node)

    def _template(self, node: Node, scope: Scope) -> Value:
        values = [self.visit(part, scope) for part in node.parts]
        texts = [each.text if each.kind in ("text", "template") else "{}" for each in values]
        reads = tuple(dict.fromkeys(name for each in values for name in each.reads))
        if CONNECTION.search("".join(texts)):
            for name in reads:
                self.event("opens", node, name)
        kind = "text" if all(each.kind == "text" for each in values) else "template"
        if len(values) == 1 and reads:
            return values[0]
        return Value(kind, "".join(texts), reads, whole=any(each.whole for each in values))

    def _or(self, node: Node, scope: Scope) -> Value:
        left, right = (self.visit(part, scope) for part in node.parts[:2])
        self.stand_in(left, right, node.parts[1])
        return joined((left, right))

    def _and(self, node: Node, scope: Scope) -> Value:
        return [self.visit(part, scope) for part in node.parts][-1]

    def _fill(self, node: Node, scope: Scope) -> Value:
        value = self._or(node, scope)
        self.target(node.parts[0], value, scope)
        return value

    def _test(self, node: Node, scope: Scope) -> Value:
        missing, present = self.absent(node, scope)
        return Value("bool", "empty" if missing else "", missing or present)

    _not = _same = _differs = _in = _outside = _more = _test

    def _object(self, node: Node, scope: Scope) -> Value:
        items: dict[str, Value] = {}
        environment = False
        for at, part in enumerate(node.parts):
            if part.kind == "pair":
                items[part.text] = self._entry(part, scope)
            elif part.kind == "spread" and part.parts:
                value = self.visit(part.parts[0], scope)
                if value.kind == "env":
                    environment = True
                    for name, default in items.items():
                        self.stand_in((name,), default, part)
                    items = {}
                items |= value.items
            else:
                value = self.visit(part, scope)
                items[value.text if part.kind == "function" and value.text else str(at)] = value
        calls.declared(Call(self, "", Value(), [], {}, node), items)
        reads = tuple(dict.fromkeys(name for each in items.values() for name in each.reads))
        if node.text:  # a Go struct, whose methods see what any of it holds
            self.structs.setdefault(node.text, Value("object")).items |= items
        return Value("env" if environment else "object", reads=reads, items=items)

    def _entry(self, node: Node, scope: Scope) -> Value:
        """An object's entry; under a variable's name is what a schema says of the variable."""
        before, self.entry = self.entry, node.text if self.names.counts(node.text) else self.entry
        value = self.visit(node.parts[0], scope) if node.parts else Value()
        counts = self.names.counts(node.text) and value.kind in ("spec", "object", "schema")
        for key in self.idioms.plain("default_keys") & value.items.keys() if counts else ():
            self.stand_in((node.text,), value.items[key], node)
        self.entry = before
        return value

    def _pair(self, node: Node, scope: Scope) -> Value:
        return self._entry(node, scope)

    def _call(self, node: Node, scope: Scope) -> Value:
        return calls.call(self, node, scope)

    _new = _call

    def _function(self, node: Node, scope: Scope) -> Value:
        value = Value("function", node=node, scope=scope)
        if node.text:
            scope.names[node.text] = value
        self.pending.append((value, self.module))
        return value

    # Statements

    def _block(self, node: Node, scope: Scope) -> Value:
        for part in node.parts:
            if part.kind == "function" and part.text and part.text not in scope.names:
                scope.names[part.text] = Value("function", node=part, scope=scope)
        before = self.gone, self.weak
        value = Value()
        for part in node.parts:
            value = self.visit(part, scope)
            if part.kind in ("call", "new") and self.gone and value.kind != "stop":
                self.stand_in(self.gone, value, part, literals=False)
            last = part.parts[-1] if part.kind == "block" and part.parts else part
            if last.kind == "if" and len(last.parts) == 2 and self._ends(last.parts[1], scope):
                self.gone = (*self.gone, *self.absent(last.parts[0], scope)[1])
        self.gone, self.weak = before
        return value

    def _assign(self, node: Node, scope: Scope) -> Value:
        target, *rest = node.parts
        if not rest:
            self.target(target, Value(), scope, fresh=True)
            return Value()
        previous = scope.find(target.text) if target.kind in ("name", "var", "text") else None
        if target.kind == "member":
            previous = self.visit(target.parts[0], scope).items.get(target.text)
        value = self.visit(rest[-1], scope)
        if self.gone:
            same = previous is not None and bool(set(previous.reads) & set(self.gone))
            self.stand_in(self.gone, value, node, literals=same)
        overridden = previous if set(value.reads) & set(self.present) else None
        if overridden is not None and (overridden.reads or overridden.text):  # it stays where one is missing
            self.stand_in(self.present, overridden, node, literals=value.whole)
        self.target(target, value, scope)
        return Value() if self.gone else value  # what stands in was judged above

    def _return(self, node: Node, scope: Scope) -> Value:
        value = self.visit(node.parts[0], scope) if node.parts else Value("null")
        if value.kind == "object" and _fails(node):
            value = Value("stop")
        if self.returned:
            self.returned[-1].append((value, () if self.weak else self.gone, node.line))
        self.stand_in(self.gone, value, node, literals=False)
        return Value("null")

    def _throw(self, node: Node, scope: Scope) -> Value:
        with self.quietly():
            for part in node.parts:
                self.visit(part, scope)
        return Value("stop")

    def _if(self, node: Node, scope: Scope) -> Value:
        test, *branches = node.parts
        self.listed = ()
        gone = self.absent(test, scope)
        listed, values = self.listed, []
        if len(listed) > 1 and branches and self._ends(branches[0], scope) in ("return", "break"):
            self.first_of(listed, test)
        before, self.present = self.present, gone[1] if len(branches) == 1 else ()
        for missing, branch in zip(gone, branches, strict=False):
            if self._ends(branch, scope) == "throw":
                with self.quietly():
                    values.append(self.visit(branch, scope))
                continue
            with self.without(missing):
                values.append(self.visit(branch, scope))
        self.present = before
        for missing, value, other in zip(gone, values, [*values[1:], *values[:1]], strict=False):
            kept = len(values) > 1 and other.whole and set(other.reads) & set(missing)
            self.stand_in(missing, value, node, literals=bool(kept))
        return joined(values)

    def absent(self, node: Node, scope: Scope) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The variables that are missing where a condition holds, and where it does not."""
        kind, parts = node.kind, node.parts
        if kind in ("test", "block") and len(parts) == 1:
            return self.absent(parts[0], scope)
        if kind == "not" and parts:
            return self.absent(parts[-1], scope)[::-1]
        if kind in ("and", "or", "block", "test") and parts:
            both = [self.absent(part, scope) for part in parts]
            return tuple(n for one, _ in both for n in one), tuple(n for _, one in both for n in one)
        compared = kind in ("same", "differs", "in", "outside", "more")
        values = [self.visit(part, scope) for part in parts] if compared else []
        if kind in ("in", "outside") and len(values) > 1:
            named = values[1].kind == "env" or self.names.counts(values[0].text)
            found = self.key(values[0], node) if named else Value()
            self.listed = found.reads if found.kind == "each" else self.listed
            return ((), found.reads) if kind == "in" else (found.reads, ())
        if values:
            nothing = compares_with_nothing(values)
            reads = next((each for each in values if each.reads), Value())
            self.listed = reads.reads if reads.kind == "each" else self.listed
            present = reads.reads if nothing or kind == "more" else ()
            error = any(re.match(r"(?i)err", part.text) for part in parts if part.kind == "name")
            return (present, ()) if (kind == "same") is not error else ((), present)
        value = self.visit(node, scope)
        self.listed = value.reads if value.kind == "each" else self.listed
        return (value.reads, ()) if value.text == "empty" else ((), value.reads)

    def _ends(self, node: Node, scope: Scope) -> str:
        """How a branch ends: by `throw`, `return` or `break`, "" where the code behind it runs."""
        if node.kind in ("throw", "break"):
            return node.kind
        if node.kind == "return":
            return "throw" if _fails(node) else "return"
        if node.kind == "call" and node.parts and self.idioms.named("stops", path_of(node.parts[0], scope)):
            return "throw"
        return self._ends(node.parts[-1], scope) if node.kind == "block" and node.parts else ""

    def _try(self, node: Node, scope: Scope) -> Value:
        body, *others = node.parts
        before, self.trace = self.trace, []
        values = [self.visit(body, scope)]
        wanted = tuple(name for name in dict.fromkeys(self.trace) if self.names.counts(name))
        self.trace = [*before, *self.trace]
        for each in others:
            if each.kind != "catch":
                self.visit(each, scope)
                continue
            inside = each.parts[-1] if each.parts else each
            if self._ends(inside, scope) == "throw":
                with self.quietly():
                    self.visit(inside, scope)
                continue
            with self.without(wanted, weak=True):
                value = self.visit(inside, scope)
                self.stand_in(wanted, value, each, literals=False)
                values.append(value)
        return joined(values)

    def _loop(self, node: Node, scope: Scope) -> Value:
        target, over, *body = node.parts
        value = self.visit(over, scope)
        items = value.items if value.kind in ("object", "filtered") else {}
        reads = joined(items.values()).reads if items else ()
        each = joined(items.values()) if items else Value()
        if len(items) > 1:
            each = Value("each", reads=reads, whole=True, items=items)
        if target.kind == "object" and node.parts[1:] and len(target.parts) > 1:
            target = target.parts[-1]
        self.target(target, each, scope, fresh=True)
        for part in body:
            self.visit(part, scope)
        return Value()

    def _comprehension(self, node: Node, scope: Scope) -> Value:
        *clauses, body = node.parts
        inner = Scope(scope, scope.module)
        target, over = clauses[0].parts[:2] if clauses and clauses[0].kind == "loop" else (body, body)
        value = self.visit(over, scope)
        found = []
        for item in list(value.items.values())[:20] or [Value()]:
            self.target(target, item, inner, fresh=True)
            for test in clauses[1:]:
                self.absent(test, inner)
            found.append(self.visit(body, inner))
        listed = {str(at): each for at, each in enumerate(found)}
        return Value("filtered" if len(clauses) > 1 else "object", items=listed)

    def _class(self, node: Node, scope: Scope) -> Value:
        return classes.class_of(self, node, scope)

    def _alias(self, node: Node, scope: Scope) -> Value:
        name, origin = (part.text for part in node.parts)
        value = self.module_of(origin, name)
        if name == "*":
            scope.names.update(value.items)
        else:
            scope.names[node.text] = value
        return value

    def _tag(self, node: Node, _: Scope) -> Value:
        return classes.tag(self, node)


def _fails(node: Node) -> bool:
    """Whether a Go function returns an error here."""
    values = node.parts[0].parts if node.parts and node.parts[0].kind == "object" else ()
    last = values[-1] if values else Node("null", 0)
    named = last.parts[0] if last.kind == "call" and last.parts else last
    path = named.text + "".join(each.text for each in named.parts)
    return last.kind in ("call", "name") and re.search(r"(?i)err", path) is not None
