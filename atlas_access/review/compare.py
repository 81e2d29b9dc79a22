"""Compares who reaches what between two manifests: users by cluster, variables by consumer. Pure.

A user that has another name and the same privileges and variables is renamed; the same holds for a variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from atlas_access.manifest import Consumer, Manifest
from atlas_access.privileges import Privileges, atlas_name
from atlas_access.review.declaration import Change, Effect, Part
from atlas_access.review.reach import beyond, in_words, listed, reach

Slot = tuple[str, Consumer, str]
"""An environment, a consumer in it, and the variable that it receives."""

Held = tuple[str, str, str]
"""The user whose credential a variable carries, of which cluster, by which address."""

_K = TypeVar("_K")

_CONSUMERS = {
    Consumer.SERVICE: "the service",
    Consumer.SCHEMA_TASK: "the schema task",
    Consumer.LOCAL: "a developer's machine",
}


def privilege_changes(before: Manifest | None, after: Manifest | None) -> tuple[Change, ...]:
    """Every user and variable whose effective privileges differ; empty exactly if all are equal."""
    pair = _Pair(before, after)
    return (*_users(pair), *_variables(pair))


def user_names(before: Manifest | None, after: Manifest | None) -> Mapping[str, str]:
    """The users that are renamed, old name to new."""
    return _Pair(before, after).names


def renames(before: Manifest | None, after: Manifest | None) -> tuple[Change, ...]:
    """Users and variables that have another name and otherwise nothing new."""
    pair = _Pair(before, after)
    found = [("user", old, new) for old, new in sorted(pair.names.items())]
    found += [("role", old, new) for old, new in _matched(_grants(before), _grants(after)).items()]
    moved = {(old[2], new[2]) for old, new in pair.slots.items()}
    found += [("variable", old, new) for old, new in sorted(moved)]
    same = {
        "user": "the same privileges and variables",
        "role": "the same grants",
        "variable": "the same credential",
    }
    return tuple(
        Change(Part.NAME, Effect.SAME, new, f"the {kind} {old} is renamed {new}: {same[kind]}")
        for kind, old, new in found
    )


def _matched(old: Mapping[_K, object], new: Mapping[_K, object]) -> Mapping[_K, _K]:
    """Old names to new ones, where one is gone and another with an equal value has come."""
    found: dict[_K, _K] = {}
    for name in (each for each in old if each not in new):
        free = (each for each in new if each not in old and each not in found.values())
        match = next((each for each in free if new[each] == old[name]), None)
        if match is not None:
            found[name] = match
    return found


def _grants(manifest: Manifest | None) -> dict[str, object]:
    return {
        role.name: {(grant.action, frozenset(grant.collections)) for grant in role.grants}
        for role in (manifest.roles if manifest else ())
    }


def bindings_of(manifest: Manifest | None, names: Mapping[str, str] = {}) -> dict[Slot, Held]:
    """What each consumer receives; `names` gives users another name."""
    return {
        (each.environment, each.consumer, each.variable): (
            names.get(each.user, each.user),
            each.cluster,
            each.address.value,
        )
        for each in (manifest.bindings if manifest else ())
    }


@dataclass(frozen=True)
class _Pair:
    """Two manifests; `before` and `after` may be None, where there is none."""

    before: Manifest | None
    after: Manifest | None

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The users that are renamed, old to new."""
        old, new = (
            {each.name: _shape(manifest, each.name) for each in (manifest.users if manifest else ())}
            for manifest in (self.before, self.after)
        )
        return _matched(old, new)

    @cached_property
    def bound(self) -> tuple[dict[Slot, Held], dict[Slot, Held]]:
        """What each consumer receives before and after, by the users' new names."""
        return bindings_of(self.before, self.names), bindings_of(self.after)

    @cached_property
    def slots(self) -> Mapping[Slot, Slot]:
        """The variables that are renamed, old to new."""
        old, new = ({slot: (slot[:2], held) for slot, held in bound.items()} for bound in self.bound)
        return _matched(old, new)

    def old_name(self, user: str) -> str:
        return next((old for old, new in self.names.items() if new == user), user)

    def reach(self, user: str, cluster: str) -> tuple[Privileges, Privileges]:
        """What a user, by its new name, reaches on a cluster before and after."""
        was, now = self.before, self.after
        return (
            reach(was, self.old_name(user)) if was and cluster in was.environments else frozenset(),
            reach(now, user) if now and cluster in now.environments else frozenset(),
        )


