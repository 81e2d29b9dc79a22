"""Compares the database users of a project with the manifest and the list of known users.

A familiar name makes no user harmless. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from atlas_access.base import REVOKED, Generations, HeldRole
from atlas_access.clients import PASSWORD, ObservedUser, Scope
from atlas_access.drift.finding import Difference, Kind, Target
from atlas_access.drift.messages import (
    is_builtin,
    listed,
    moment,
    role_permits,
    roles_permit,
    scope_named,
    scope_permits,
)
from atlas_access.manifest import ADMIN_DATABASE, KnownKind, KnownUser, LegacyUser, Manifest, RoleRef

DEPLOY = "Run `pulumi up --refresh`: it restores what access.yaml declares"
UNMANAGED = "Remove it in Atlas, or declare it in access.yaml or known-users.yaml"


@dataclass(frozen=True)
class UserRules:
    """What the users of one project are held to; `legacy` is empty once it should be gone."""

    manifest: Manifest
    environment: str
    cluster: str
    legacy: tuple[LegacyUser, ...]
    retired: tuple[LegacyUser, ...]
    known: tuple[KnownUser, ...]
    now: datetime
    generations: Generations = field(default_factory=lambda: Generations({}))

    def found(self, kind: Kind, user: str, what: str, remedy: str, **facts: Any) -> Difference:
        """A difference of a user of this project."""
        return Difference(kind, self.cluster, user, what, remedy, target=Target("USER", user), **facts)


def compare_users(rules: UserRules, users: Iterable[ObservedUser]) -> Iterator[Difference]:
    """Yield every difference between the users that are there and those that should be."""
    there = {(user.auth_database, user.name): user for user in users}
    legacy = {user.name: user for user in rules.legacy}
    managed = {user.name: user for user in rules.manifest.users}
    retired = {user.name for user in rules.retired}
    known = {user.name: user for user in rules.known}
    for name, wanted in managed.items():
        login, *leaving = rules.generations.logins(name)
        observed = there.pop((ADMIN_DATABASE, login), None)
        if observed is None:
            yield _missing(rules, name, login)
        else:
            yield from _managed(rules, observed, wanted.roles)
        for other in leaving:
            # It may be gone, or have lost its roles; more than its user's it never holds.
            observed = there.pop((ADMIN_DATABASE, other), None)
            if observed is not None:
                yield from _leaving(rules, observed, wanted.roles)
    for name, old in legacy.items():
        observed = there.pop((ADMIN_DATABASE, name), None)
        if observed is None:
            yield _legacy_missing(rules, old)
        else:
            yield from _legacy(rules, observed, old)
    for observed in there.values():
        if observed.auth_database == ADMIN_DATABASE and observed.name in retired:
            yield _legacy_present(rules, observed)
        elif observed.name in known:
            yield from _known(rules, observed, known[observed.name])
        else:
            yield _unmanaged(rules, observed)


def _missing(rules: UserRules, name: str, login: str) -> Difference:
    variables = sorted({binding.variable for binding in rules.manifest.bindings_of(name)})
    who = f"the user {rules.generations.shown(name)} of {rules.manifest.place_of(f'users.{name}')}"
    what = f"{who} does not exist; {', '.join(variables) or 'nothing'} cannot log in"
    return rules.found(Kind.USER_MISSING, login, what, DEPLOY, heals=True)


def _managed(rules: UserRules, observed: ObservedUser, wanted: Iterable[RoleRef]) -> Iterator[Difference]:
    yield from _roles(rules, observed, wanted, heals=True)
    yield from _scopes(rules, observed)
    remedy = "Make it permanent: delete the user in Atlas, then run `pulumi up --refresh`"
    yield from _temporary(rules, observed, "managed", remedy)


def _leaving(rules: UserRules, observed: ObservedUser, wanted: Iterable[RoleRef]) -> Iterator[Difference]:
    if observed.roles != {REVOKED}:
        yield from _roles(rules, observed, wanted, heals=True)
    yield from _scopes(rules, observed)


def _legacy(rules: UserRules, observed: ObservedUser, wanted: LegacyUser) -> Iterator[Difference]:
    """What a legacy user holds, and that it lasts and logs in until it is retired; most were made without a scope."""
    yield from _roles(rules, observed, (wanted.role,), heals=False)
    if observed.scopes and Scope(rules.cluster, "CLUSTER") not in observed.scopes:
        what = f"the legacy user {observed.name} may not reach {rules.cluster} any more: its consumers cannot log in"
        remedy = f"Give it the scope back in Atlas: {observed.name} is in use until it is retired"
        yield rules.found(Kind.SCOPE_MISSING, observed.name, what, remedy, detail=rules.cluster)
    remedy = f"Move its consumers to {wanted.successor} before, or make it anew without an end"
    yield from _temporary(rules, observed, "legacy", remedy)


def _temporary(rules: UserRules, observed: ObservedUser, what: str, remedy: str) -> Iterator[Difference]:
    if observed.delete_after is not None:
        problem = f"Atlas will delete the {what} user {observed.name} at {moment(observed.delete_after)}"
        yield rules.found(Kind.USER_TEMPORARY, observed.name, problem, remedy)


def _roles(
    rules: UserRules, observed: ObservedUser, wanted: Iterable[RoleRef], *, heals: bool
) -> Iterator[Difference]:
    declared = {HeldRole(role.name, role.database) for role in wanted}
    names = {role.name: role for role in declared}
    remedy = DEPLOY if heals else f"Take it from {observed.name} in Atlas: access.yaml has it under legacy"
    at_wrong_place: set[HeldRole] = set()
    for role in sorted(observed.roles - declared):
        same = names.get(role.name)
        if same is not None and same not in observed.roles and (role.database != same.database):
            kind, problem = Kind.ROLE_WRONG_DATABASE, f"holds {role} instead of {same}"
            at_wrong_place.add(same)
        elif same is not None and role.database == same.database:
            kind = Kind.ROLE_HELD_EXTRA
            problem = f"holds {same.name} narrowed to {role.database}.{role.collection}"
        elif is_builtin(role):
            kind, problem = Kind.BUILTIN_ESCALATION, f"holds the built-in role {role} as well"
        else:
            kind, problem = Kind.ROLE_HELD_EXTRA, f"holds the role {role} as well"
        permits = role_permits(role, rules.manifest)
        what = f"{observed.name} {problem}"
        yield rules.found(kind, observed.name, what, remedy, permits=permits, detail=str(role), heals=heals)
    remedy = DEPLOY if heals else f"Give it back in Atlas: {observed.name} is in use until it is retired"
    for role in sorted(declared - observed.roles - at_wrong_place):
        what = f"{observed.name} does not hold {role}: it cannot {role_permits(role, rules.manifest)}"
        yield rules.found(Kind.ROLE_HELD_MISSING, observed.name, what, remedy, detail=str(role), heals=heals)


def _scopes(rules: UserRules, observed: ObservedUser) -> Iterator[Difference]:
    own = Scope(rules.cluster, "CLUSTER")
    if not observed.scopes:
        what, permits = (
            f"{observed.name} has no scope",
            "log in to every cluster of the project, those made later too",
        )
        yield rules.found(Kind.SCOPE_MISSING, observed.name, what, DEPLOY, permits=permits, heals=True)
        return
    extra = sorted(observed.scopes - {own})
    if extra:
        what = f"{observed.name} may reach {listed(map(scope_named, extra))}"
        permits, detail = scope_permits(extra), ",".join(f"{scope.type}/{scope.name}" for scope in extra)
        yield rules.found(
            Kind.SCOPE_EXTRA, observed.name, what, DEPLOY, permits=permits, detail=detail, heals=True
        )
    if own not in observed.scopes:
        what = f"{observed.name} may not reach {rules.cluster}: its consumers cannot log in"
        yield rules.found(Kind.SCOPE_MISSING, observed.name, what, DEPLOY, detail=own.name, heals=True)


def _legacy_missing(rules: UserRules, user: LegacyUser) -> Difference:
    what = (
        f"the legacy user {user.name} is gone before its retirement: what still runs on it, "
        "or would be rolled back to it, cannot log in"
    )
    remedy = f"Move its consumers to {user.successor} now, or make it again with the role {user.role}"
    return rules.found(Kind.LEGACY_MISSING, user.name, what, remedy)


def _legacy_present(rules: UserRules, observed: ObservedUser) -> Difference:
    what = f"the legacy user {observed.name} is still there, or there again, after its retirement"
    remedy = "Run the retirement, or delete the user in Atlas"
    permits = roles_permit(observed.roles, rules.manifest)
    return rules.found(Kind.LEGACY_PRESENT, observed.name, what, remedy, permits=permits)


def _unmanaged(rules: UserRules, observed: ObservedUser) -> Difference:
    until = "" if observed.delete_after is None else f"; Atlas deletes it at {moment(observed.delete_after)}"
    external = observed.sign_in != PASSWORD
    how = f", which signs in by {observed.sign_in}," if external else ""
    what = f"the user {observed.name}{how} is neither in access.yaml nor known{until}"
    kind = Kind.USER_SIGN_IN if external else Kind.USER_UNMANAGED
    permits = roles_permit(observed.roles, rules.manifest)
    return rules.found(kind, observed.name, what, UNMANAGED, permits=permits, detail=observed.auth_database)


def _known(rules: UserRules, observed: ObservedUser, known: KnownUser) -> Iterator[Difference]:
    name, permits = observed.name, roles_permit(observed.roles, rules.manifest)
    end = datetime.combine(known.until, time(), UTC) + timedelta(days=1)
    if rules.now >= end:
        what = f"the known user {name} was allowed until {known.until.isoformat()} and is still there"
        remedy = "Remove it in Atlas, or give it a new end date in known-users.yaml"
        yield rules.found(Kind.KNOWN_EXPIRED, name, what, remedy, permits=permits)
    if known.kind is KnownKind.BREAK_GLASS and (observed.delete_after is None or observed.delete_after > end):
        problem = (
            "no end" if observed.delete_after is None else f"its end only at {moment(observed.delete_after)}"
        )
        what = f"the break-glass user {name} is to be temporary and has {problem}"
        remedy = "Delete it in Atlas; make it anew with an end (deleteAfterDate) when the glass is broken"
        yield rules.found(Kind.USER_ENDLESS, name, what, remedy, permits=permits)
    if observed.sign_in != known.sign_in.value:
        what = f"the known user {name} signs in by {observed.sign_in}, not by {known.sign_in.value}"
        remedy = "Remove it in Atlas, or correct known-users.yaml"
        yield rules.found(Kind.USER_SIGN_IN, name, what, remedy, permits=permits, detail=observed.sign_in)
    for role in sorted(observed.roles - known.held):
        kind = Kind.BUILTIN_ESCALATION if is_builtin(role) else Kind.ROLE_HELD_EXTRA
        permits = role_permits(role, rules.manifest)
        what = f"the known user {name} holds {role}, which known-users.yaml does not name"
        remedy = "Take it away in Atlas, or name it in known-users.yaml"
        yield rules.found(kind, name, what, remedy, permits=permits, detail=str(role))


def holders(users: Iterable[ObservedUser]) -> Mapping[str, tuple[str, ...]]:
    """Return who holds each role, by the role's name."""
    found: dict[str, list[str]] = {}
    for user in users:
        for role in user.roles:
            found.setdefault(role.name, []).append(user.name)
    return {name: tuple(sorted(names)) for name, names in found.items()}
