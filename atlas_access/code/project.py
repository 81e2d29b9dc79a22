"""A source tree's code, evaluated once for all guards: what was observed in each file, and what could not be parsed.

Pure. Imports between the tree's files are followed; a file is evaluated when a guard or another file asks for it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from atlas_access.code.config_text import in_config
from atlas_access.code.flow import Flow
from atlas_access.code.idioms import Idioms
from atlas_access.code.language import CODE, SCRIPT, Language, SourceFile, script_of
from atlas_access.code.names import Names
from atlas_access.code.syntax import Node, lowered
from atlas_access.code.trees import first_error, parse
from atlas_access.code.values import Event, Module, Scope

if TYPE_CHECKING:
    from tree_sitter import Node as Syntax

_ENDINGS = (
    "", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", "/index.ts", "/index.tsx", "/index.js", ".py", "/__init__.py",
)  # fmt: skip


class Project:
    """The files of a tree; `speaking` are those that may name a variable or a connection."""

    def __init__(self, files: Sequence[SourceFile], names: Names, idioms: Idioms) -> None:
        self.names = names
        self.idioms = idioms
        plain = [each for each in files if not each.binary]
        self.speaking = [each for each in plain if each.speaks and each.language is not Language.OTHER]
        self._files = {each.path: each for each in plain if each.language in CODE}
        self._modules: dict[str, Module] = {}
        self._packages: dict[str, Scope] = {}
        self._roots: dict[str, Syntax] = {}
        self._trees: dict[str, tuple[Node, int]] = {}

    @cached_property
    def _observed(self) -> Mapping[str, frozenset[Event]]:
        flow = Flow(self.names, self.idioms, self._imported)
        self._flow = flow
        for _ in range(2):  # the second time, the default connection and the functions with callers are known
            self._modules = {}
            flow.results.clear()
            for each in self.speaking:
                if each.language in CODE:
                    self._module(each.path)
            kinds = {event.kind for module in self._modules.values() for event in module.events}
            if not flow.default.reads and not flow.structs and not kinds & {"hidden", "collection"}:
                break
        found = {path: frozenset(module.events) for path, module in self._modules.items()}
        for each in self.speaking:
            if each.language not in CODE:
                found[each.path] = frozenset(in_config(each, flow))
        return found

    def events(self, path: str, *kinds: str) -> list[Event]:
        """What was observed in a file, of these kinds, by line."""
        return sorted(each for each in self._observed.get(path, ()) if each.kind in kinds)

    def error(self, path: str) -> int:
        """The line of a file's first mistake, 0 where it could be parsed."""
        return self._tree(path)[1] if path in self._files else 0

    def root(self, file: SourceFile) -> Syntax:
        """A file's syntax tree."""
        if file.path not in self._roots:
            self._roots[file.path] = parse(script_of(file), file.language.value)
        return self._roots[file.path]

    def _tree(self, path: str) -> tuple[Node, int]:
        if path not in self._trees:
            root = self.root(self._files[path])
            self._trees[path] = lowered(root), first_error(root)
        return self._trees[path]

    def _module(self, path: str) -> Module:
        if path in self._modules:
            return self._modules[path]
        language = self._files[path].language
        self._modules[path] = module = Module(path, language in SCRIPT)
        package = None
        if language is Language.GO:
            package = self._packages.setdefault(posixpath.dirname(path), Scope())
        module.scope.parent = package
        outer = self._flow.state()
        try:
            self._flow.run(module, self._tree(path)[0])
        except RecursionError:
            self._trees[path] = Node("block", 1), 1  # nested too deeply: as a file that cannot be parsed
        self._flow.restore(outer)
        if package is not None:  # its files see each other's names
            package.names.update(module.scope.names)
        return module

    def _imported(self, path: str, origin: str) -> Module | None:
        language = self._files[path].language
        for base in _bases(path, origin, language):
            for ending in _ENDINGS:
                found = posixpath.normpath(base + ending)
                if found in self._files and found != path:
                    return self._module(found)
        return None


def _bases(path: str, origin: str, language: Language) -> list[str]:
    """The paths that an import may lead to, without their endings."""
    folder = posixpath.dirname(path)
    above = [folder]
    while above[-1]:
        above.append(posixpath.dirname(above[-1]))
    if language is Language.PYTHON:
        dots = len(origin) - len(origin.lstrip("."))
        inner = origin.lstrip(".").replace(".", "/")
        within = above[dots - 1 : dots] or above
        return [posixpath.join(each, inner) for each in (within if dots else above)]
    if language not in SCRIPT:
        return []
    if origin.startswith("."):
        plain = posixpath.join(folder, origin)
        return [plain, plain.removesuffix(".js"), plain.removesuffix(".mjs")]
    if origin.startswith(("@/", "~/", "src/")):
        inner = origin.partition("/")[2]
        return [posixpath.join(each, kind, inner) for each in above for kind in ("", "src", "app")]
    return []
