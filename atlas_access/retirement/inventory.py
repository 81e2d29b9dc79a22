"""The legacy inventory as it is: users, roles and secrets of one project and account against `access.yaml`.

Each thing is legacy, stays, is known or unknown, and has a state and the task-definition revisions that bind it. What
was not read is not gone, and a new name is no old user. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from atlas_access.base import HeldRole, Status, Unread
from atlas_access.clients import ObservedLogins, ObservedUser
from atlas_access.drift import ObservedSecret, reference
from atlas_access.manifest import KnownUser, LegacyUser, Manifest
from atlas_access.retirement.model import TOMBSTONE_ROLE, TOMBSTONED
from atlas_access.retirement.observed import ObservedLegacy, ObservedRevision


class Belongs(StrEnum):
    """What a thing is to `access.yaml`."""

    LEGACY = "legacy"
    STAYS = "stays"
    KNOWN = "known"
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """The state of a thing, good or not; `elsewhere` is a secret of another account, which is not read from here."""

    PRESENT = "present"
    CHANGED = "holds other roles"
    TOMBSTONED = "tombstoned"
    SCHEDULED = "in its recovery window"
    MISSING = "missing"
    ELSEWHERE = "in another account"


@dataclass(frozen=True, order=True)
class Use:
    """One variable of one revision that reads a secret."""

    environment: str
    revision: str
    variable: str
    running: bool
    active: bool

    def __str__(self) -> str:
        how = "running" if self.running else "active" if self.active else "inactive"
        return f"{self.variable} in {self.revision} ({how})"


@dataclass(frozen=True)
class UserRow:
    """A database user. `login` is its last one, None when none is recorded, an `Unread` when that is not known."""

    name: str
    belongs: Belongs
    standing: Standing
    held: tuple[str, ...]
    declared: str = ""
    successor: str = ""
    secrets: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    login: datetime | Unread | None = None


@dataclass(frozen=True)
class RoleRow:
    """A custom role, and who holds it."""

    name: str
    belongs: Belongs
    standing: Standing
    holders: tuple[str, ...] = ()


@dataclass(frozen=True)
class SecretRow:
    """A secret that holds, or may hold, a connection string; `user` is whose, "" when nobody declares it."""

    name: str
    environment: str
    belongs: Belongs
    standing: Standing
    user: str = ""
    uses: tuple[Use, ...] = ()
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class LegacyInventory:
    """The whole, in the manifest's order, unknown things last. `retired`: legacy things should be gone."""

    stack: str
    retired: bool
    users: tuple[UserRow, ...]
    roles: tuple[RoleRow, ...]
    secrets: tuple[SecretRow, ...]
    unread: tuple[Unread, ...] = ()
    login_since: datetime | None = None

    @property
    def left(self) -> tuple[str, ...]:
        """The legacy users that are still there, tombstoned ones among them."""
        return tuple(
            row.name
            for row in self.users
            if row.belongs is Belongs.LEGACY and row.standing is not Standing.MISSING
        )

    @property
    def surprises(self) -> tuple[str, ...]:
        """What differs from the manifest: unknown things, and legacy ones gone before or there after the retirement."""
        return tuple(_surprises(self))

    @property
    def status(self) -> Status:
        """Drift as soon as one surprise is certain; clean only when everything was read."""
        if self.surprises:
            return Status.BAD
        return Status.UNKNOWN if self.unread else Status.GOOD


def legacy_inventory(
    manifest: Manifest, stack: str, known: Iterable[KnownUser], observed: ObservedLegacy, *, retired: bool
) -> LegacyInventory:
    """Put what was read beside what is declared."""
    revisions = [each for part in observed.revisions if not isinstance(part, Unread) for each in part]
    uses = _uses(revisions)
    parts = (observed.users, observed.roles, observed.secrets, *observed.revisions, observed.logins)
    return LegacyInventory(
        stack=stack,
        retired=retired,
        users=tuple(_users(manifest, stack, {each.name for each in known}, observed, uses)),
        roles=tuple(_roles(manifest, stack, observed)),
        secrets=tuple(_secrets(manifest, stack, observed, uses)),
        unread=tuple(part for part in parts if isinstance(part, Unread)),
        login_since=None if isinstance(observed.logins, Unread) else observed.logins.since,
    )


def _users(
    manifest: Manifest,
    stack: str,
    known: set[str],
    observed: ObservedLegacy,
    uses: Mapping[str, tuple[Use, ...]],
) -> Iterator[UserRow]:
    if isinstance(observed.users, Unread):
        return
    there = {user.name: user for user in observed.users}
    for old in manifest.legacy_on(stack):
        user = there.pop(old.name, None)
        yield UserRow(
            name=old.name,
            belongs=Belongs.LEGACY,
            standing=_standing(old, user),
            held=_held(user),
            declared=str(old.role),
            successor=old.successor,
            secrets=tuple(secret.name for secret in old.secrets),
            uses=tuple(use for secret in old.secrets for use in uses.get(secret.name, ())),
            login=_login(observed.logins, old.name),
        )
    for managed in manifest.users:
        user = there.pop(managed.name, None)
        if user is not None:
            secret, login = managed.secret_name(stack), _login(observed.logins, managed.name)
            yield UserRow(
                managed.name, Belongs.STAYS, Standing.PRESENT, _held(user), secrets=(secret,),
                uses=uses.get(secret, ()), login=login,
            )  # fmt: skip
    for name, user in sorted(there.items()):
        belongs = Belongs.KNOWN if name in known else Belongs.UNKNOWN
        yield UserRow(name, belongs, Standing.PRESENT, _held(user), login=_login(observed.logins, name))


