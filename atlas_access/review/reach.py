"""Effective privileges as sets and in words: what is reached, what is gained, on which class of data. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from atlas_access.manifest import DataClass, Manifest, declared_privileges
from atlas_access.privileges import Privilege, Privileges, display_name
from atlas_access.review.matrix import DEFINITION, INDEXES, QUIET

_DATA = ("FIND", "INSERT", "UPDATE", "REMOVE")
_CLASSES = (DataClass.PHI, DataClass.PII, DataClass.PUBLIC)
_SHOWN = 6
"""Collections that a sentence names; a longer list says how many more."""


def reach(manifest: Manifest | None, user: str) -> Privileges:
    """What a user effectively holds, built-in roles expanded; nothing for a user that is not declared.

    A privilege on one collection is left out where the user holds the same one on the whole database.
    """
    if manifest is None or user not in {each.name for each in manifest.users}:
        return frozenset()
    held = declared_privileges(manifest, user)
    return frozenset(each for each in held if not _wider(each) & held)


def beyond(some: Privileges, others: Privileges) -> Privileges:
    """Those of `some` that `others` do not include."""
    return frozenset(each for each in some if each not in others and not _wider(each) & others)


def _wider(each: Privilege) -> Privileges:
    """The privilege on the whole database that includes one on a collection."""
    if not each.collection or each.collection.startswith("system."):
        return frozenset()
    return frozenset({Privilege(each.database, "", each.action)})


def in_words(privileges: Privileges, kept: Privileges, manifest: Manifest, cluster: str) -> str:
    """`INSERT on agents and admins (pii)`, by places; `kept` is what is held before and after."""
    by_places: dict[str, set[str]] = {}
    for action in {each.action for each in privileges}:
        same = frozenset(each for each in privileges if each.action == action)
        left = frozenset(each for each in kept if each.action == action)
        by_places.setdefault(_places(same, left, manifest, cluster), set()).add(action)
    groups = sorted(by_places.items(), key=lambda each: (_order(each[1]), each[0]))
    named = [(", ".join(_actions(actions)), places) for places, actions in groups if places]
    loud = [each for each in named if each[0] != _OUTLINE] or named
    return "; ".join(f"{actions} on {places}" for actions, places in loud) or "system collections alone"


_OUTLINE = "LIST and other reads of the outline"


def _actions(actions: Iterable[str]) -> Iterator[str]:
    """The data actions, then the rest by kind: a built-in role has more actions than a sentence holds."""
    held = set(actions)
    names = {display_name(each) for each in held}
    yield from (each for each in _DATA if each in names)
    data = {each for each in held if display_name(each) in _DATA}
    rest = held - data
    for kind, words in ((INDEXES, "change indexes"), (DEFINITION, "change definitions")):
        some = sorted(rest & kind)
        yield from [words] if len(some) > 1 else map(display_name, some)
        rest -= kind
    yield from sorted(map(display_name, rest - QUIET))
    if rest and not held - QUIET:
        yield display_name(min(rest)) if len(rest) == 1 else _OUTLINE


def _order(actions: set[str]) -> int:
    """Writes first, then reads, then everything else."""
    names = {display_name(each) for each in actions}
    return 0 if names & set(_DATA[1:]) else 1 if "FIND" in names else 2


def _places(some: Privileges, kept: Privileges, manifest: Manifest, cluster: str) -> str:
    parts = []
    for database in sorted({each.database for each in some}):
        mine = {each.collection for each in some if each.database == database}
        there = [each for each in manifest.collections if each.database == database]
        here = [each for each in there if cluster in each.on]
        exempt = {each.collection for each in kept if each.database == database}
        reached = [each.name for each in here if each.name not in exempt]
        classes = {each.data_class for each in here if "" in mine and each.name not in exempt}
        classes |= {each.data_class for each in there if each.name in mine}
        if "" in mine:
            exempt &= {each.name for each in here}
            words = f"every collection of {database}"
            if exempt and len(exempt) <= len(reached):
                words += f" except {listed(sorted(exempt))}"
            elif exempt:
                words = f"{listed(reached)} and undeclared collections of {database}"
        else:
            names = sorted(each for each in mine if not each.startswith("system."))
            words = listed(names if database == manifest.database else [f"{database}.{n}" for n in names])
        shown = ", ".join(each for each in _CLASSES if each in classes)
        parts += [f"{words} ({shown})" if shown else words] if words else []
    return " and ".join(parts)


def listed(names: Iterable[str]) -> str:
    """`a, b and c`; a long list says how many more."""
    each = list(names)
    if len(each) > _SHOWN:
        return f"{', '.join(each[:_SHOWN])} and {len(each) - _SHOWN} more"
    return " and ".join(filter(None, (", ".join(each[:-1]), *each[-1:])))
