"""The thin layer over tree-sitter: a text's syntax tree by the name of a grammar, its leaves, lines and mistakes.

Pure. A grammar is loaded when it is first needed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tree_sitter
    from tree_sitter import Node as Syntax


def parse(text: str, grammar: str) -> Syntax:
    """The root of a text's syntax tree; what does not fit the grammar is a node `ERROR` of the tree."""
    return _parser(grammar).parse(text.encode("utf-8", "surrogatepass")).root_node


@lru_cache
def _parser(grammar: str) -> tree_sitter.Parser:
    import tree_sitter

    module = import_module("tree_sitter_typescript" if grammar == "tsx" else f"tree_sitter_{grammar}")
    made = getattr(module, f"language_{grammar}", None) or module.language
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a grammar that was made for an older binding
        return tree_sitter.Parser(tree_sitter.Language(made()))


def text_of(node: Syntax | None) -> str:
    """What the source says here."""
    return "" if node is None or node.text is None else node.text.decode(errors="replace")


def line_of(node: Syntax) -> int:
    """The line where a part of the text begins, from 1."""
    return node.start_point[0] + 1


def leaves(root: Syntax) -> Iterator[Syntax]:
    """Every part that has none of its own, comments left out, in the order of the text."""
    pending = [root]
    while pending:
        each = pending.pop()
        if "comment" in each.type:
            continue
        if each.child_count == 0:
            yield each
        pending += reversed(each.children)


def comments(root: Syntax) -> Iterator[tuple[int, int]]:
    """Where each comment begins and ends, in bytes."""
    pending = [root]
    while pending:
        each = pending.pop()
        if "comment" in each.type:
            yield each.start_byte, each.end_byte
        pending += each.children


def first_error(root: Syntax) -> int:
    """The line of the first part that does not fit the grammar, 0 where all does."""
    pending = [root] if root.has_error else []
    while pending:
        each = pending.pop(0)
        if each.is_error or each.is_missing:
            return line_of(each)
        pending += [child for child in each.children if child.has_error or child.is_missing]
    return 0
