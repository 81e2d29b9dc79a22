"""What Python code reads through the reference connection, by its syntax tree.

Pure. Names are followed from the variable, or from a function that opens the connection, to databases and collections.
It cannot see a connection that a function is handed under a name that does not say so, or a pipeline in a variable.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

HANDLE = re.compile(r"(?i)^_?(?:get_?)?ref(?:erence)?_?(?:db|database|client|conn|connection|pool|mongo)s?$")
"""A name that says what it holds, also where it is imported from elsewhere."""

STAGES = frozenset({"from", "$unionWith", "coll", "$out", "$merge", "into"})
"""Keys of a pipeline that name another collection (MongoDB manual, aggregation stages)."""

METHODS = frozenset(
    {
        "admin", "aggregate", "client", "close", "codec_options", "command", "create_collection", "cursor_command",
        "dereference", "drop_collection", "drop_database", "get_collection", "get_database", "get_default_database",
        "list_collection_names", "list_collections", "list_database_names", "list_databases", "name", "read_concern",
        "read_preference", "server_info", "start_session", "topology_description", "validate_collection", "watch",
        "with_options", "write_concern",
    }
)  # fmt: skip
"""Members of a client or database that are no collections (PyMongo)."""

_DATABASES = frozenset({"get_database", "get_default_database"})


def functions_in_python(tree: ast.Module, variable: str) -> frozenset[str]:
    """The module's functions that speak of the variable: they open the connection."""
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _speaks_of(node, variable)
    )


def reads_in_python(tree: ast.Module, variable: str, openers: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Line and name of every collection that is reached; the name is empty when the code does not tell."""
    reader = _Reader(tree, variable, openers)
    for node in ast.walk(tree):
        yield from reader.at(node)


class _Reader:
    def __init__(self, tree: ast.Module, variable: str, openers: frozenset[str]) -> None:
        self._variable, self._openers = variable, openers
        self._texts = {
            target.id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        self._clients: set[str] = set()
        self._databases: set[str] = set()
        self._collections: set[str] = set()
        for _ in range(3):
            for node in ast.walk(tree):
                match node:
                    case (
                        ast.Assign(targets=[target], value=value)
                        | ast.AnnAssign(target=target, value=ast.expr() as value)
                        | ast.NamedExpr(target=target, value=value)
                    ):
                        self._remember(target, value)
                    case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                        self._remember(target, value)
                    case _:
                        pass

    def at(self, node: ast.AST) -> Iterator[tuple[int, str]]:
        """The collection that a node reaches, if it does."""
        match node:
            case ast.Subscript(value=value, slice=key) if self._is_database(value):
                yield node.lineno, self._text(key)
            case ast.Attribute(value=value, attr=name) if self._is_database(value) and name not in METHODS:
                yield node.lineno, name
            case ast.Call(func=ast.Attribute(value=value, attr="get_collection"), args=[key, *_]) if (
                self._is_database(value)
            ):
                yield node.lineno, self._text(key)
            case ast.Call(func=ast.Attribute(value=value, attr="aggregate")) if self._is_collection(value):
                yield from self._stages(node)
            case _:
                pass

    def _stages(self, call: ast.Call) -> Iterator[tuple[int, str]]:
        for each in ast.walk(call):
            if isinstance(each, ast.Dict):
                for key, value in zip(each.keys, each.values, strict=True):
                    if (
                        isinstance(key, ast.Constant)
                        and key.value in STAGES
                        and not isinstance(value, ast.Dict)
                    ):
                        yield value.lineno, self._text(value)

    def _remember(self, target: ast.expr, value: ast.expr) -> None:
        name = _name(target)
        if not name:
            return
        if self._is_collection(value):
            self._collections.add(name)
        elif self._is_database(value) and not self._is_client(value):
            self._databases.add(name)
        elif self._is_client(value):
            self._clients.add(name)

    def _is_client(self, node: ast.expr) -> bool:
        """A client, or anything made from the variable."""
        match node:
            case ast.Await(value=value):
                return self._is_client(value)
            case ast.Name() | ast.Attribute(value=ast.Name(id="self")) if _name(node) in self._clients:
                return True
            case ast.Call(func=ast.Attribute(value=value)) if self._is_client(value):
                return False
            case ast.Call(func=func, args=arguments):
                made = _name(func)[:1].isupper() or _name(func).rpartition(".")[2] in (
                    "connect",
                    "getenv",
                    "get",
                )
                return made and (
                    _speaks_of(node, self._variable) or any(self._is_client(each) for each in arguments)
                )
            case ast.Subscript(value=ast.Attribute(attr="environ")):
                return _speaks_of(node, self._variable)
            case _:
                return (
                    "client" in _name(node).lower()
                    and HANDLE.match(_name(node).rpartition(".")[2]) is not None
                )

    def _is_database(self, node: ast.expr) -> bool:
        match node:
            case ast.Await(value=value):
                return self._is_database(value)
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in _DATABASES:
                return self._is_client(value) or self._is_database(value)
            case ast.Call(func=func):
                called = _name(func).rpartition(".")[2]
                return called in self._openers or (
                    HANDLE.match(called) is not None and "client" not in called.lower()
                )
            case ast.Subscript(value=value):
                return self._is_client(value) and not isinstance(value, ast.Subscript)
            case ast.Attribute(value=value, attr=name) if self._is_client(value) and name not in METHODS:
                return True
            case ast.Name() | ast.Attribute():
                last = _name(node).rpartition(".")[2]
                named = (
                    HANDLE.match(last) is not None
                    and "client" not in last.lower()
                    and not last.startswith("get")
                )
                return _name(node) in self._databases or (named and _name(node) not in self._clients)
            case _:
                return False

    def _is_collection(self, node: ast.expr) -> bool:
        match node:
            case ast.Subscript(value=value):
                return self._is_database(value)
            case ast.Attribute(value=value, attr=name) if self._is_database(value) and name not in METHODS:
                return True
            case ast.Call(func=ast.Attribute(value=value, attr="get_collection")):
                return self._is_database(value)
            case _:
                return _name(node) in self._collections

    def _text(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name):
                return self._texts.get(name, "")
            case _:
                return ""


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            inner = _name(value)
            return f"{inner}.{name}" if inner else ""
        case _:
            return ""


def _speaks_of(node: ast.AST, variable: str) -> bool:
    return any(
        (isinstance(each, ast.Constant) and each.value == variable)
        or (isinstance(each, ast.Attribute) and each.attr == variable)
        or (isinstance(each, ast.Name) and each.id == variable)
        for each in ast.walk(node)
    )
