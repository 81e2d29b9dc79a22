"""Decides what a deployment does to a resource, and in which order, by the rules of Pulumi's engine. Pure."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.engine.state import Resource
from sandbox.values import Properties, bare


@dataclass(frozen=True)
class Diff:
    """A provider's answer: whether anything differs, and which properties force a replacement."""

    changes: bool
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


SAME = Diff(changes=False)


def input_diff(old: Properties, new: Properties) -> Diff:
    """The diff where a provider gives none: the properties whose values differ, secret or not."""
    return Diff(changes=any(bare(old.get(key)) != bare(new.get(key)) for key in {*old, *new}))


def keep_ignored(new: Properties, old: Properties, ignore: Collection[str]) -> Properties:
    """`new` inputs with the ignored properties as they were: changed back, added or left out."""
    kept = {key: value for key, value in new.items() if key not in set(ignore)}
    return {**kept, **{key: old[key] for key in ignore if key in old}}


def decide(old: Resource, diff: Diff) -> str:
    """same, update or replace, for a resource that exists."""
    if diff.changes or old.pending_replacement:
        return "replace" if diff.replaces or old.pending_replacement else "update"
    return "update" if old.init_errors else "same"


def dependents(
    root: Resource,
    resources: Sequence[Resource],
    skip: Collection[str],
    must_go: Callable[[Resource, set[str]], bool],
) -> list[Resource]:
    """What has to be deleted before `root` is, in order of creation.

    `must_go(resource, doomed)` says whether a resource that depends on doomed URNs would itself be replaced; `skip`
    names what this run has already registered, which therefore cannot depend on `root`.
    """
    position = next((index for index, item in enumerate(resources) if item is root), len(resources))
    reached, doomed, chosen = {root.urn}, {root.urn}, []
    for item in resources[position + 1 :]:
        if item.urn in skip or not item.needs() & reached:
            continue
        reached.add(item.urn)
        if must_go(item, doomed):
            doomed.add(item.urn)
            chosen.append(item)
    return chosen


def _predecessors(item: Resource, position: int, resources: Sequence[Resource]) -> set[int]:
    needs, found = item.needs(), set()
    containers: set[str] = set()
    for index in range(position):
        earlier = resources[index]
        if earlier.urn in needs or earlier.urn == item.parent or earlier.parent in containers:
            found.add(id(earlier))
            if not earlier.custom and earlier.urn in needs | containers:
                containers.add(earlier.urn)
    return found


def delete_order(doomed: Sequence[Resource], resources: Sequence[Resource]) -> list[list[Resource]]:
    """Groups to delete one after the other; what depends on something goes in an earlier group than that."""
    condemned = {id(item): item for item in doomed}
    before = {
        id(item): _predecessors(item, index, resources) & condemned.keys()
        for index, item in enumerate(resources)
        if id(item) in condemned
    }
    groups: list[list[Resource]] = []
    while condemned:
        group = [item for key, item in condemned.items() if not before[key] & condemned.keys()]
        for item in group:
            del condemned[id(item)]
        groups.append(group)
    return groups[::-1]


def needed_by(item: Resource, resources: Sequence[Resource]) -> set[int]:
    """Identities of everything that `item` needs, directly or not: what must stay if `item` could not be deleted."""
    index = {id(entry): position for position, entry in enumerate(resources)}
    found: set[int] = set()
    open_ends = [item]
    while open_ends:
        entry = open_ends.pop()
        for key in _predecessors(entry, index.get(id(entry), len(resources)), resources) - found:
            found.add(key)
            open_ends.append(next(candidate for candidate in resources if id(candidate) == key))
    return found


def without_dangling(resources: Iterable[Resource]) -> list[Resource]:
    """`resources` without references to missing ones, by the rules of Pulumi's engine."""
    kept: list[Resource] = []
    parents: dict[str, str] = {}
    present: set[str] = set()
    for item in resources:
        changes: dict[str, Any] = {}
        if item.parent and item.parent not in present:
            changes["parent"] = parents.get(item.parent, "")
        if any(urn not in present for urn in item.dependencies):
            changes["dependencies"] = tuple(urn for urn in item.dependencies if urn in present)
        named = {
            key: present_urns
            for key, urns in item.property_dependencies.items()
            if (present_urns := tuple(urn for urn in urns if urn in present))
        }
        if named != item.property_dependencies:
            changes["property_dependencies"] = named
        parents[item.urn] = changes.get("parent", item.parent)
        present.add(item.urn)
        kept.append(item.copy(**changes) if changes else item)
    return kept