def _standing(old: LegacyUser, user: ObservedUser | None) -> Standing:
    if user is None:
        return Standing.MISSING
    if user.roles == {HeldRole(old.role.name, old.role.database)}:
        return Standing.PRESENT
    return Standing.TOMBSTONED if user.roles == {TOMBSTONED} else Standing.CHANGED


def _held(user: ObservedUser | None) -> tuple[str, ...]:
    return () if user is None else tuple(str(role) for role in sorted(user.roles))


def _login(logins: ObservedLogins | Unread, name: str) -> datetime | Unread | None:
    return logins if isinstance(logins, Unread) else logins.last.get(name)


def _roles(manifest: Manifest, stack: str, observed: ObservedLegacy) -> Iterator[RoleRow]:
    if isinstance(observed.roles, Unread):
        return
    users = () if isinstance(observed.users, Unread) else observed.users
    holders = {
        role.name: tuple(user.name for user in users if any(held.name == role.name for held in user.roles))
        for role in observed.roles
    }
    managed = [role.name for role in manifest.roles]
    for name in legacy_roles(manifest, stack):
        standing = Standing.PRESENT if name in holders else Standing.MISSING
        yield RoleRow(name, Belongs.LEGACY, standing, holders.pop(name, ()))
    for name in managed:
        if name in holders:
            yield RoleRow(name, Belongs.STAYS, Standing.PRESENT, holders.pop(name))
    for name, who in sorted(holders.items()):
        belongs = Belongs.KNOWN if name == TOMBSTONE_ROLE else Belongs.UNKNOWN
        yield RoleRow(name, belongs, Standing.PRESENT, who)


def legacy_roles(manifest: Manifest, stack: str) -> tuple[str, ...]:
    """The custom roles that only legacy users of a cluster are declared with."""
    managed = {role.name for role in manifest.roles}
    names = [user.role.name for user in manifest.legacy_on(stack) if not user.role.is_builtin]
    return tuple(name for name in dict.fromkeys(names) if name not in managed)


def _secrets(
    manifest: Manifest, stack: str, observed: ObservedLegacy, uses: Mapping[str, tuple[Use, ...]]
) -> Iterator[SecretRow]:
    if isinstance(observed.secrets, Unread):
        return
    there = {secret.name: secret for secret in observed.secrets if secret.exists}

    def row(name: str, belongs: Belongs, user: str) -> SecretRow:
        found = there.pop(name, None)
        deleted_at = None if found is None else found.deleted_at
        return SecretRow(name, stack, belongs, _secret_standing(found), user, uses.get(name, ()), deleted_at)

    for old in manifest.legacy:
        for secret in old.secrets:
            if secret.environment == stack:
                yield row(secret.name, Belongs.LEGACY, old.name)
            elif old.environment == stack:
                used = uses.get(secret.name, ())
                owner = secret.environment
                yield SecretRow(secret.name, owner, Belongs.LEGACY, Standing.ELSEWHERE, old.name, used)
    for binding in manifest.credentials_for(stack):
        if binding.secret_name in there:
            yield row(binding.secret_name, Belongs.STAYS, binding.user)
    for name in sorted(there):
        yield row(name, Belongs.UNKNOWN, "")


def _secret_standing(found: ObservedSecret | None) -> Standing:
    if found is None:
        return Standing.MISSING
    return Standing.PRESENT if found.deleted_at is None else Standing.SCHEDULED


def _uses(revisions: Iterable[ObservedRevision]) -> Mapping[str, tuple[Use, ...]]:
    """Every use of each secret, by the secret's name, running ones first."""
    found: dict[str, list[Use]] = {}
    for each in revisions:
        for bound in each.bound:
            name = reference(bound.value_from)[0]
            use = Use(each.environment, each.name, bound.variable, each.running, each.active)
            found.setdefault(name, []).append(use)
    return {
        name: tuple(sorted(uses, key=lambda use: (not use.running, use.revision)))
        for name, uses in found.items()
    }


def _surprises(inventory: LegacyInventory) -> Iterator[str]:
    for row in inventory.users:
        if row.belongs is Belongs.UNKNOWN:
            yield f"the user {row.name} is neither in access.yaml nor known"
        elif row.belongs is not Belongs.LEGACY or row.standing is Standing.TOMBSTONED:
            continue
        elif inventory.retired and row.standing is not Standing.MISSING:
            yield f"the legacy user {row.name} is still there"
        elif row.standing is Standing.CHANGED:
            yield f"the legacy user {row.name} holds {', '.join(row.held) or 'no role'} instead of {row.declared}"
        elif row.standing is Standing.MISSING and not inventory.retired:
            yield f"the legacy user {row.name} is gone before its retirement"
    for role in inventory.roles:
        if role.belongs is Belongs.UNKNOWN:
            yield f"the role {role.name} is not in access.yaml"
        elif role.belongs is Belongs.LEGACY and (role.standing is Standing.MISSING) is not inventory.retired:
            found = "still there" if inventory.retired else "gone before its retirement"
            yield f"the legacy role {role.name} is {found}"
    for secret in inventory.secrets:
        if secret.belongs is Belongs.UNKNOWN and secret.standing is Standing.PRESENT:
            yield f"the secret {secret.name} is not in access.yaml"
        elif secret.belongs is Belongs.LEGACY and secret.standing is not Standing.ELSEWHERE:
            usable = secret.standing is Standing.PRESENT
            if usable is inventory.retired:
                yield (
                    f"the legacy secret {secret.name} is "
                    f"{'still readable' if usable else 'not readable before its retirement'}"
                )
