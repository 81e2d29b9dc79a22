"""A tree as git tracks it: tracked files only, and every one of them, also where a walk does not look.

A tracked file below a tool's folder is read by its name. What is tracked and not there, or lies in a folder that cannot
be read, is not judged.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fnmatch import fnmatch
from pathlib import Path

from atlas_access.guards.source import Tree, read_named, shown


def as_tracked(tree: Tree, root: Path, tracked: Collection[str], excluded: Sequence[str]) -> Tree:
    """Return `tree`, read from `root`, with what git tracks; `excluded` are the patterns that it was read with."""
    names = {shown(name): name for name in tracked}
    names = {path: name for path, name in names.items() if not left_out(path, excluded)}
    closed = tuple(note.place.path for note in tree.notes if note.place.path.endswith("/"))
    more = read_named(
        root,
        [name for path, name in names.items() if path not in tree.observed and not path.startswith(closed)],
    )
    wanted = {*names, *(folder for folder in closed if any(path.startswith(folder) for path in names))}
    return Tree(
        files=tuple(each for each in (*tree.files, *more.files) if each.path.partition("!")[0] in wanted),
        notes=tuple(note for note in (*tree.notes, *more.notes) if note.place.path in wanted),
        count=len(names),
        packed=tuple(note for note in (*tree.packed, *more.packed) if note.place.path in wanted),
        observed=tree.observed | more.observed,
    )


def left_out(path: str, excluded: Sequence[str]) -> bool:
    """Whether a pattern leaves out a path, or a folder above it."""
    if not excluded:
        return False
    parts = path.split("/")
    above = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    return any(fnmatch(each, pattern) for each in above for pattern in excluded)
