"""Fall-backs between variables in Python, by its syntax tree.

Pure. It sees `or`, a default that reads another variable, a conditional, an `if` of which one side assigns or returns
another variable, `next` over a list, and an `except` that reads another variable; names and functions of the module are
followed to the variables that they read. It cannot see one between modules, in a `match`, a loop or a function that is
handed both.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from itertools import pairwise

from atlas_access.guards.variables import NAME, Pairs, is_mongo_variable

_READS = frozenset({"getenv", "get", "pop", "env", "config", "setdefault", "str"})
_Names = Mapping[str, tuple[str, ...]]
_Reads = Callable[[ast.AST], tuple[str, ...]]
"""The variables that a part of the tree reads."""


def pairs_in_python(tree: ast.Module, known: frozenset[str]) -> Pairs:
    """Line, wanted and fallback of every fall-back."""
    names = _followed(tree, known)

    def reads(node: ast.AST) -> tuple[str, ...]:
        return _variables(node, names, known)

    for node in ast.walk(tree):
        match node:
            case ast.BoolOp(op=ast.Or(), values=values):
                yield from _chain(values, reads)
            case ast.Call(args=[first, default, *_]) if _called(node) in _READS:
                yield from _chain([first, default], reads)
            case ast.Call(func=ast.Name(id="next"), args=[choice, *_]):
                yield from _chain(_listed(choice), reads)
            case ast.Call(args=[first], keywords=[*_, ast.keyword(arg="default", value=default)]):
                yield from _chain([first, default], reads)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                wanted = reads(test)
                for side in (body, orelse):
                    yield from _pairs(wanted, reads(side), side)
            case ast.If(test=test, body=body, orelse=orelse):
                yield from _branches(test, body, orelse, reads)
            case ast.Try(body=body, handlers=handlers):
                wanted = tuple(name for each in body for name in reads(each))
                for handler in handlers:
                    yield from _statements(wanted, handler.body, reads)
            case _:
                pass
        for statements in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if isinstance(statements, list):
                yield from _early(statements, reads)


def _early(statements: list[ast.stmt], reads: _Reads) -> Pairs:
    """`if a: return a`, and then `return b`."""
    for first, second in pairwise(statements):
        match first, second:
            case ast.If(test=test, body=[*_, ast.Return()], orelse=[]), ast.Return() if _is_there(test):
                yield from _statements(reads(test), [second], reads)
            case _:
                pass


def _listed(choice: ast.expr) -> list[ast.expr]:
    """The expressions from which `next` takes the first: `(v for v in (a, b) if v)`, `filter(None, (a, b))`."""
    match choice:
        case (
            ast.GeneratorExp(
                generators=[ast.comprehension(iter=ast.Tuple(elts=found) | ast.List(elts=found))]
            )
            | ast.Call(args=[_, ast.Tuple(elts=found) | ast.List(elts=found)])
        ):
            return found
        case _:
            return []


def _is_there(test: ast.expr) -> bool:
    """Whether a test asks that something is there: `a`, `a is not None`, `"A" in os.environ`."""
    match test:
        case ast.Compare(ops=[ast.In() | ast.IsNot()]):
            return True
        case ast.Name() | ast.Call() | ast.Subscript() | ast.Attribute() | ast.NamedExpr():
            return True
        case _:
            return False


def _branches(test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], reads: _Reads) -> Pairs:
    missing = test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else None
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is | ast.NotIn):
        missing = test.left
    if missing is not None:
        yield from _statements(reads(missing), [*body, *orelse], reads)
    elif _is_there(test):
        yield from _statements(reads(test), orelse, reads)


def _statements(wanted: tuple[str, ...], body: list[ast.stmt], reads: _Reads) -> Pairs:
    for statement in body:
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Return) and statement.value is not None:
            yield from _pairs(wanted, reads(statement.value), statement)


def _chain(nodes: list[ast.expr], reads: _Reads) -> Pairs:
    wanted: tuple[str, ...] = ()
    for node in nodes:
        variables = reads(node)
        yield from _pairs(wanted, variables, node)
        wanted = variables[-1:] or wanted


def _pairs(wanted: tuple[str, ...], fallback: tuple[str, ...], node: ast.AST) -> Pairs:
    for first in wanted[:1]:
        for second in fallback:
            if second != first:
                yield getattr(node, "lineno", 0), first, second


def _followed(tree: ast.Module, known: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """The variables behind the names and functions of a module."""
    names: dict[str, tuple[str, ...]] = {}
    naming = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    for _ in range(3):
        for node in naming:
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ):
                    found = _variables(value, names, known)
                    if len(found) == 1:
                        names.setdefault(name, found)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found = tuple(
                        dict.fromkeys(v for each in node.body for v in _variables(each, names, known))
                    )
                    if len(found) == 1:
                        names.setdefault(f"{name}()", found)
                case _:
                    pass
    return names


def _variables(node: ast.AST, names: _Names, known: frozenset[str]) -> tuple[str, ...]:
    """The variables that an expression reads, in the order of the text."""
    found: dict[str, None] = {}
    called = {id(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
    for each in ast.walk(node):
        match each:
            case ast.Constant(value=str(text)) if NAME.fullmatch(text) and is_mongo_variable(text):
                found[text] = None
            case ast.Attribute(attr=name) if NAME.fullmatch(name) and is_mongo_variable(name):
                found[name] = None
            case ast.Name(ctx=ast.Store()):
                pass
            case ast.Name(id=name) if name in known:
                found[name] = None
            case ast.Name(id=name):
                found.update(dict.fromkeys(names.get(f"{name}()" if id(each) in called else name, ())))
            case _:
                pass
    return tuple(found)


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""