def _shape(manifest: Manifest | None, user: str) -> object:
    """What makes a user the same under another name: its effective privileges, its clusters, its variables."""
    bound = {slot: held[1:] for slot, held in bindings_of(manifest).items() if held[0] == user}
    return reach(manifest, user), frozenset(manifest.environments if manifest else ()), bound


def _users(pair: _Pair) -> Iterator[Change]:
    """One change for each user and each set of clusters on which the same is gained and lost."""
    was = {pair.names.get(each.name, each.name) for each in (pair.before.users if pair.before else ())}
    now = {each.name for each in (pair.after.users if pair.after else ())}
    places = dict.fromkeys((*_environments(pair.after), *_environments(pair.before)))
    for user in dict.fromkeys(
        (*(each.name for each in (pair.after.users if pair.after else ())), *sorted(was))
    ):
        by_change: dict[tuple[Privileges, Privileges, bool, bool], list[str]] = {}
        for cluster in places:
            held, holds = pair.reach(user, cluster)
            new = user in now - was or (user in now and cluster not in _environments(pair.before))
            gone = user in was - now or (user in was and cluster not in _environments(pair.after))
            gained, lost = beyond(holds, held), beyond(held, holds)
            there = cluster in _environments(pair.after if user in now else pair.before)
            if gained or lost or ((new or gone) and there):
                by_change.setdefault((gained, lost, new, gone), []).append(cluster)
        for (gained, lost, new, gone), clusters in by_change.items():
            yield _user(pair, user, clusters, gained, lost, new=new, gone=gone)


def _user(
    pair: _Pair,
    user: str,
    clusters: list[str],
    gained: Privileges,
    lost: Privileges,
    *,
    new: bool,
    gone: bool,
) -> Change:
    cluster = clusters[0]
    held, holds = pair.reach(user, cluster)
    named = pair.old_name(user) if gone else user
    via = _via(pair.before if gone else pair.after, named, gained or lost)
    if gone:
        message = f"user removed: loses {_words(lost, frozenset(), pair.before, cluster)}   via {via}"
    elif new:
        message = f"new user: {_words(gained, frozenset(), pair.after, cluster)}   via {via}"
    else:
        parts = [f"gains {_words(gained, held, pair.after, cluster)}"] if gained else []
        parts += [f"loses {_words(lost, holds, pair.before, cluster)}"] if lost else []
        message = f"{'; '.join(parts)}   via {via}"
    effect = Effect.WIDENS if gained or (new and not gone) else Effect.NARROWS
    used = _used_by(pair.before if gone else pair.after, named, clusters)
    if new and not gone and pair.after is not None:
        used += f". {len(pair.after.users)} of at most {pair.after.user_cap} users"
    return Change(Part.USER, effect, user, message, tuple(clusters), used, gained, lost)


def _variables(pair: _Pair) -> Iterator[Change]:
    """One change for each variable of a consumer that carries something else, environments that change alike as one."""
    old, new = pair.bound
    old = {pair.slots.get(slot, slot): held for slot, held in old.items()}
    groups: dict[tuple[object, ...], list[tuple[Slot, Held | None, Held | None]]] = {}
    for slot in dict.fromkeys((*new, *old)):
        was, now = old.get(slot), new.get(slot)
        if was != now:
            own = tuple(each and (each[0], each[1] == slot[0], each[2]) for each in (was, now))
            groups.setdefault((slot[1:], own), []).append((slot, was, now))
    for group in groups.values():
        yield _variable(pair, group)


