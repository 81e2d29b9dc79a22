"""The table of idioms: how libraries read variables, fall back, stop and reach MongoDB; `guards.yaml` adds to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any


class IdiomsInvalid(ValueError):
    """A team's table says something that no guard reads; the message says what."""


@dataclass(frozen=True)
class Exclusion:
    """Paths that a tree's own file leaves out and why, of some guards or (where none is named) of all."""

    paths: str
    why: str
    guards: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Idioms:
    """The table by its keys, and what a tree's own file leaves out."""

    table: Mapping[str, Any]
    excluded: tuple[Exclusion, ...] = ()
    _known: dict[tuple[str, str], bool] = field(default_factory=dict, repr=False)

    @cached_property
    def _lists(self) -> dict[str, tuple[frozenset[str], tuple[re.Pattern[str], ...]]]:
        found = {}
        for key, listed in self.table.items():
            texts = [each for each in listed if isinstance(each, str)]
            patterns = [each[1:].rpartition("/") for each in texts if each.startswith("/")]
            compiled = tuple(re.compile(p, re.IGNORECASE if flag else 0) for p, _, flag in patterns)
            found[key] = (frozenset(each for each in texts if not each.startswith("/")), compiled)
        return found

    def named(self, key: str, path: str) -> bool:
        """Whether a list names a path, by the whole of it or by its end."""
        known = self._known.get((key, path))
        if known is not None:
            return known
        plain, patterns = self._lists[key]
        parts = path.split(".")
        ends = (".".join(parts[at:]) for at in range(len(parts)))
        found = any(end in plain for end in ends) or any(pattern.search(path) for pattern in patterns)
        self._known[key, path] = found
        return found

    def plain(self, key: str) -> frozenset[str]:
        """A list's names."""
        return self._lists[key][0]


def read_idioms(added: Path | None = None) -> Idioms:
    """The table, with what a team's `guards.yaml` adds to it and leaves out. Raises IdiomsInvalid, OSError."""
    table = dict(_table())
    if added is None or not added.is_file():
        return _own()
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        more = YAML(typ="safe").load(added.read_text(encoding="utf-8")) or {}
        listed = more.pop("exclude", [])
        given = [(each["paths"], each["why"], tuple(each.get("guards", ()))) for each in listed]
    except (YAMLError, TypeError, KeyError, AttributeError) as error:
        why = f"{added}: {type(error).__name__}; `exclude` is a list of paths and why"
        raise IdiomsInvalid(why) from None
    for key, listed in more.items():
        known = table.get(key)
        if known is None or not isinstance(listed, type(known)):
            raise IdiomsInvalid(f"{added}: {key} is no list of idioms; known are {', '.join(table)}")
        table[key] = [*known, *listed] if isinstance(listed, list) else {**known, **listed}
    return Idioms(table, tuple(Exclusion(*each) for each in given))


@lru_cache
def _table() -> Mapping[str, Any]:
    from ruamel.yaml import YAML

    text = resources.files(__package__).joinpath("idioms.yaml").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = YAML(typ="safe").load(text)
    return loaded


@lru_cache
def _own() -> Idioms:
    return Idioms(_table())
