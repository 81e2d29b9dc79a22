"""Compares the custom roles of a project with the manifest, grant by grant.

A legacy role's grants are in no file of ours, so it is held to what no legacy role may do: reach beyond named
collections of the manifest's databases. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from atlas_access.clients import ObservedRole, Place
from atlas_access.drift.compare_users import DEPLOY, UNMANAGED
from atlas_access.drift.finding import Difference, Kind, Target
from atlas_access.drift.messages import grant_permits, grants_permit, listed, role_permits
from atlas_access.manifest import CustomRole, Manifest


@dataclass(frozen=True)
class RoleRules:
    """What the roles of one project are held to; `legacy` names the custom roles of legacy users still expected."""

    manifest: Manifest
    cluster: str
    legacy: frozenset[str]
    retired: frozenset[str]

    def found(self, kind: Kind, role: str, what: str, remedy: str, **facts: Any) -> Difference:
        """A difference of a role of this project."""
        return Difference(kind, self.cluster, role, what, remedy, target=Target("ROLE", role), **facts)


def compare_roles(
    rules: RoleRules, roles: Iterable[ObservedRole], held_by: Mapping[str, tuple[str, ...]]
) -> Iterator[Difference]:
    """Yield every difference; `held_by` says which users hold each role, for what an unmanaged one permits."""
    there = {role.name: role for role in roles}
    for wanted in rules.manifest.roles:
        observed = there.pop(wanted.name, None)
        if observed is None:
            what = (
                f"the role {wanted.name} of {rules.manifest.place_of(f'roles.{wanted.name}')} does not exist"
            )
            yield rules.found(Kind.ROLE_MISSING, wanted.name, what, DEPLOY, heals=True)
        else:
            yield from _managed(rules, observed, wanted)
    for name in sorted(there):
        observed = there[name]
        if name in rules.legacy:
            yield from _legacy(rules, observed)
        else:
            yield _unmanaged(rules, observed, held_by.get(name, ()))


def _managed(rules: RoleRules, observed: ObservedRole, wanted: CustomRole) -> Iterator[Difference]:
    declared = {
        (grant.action, Place(rules.manifest.database_of(collection), collection))
        for grant in wanted.grants
        for collection in grant.collections
    }
    extra, missing = observed.grants - declared, declared - observed.grants
    actions = {action for action, _ in declared}
    for action in sorted({action for action, _ in extra} - actions):
        places = [place for each, place in extra if each == action]
        yield _grant(rules, Kind.ACTION_EXTRA, observed.name, action, places)
    for place in sorted({place for action, place in extra if action in actions}):
        named = sorted(action for action, each in extra if each == place and action in actions)
        yield _place(rules, Kind.COLLECTION_EXTRA, observed.name, place, named)
    left = {action for action, _ in observed.grants}
    for action in sorted({action for action, _ in missing} - left):
        places = [place for each, place in missing if each == action]
        yield _grant(rules, Kind.ACTION_MISSING, observed.name, action, places)
    for place in sorted({place for action, place in missing if action in left}):
        named = sorted(action for action, each in missing if each == place and action in left)
        yield _place(rules, Kind.COLLECTION_MISSING, observed.name, place, named)
    yield from _inherited(rules, observed, heals=True)


def _grant(rules: RoleRules, kind: Kind, role: str, action: str, places: list[Place]) -> Difference:
    places = sorted(places)
    permits = grant_permits(action, places)
    return _granted(
        rules,
        kind,
        role,
        (action, listed(map(str, places))),
        permits,
        f"{action} on {'; '.join(map(str, places))}",
    )


def _place(rules: RoleRules, kind: Kind, role: str, place: Place, actions: list[str]) -> Difference:
    permits = grants_permit((action, place) for action in actions)
    return _granted(
        rules, kind, role, (", ".join(actions), str(place)), permits, f"{','.join(actions)} on {place}"
    )


def _granted(
    rules: RoleRules, kind: Kind, role: str, granted: tuple[str, str], permits: str, detail: str
) -> Difference:
    extra = kind in (Kind.ACTION_EXTRA, Kind.COLLECTION_EXTRA)
    what = f"{role} {'has' if extra else 'lacks'} {granted[0]} on {granted[1]}"
    declared = f"{rules.manifest.place_of(f'roles.{role}')} {'does not declare' if extra else 'declares'}"
    return rules.found(
        kind,
        role,
        f"{what}, which {declared}",
        DEPLOY,
        permits=permits if extra else "",
        detail=detail,
        heals=True,
    )


def _inherited(rules: RoleRules, observed: ObservedRole, *, heals: bool) -> Iterator[Difference]:
    remedy = DEPLOY if heals else f"Take it from {observed.name} in Atlas"
    for role in sorted(observed.inherited):
        what = f"{observed.name} inherits {role}; no role of access.yaml inherits"
        permits = role_permits(role, rules.manifest)
        yield rules.found(
            Kind.INHERITED_EXTRA, observed.name, what, remedy, permits=permits, detail=str(role), heals=heals
        )


def _legacy(rules: RoleRules, observed: ObservedRole) -> Iterator[Difference]:
    databases = set(rules.manifest.databases)
    wide = {
        (action, place)
        for action, place in observed.grants
        if place.cluster or not place.collection or place.database not in databases
    }
    if wide:
        what = (
            f"the legacy role {observed.name} reaches beyond named collections of {listed(sorted(databases))}"
        )
        remedy, permits = f"Narrow {observed.name} in Atlas, or retire its user", grants_permit(wide)
        yield rules.found(Kind.ROLE_WIDE, observed.name, what, remedy, permits=permits, detail=permits)
    yield from _inherited(rules, observed, heals=False)


def _unmanaged(rules: RoleRules, observed: ObservedRole, users: tuple[str, ...]) -> Difference:
    parts = [
        grants_permit(observed.grants),
        *(role_permits(each, rules.manifest) for each in sorted(observed.inherited)),
    ]
    who = f"held by {listed(users)}" if users else "held by nobody now"
    if observed.name in rules.retired:
        kind, problem = Kind.LEGACY_PRESENT, f"the legacy role {observed.name} is there after its retirement"
        remedy = "Run the retirement, or delete the role in Atlas"
    else:
        kind, problem = Kind.ROLE_UNMANAGED, f"the role {observed.name} is not in access.yaml"
        remedy = UNMANAGED.replace(" or known-users.yaml", "")
    permits = "; ".join(part for part in parts if part)
    return rules.found(kind, observed.name, f"{problem}; {who}", remedy, permits=permits, detail="role")