def _variable(pair: _Pair, group: list[tuple[Slot, Held | None, Held | None]]) -> Change:
    (environment, consumer, variable), was, now = group[0]
    held = pair.reach(was[0], was[1])[0] if was else frozenset()
    holds = pair.reach(now[0], now[1])[1] if now else frozenset()
    moved = was is not None and now is not None and was[1] != now[1]
    gained, lost = (holds, held) if moved else (beyond(holds, held), beyond(held, holds))
    wider = bool(beyond(holds, _received(pair, (environment, consumer), now))) if now else False
    who = _CONSUMERS[consumer]
    if was is None and now is not None:
        more = ", whose privileges it has already by another variable"
        more = f": {_words(holds, frozenset(), pair.after, now[1])}" if wider else more
        message = f"{who} receives it: {_credential(now, environment)}{more}"
    elif now is None and was is not None:
        message = f"{who} no longer receives it ({_credential(was, environment)})"
    elif was is not None and now is not None:
        message = f"{who} receives {_credential(now, environment)}, not {_credential(was, environment)}"
        parts = [f"gains {_words(gained, held, pair.after, now[1])}"] if gained and not moved else []
        parts += [f"loses {_words(lost, holds, pair.before, was[1])}"] if lost and not moved else []
        message += f": {'; '.join(parts)}" if parts else "" if moved else ": the same privileges"
        message += ", which it has already by another variable" if gained and not (wider or moved) else ""
    effect = Effect.WIDENS if wider else Effect.NARROWS if lost else Effect.SAME
    environments = tuple(dict.fromkeys(each[0][0] for each in group))
    return Change(Part.VARIABLE, effect, variable, message, environments, "", gained, lost)


def _received(pair: _Pair, consumer: tuple[str, Consumer], now: Held) -> Privileges:
    """What a consumer reached before, by any variable, on the cluster of the credential it receives now."""
    held = [held for slot, held in pair.bound[0].items() if slot[:2] == consumer and held[1] == now[1]]
    return frozenset().union(*(pair.reach(each[0], each[1])[0] for each in held))


def _credential(held: Held, environment: str) -> str:
    user, cluster, address = held
    where = f" of {cluster}'s cluster" if cluster != environment else ""
    return f"{user}{where}{' by the private address' if address == 'private' else ''}"


def _used_by(manifest: Manifest | None, user: str, clusters: list[str]) -> str:
    """The consumers of a user's credential with their variables, and whether the running service is one."""
    bound = [each for each in (manifest.bindings_of(user) if manifest else ()) if each.cluster in clusters]
    variables: dict[str, dict[str, None]] = {}
    for each in bound:
        name = each.variable
        if each.environment not in (each.cluster, "local"):
            name += f" in {each.environment}, of {each.cluster}'s cluster"
        variables.setdefault(_CONSUMERS[each.consumer], {})[name] = None
    if not variables:
        return "used by: nobody yet"
    used = "used by: " + "; ".join(f"{who} ({', '.join(names)})" for who, names in variables.items())
    return used if _CONSUMERS[Consumer.SERVICE] in variables else f"{used}. Not by the running service"


def _via(manifest: Manifest | None, user: str, changed: Privileges) -> str:
    """The role that grants it and its line: of the first action that changes, where that is a custom role's."""
    if manifest is None:
        return ""
    places = []
    actions = sorted({atlas_name(each.action) or each.action for each in changed})
    for role in manifest.user(user).roles:
        lines = (f"roles.{role.name}.{action}" for action in actions)
        own = next((each for each in lines if manifest.line_of(each)), f"roles.{role.name}")
        where = f"users.{user}.role" if role.is_builtin else own
        places.append(f"{role if role.is_builtin else role.name}, {manifest.place_of(where)}")
    return listed(places)


def _words(some: Privileges, kept: Privileges, manifest: Manifest | None, cluster: str) -> str:
    return in_words(some, kept, manifest, cluster) if manifest and some else "nothing"


def _environments(manifest: Manifest | None) -> tuple[str, ...]:
    return manifest.environments if manifest else ()
