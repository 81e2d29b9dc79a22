"""Decides what a deployment does to a resource, and in which order, by the rules of Pulumi's engine. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sandbox.engine.state import Resource
from sandbox.engine.values import Properties, bare


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


def fed_by(root: Resource, resources: Sequence[Resource]) -> list[Resource]:
    """The resources with an input that was computed from an output of `root`."""
    return [
        item
        for item in resources
        if item.provider_urn == root.urn
        or any(root.urn in urns for urns in item.property_dependencies.values())
    ]


def _predecessors(item: Resource, position: int, resources: Sequence[Resource]) -> set[int]:
    needs = item.needs() | {item.parent}
    return {id(earlier) for earlier in resources[:position] if earlier.urn in needs}


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
    """Copies of `resources` without dependencies on missing ones."""
    kept: list[Resource] = []
    present: set[str] = set()
    for item in resources:
        named = {
            key: tuple(urn for urn in urns if urn in present)
            for key, urns in item.property_dependencies.items()
        }
        kept.append(
            item.copy(
                dependencies=tuple(urn for urn in item.dependencies if urn in present),
                property_dependencies={key: urns for key, urns in named.items() if urns},
            )
        )
        present.add(item.urn)
    return kept
