"""Compares the custom roles of a project with the manifest, grant by grant.

A legacy role's grants are in no file of ours, so it is held to what no legacy role may do: reach beyond named
collections of the manifest's databases. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from atlas_access.clients import Place, SeenRole
from atlas_access.drift.compare_users import DEPLOY, UNMANAGED
from atlas_access.drift.finding import Difference, Kind, Target
from atlas_access.drift.words import grant_permits, grants_permit, listed, role_permits
from atlas_access.manifest import CustomRole, Manifest


@dataclass(frozen=True)
class RoleRules:
    """What the roles of one project are held to; `legacy` names the custom roles of legacy users still expected."""

    manifest: Manifest
    cluster: str
    legacy: frozenset[str]
    retired: frozenset[str]


def compare_roles(
    rules: RoleRules, roles: Iterable[SeenRole], held_by: Mapping[str, tuple[str, ...]]
) -> Iterator[Difference]:
    """Yield every difference; `held_by` says which users hold each role, for what an unmanaged one permits."""
    there = {role.name: role for role in roles}
    for wanted in rules.manifest.roles:
        seen = there.pop(wanted.name, None)
        if seen is None:
            place = rules.manifest.place_of(f"roles.{wanted.name}")
            yield Difference(
                Kind.ROLE_MISSING,
                rules.cluster,
                wanted.name,
                f"the role {wanted.name} of {place} does not exist",
                DEPLOY,
                heals=True,
                target=Target("ROLE", wanted.name),
            )
        else:
            yield from _managed(rules, seen, wanted)
    for name in sorted(there):
        seen = there[name]
        if name in rules.legacy:
            yield from _legacy(rules, seen)
        else:
            yield _unmanaged(rules, seen, held_by.get(name, ()))


def _managed(rules: RoleRules, seen: SeenRole, wanted: CustomRole) -> Iterator[Difference]:
    declared = {
        (grant.action, Place(rules.manifest.database_of(collection), collection))
        for grant in wanted.grants
        for collection in grant.collections
    }
    extra, missing = seen.grants - declared, declared - seen.grants
    actions = {action for action, _ in declared}
    for action in sorted({action for action, _ in extra} - actions):
        places = [place for each, place in extra if each == action]
        yield _grant(rules, Kind.ACTION_EXTRA, seen.name, action, places)
    for place in sorted({place for action, place in extra if action in actions}):
        named = sorted(action for action, each in extra if each == place and action in actions)
        yield _place(rules, Kind.COLLECTION_EXTRA, seen.name, place, named)
    left = {action for action, _ in seen.grants}
    for action in sorted({action for action, _ in missing} - left):
        places = [place for each, place in missing if each == action]
        yield _grant(rules, Kind.ACTION_MISSING, seen.name, action, places)
    for place in sorted({place for action, place in missing if action in left}):
        named = sorted(action for action, each in missing if each == place and action in left)
        yield _place(rules, Kind.COLLECTION_MISSING, seen.name, place, named)
    yield from _inherited(rules, seen, heals=True)


def _grant(rules: RoleRules, kind: Kind, role: str, action: str, places: list[Place]) -> Difference:
    extra = kind is Kind.ACTION_EXTRA
    where = listed(str(place) for place in sorted(places))
    declared = rules.manifest.place_of(f"roles.{role}")
    return Difference(
        kind,
        rules.cluster,
        role,
        f"{role} {'has' if extra else 'lacks'} {action} on {where}, "
        f"which {declared} {'does not declare' if extra else 'declares'}",
        DEPLOY,
        permits=grant_permits(action, places) if extra else "",
        detail=f"{action} on {'; '.join(str(place) for place in sorted(places))}",
        heals=True,
        target=Target("ROLE", role),
    )


def _place(rules: RoleRules, kind: Kind, role: str, place: Place, actions: list[str]) -> Difference:
    extra = kind is Kind.COLLECTION_EXTRA
    return Difference(
        kind,
        rules.cluster,
        role,
        f"{role} {'has' if extra else 'lacks'} {', '.join(actions)} on {place}, "
        f"which {rules.manifest.place_of(f'roles.{role}')} {'does not declare' if extra else 'declares'}",
        DEPLOY,
        permits=grants_permit((action, place) for action in actions) if extra else "",
        detail=f"{','.join(actions)} on {place}",
        heals=True,
        target=Target("ROLE", role),
    )


def _inherited(rules: RoleRules, seen: SeenRole, *, heals: bool) -> Iterator[Difference]:
    for role in sorted(seen.inherited):
        yield Difference(
            Kind.INHERITED_EXTRA,
            rules.cluster,
            seen.name,
            f"{seen.name} inherits {role}; no role of access.yaml inherits",
            DEPLOY if heals else f"Take it from {seen.name} in Atlas",
            permits=role_permits(role, rules.manifest),
            detail=str(role),
            heals=heals,
            target=Target("ROLE", seen.name),
        )


def _legacy(rules: RoleRules, seen: SeenRole) -> Iterator[Difference]:
    databases = set(rules.manifest.databases)
    wide = {
        (action, place)
        for action, place in seen.grants
        if place.cluster or not place.collection or place.database not in databases
    }
    if wide:
        yield Difference(
            Kind.ROLE_WIDE,
            rules.cluster,
            seen.name,
            f"the legacy role {seen.name} reaches beyond named collections of {listed(sorted(databases))}",
            f"Narrow {seen.name} in Atlas, or retire its user",
            permits=grants_permit(wide),
            detail=grants_permit(wide),
            target=Target("ROLE", seen.name),
        )
    yield from _inherited(rules, seen, heals=False)


def _unmanaged(rules: RoleRules, seen: SeenRole, users: tuple[str, ...]) -> Difference:
    retired = seen.name in rules.retired
    parts = [
        grants_permit(seen.grants),
        *(role_permits(each, rules.manifest) for each in sorted(seen.inherited)),
    ]
    who = f"held by {listed(users)}" if users else "held by nobody now"
    problem = (
        "the legacy role {} is there after its retirement" if retired else "the role {} is not in access.yaml"
    )
    return Difference(
        Kind.LEGACY_PRESENT if retired else Kind.ROLE_UNMANAGED,
        rules.cluster,
        seen.name,
        f"{problem.format(seen.name)}; {who}",
        "Run the retirement, or delete the role in Atlas"
        if retired
        else UNMANAGED.replace(" or known-users.yaml", ""),
        permits="; ".join(part for part in parts if part),
        detail="role",
        target=Target("ROLE", seen.name),
    )
