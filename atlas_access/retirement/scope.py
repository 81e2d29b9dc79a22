"""What a stack's retirement is about, by the manifest: which users, roles and secrets go, who reads the cluster. Pure.

A managed user, its role and its secret are not in it: `app_admin_schema` stays (ADR 0006).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from atlas_access.base import HeldRole
from atlas_access.drift import Difference, Kind
from atlas_access.manifest import ADMIN_DATABASE, LegacyUser, Manifest
from atlas_access.retirement.bindings import LegacyNames
from atlas_access.retirement.model import TOMBSTONE_ROLE, TOMBSTONED


@dataclass(frozen=True)
class Scope:
    """One stack's part of the legacy inventory.

    `users` in the order in which they go: one whose secret another account holds is read by that environment and goes
    last. `roles` are custom ones, `secrets` those of the stack's own account, whichever cluster they lead to.
    """

    users: tuple[tuple[str, HeldRole], ...]
    roles: tuple[str, ...]
    secrets: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Changes when the inventory does."""
        text = json.dumps([[(name, str(role)) for name, role in self.users], self.roles, self.secrets])
        return hashlib.sha256(text.encode()).hexdigest()


def scope_of(manifest: Manifest, stack: str) -> Scope:
    """What goes with the retirement of a stack."""
    users = [user for user in manifest.legacy_on(stack) if user.name not in manifest.logins]
    users.sort(key=lambda user: _read_from_elsewhere(user, stack))
    stay = {role.name for role in manifest.roles} | {
        role.name for user in manifest.users for role in user.roles
    }
    roles = [
        user.role.name
        for user in users
        if user.role.database == ADMIN_DATABASE and user.role.name not in stay
    ]
    return Scope(
        tuple((user.name, HeldRole(user.role.name, user.role.database)) for user in users),
        tuple(dict.fromkeys(roles)),
        tuple(sorted(secrets_in(manifest, stack))),
    )


def secrets_in(manifest: Manifest, environment: str, cluster: str = "") -> frozenset[str]:
    """The legacy secrets of an account; with `cluster`, those alone that lead to that environment's cluster."""
    wanted = {binding.secret_name for binding in manifest.bindings}
    return frozenset(
        secret.name
        for user in manifest.legacy
        for secret in user.secrets
        if secret.environment == environment
        and cluster in ("", user.environment)
        and secret.name not in wanted
    )


def names_in_account(manifest: Manifest, stack: str, environment: str) -> LegacyNames:
    """What no revision of an account may name before `stack` retires: of its own account, everything legacy."""
    cluster = "" if environment == stack else stack
    users = frozenset(user.name for user in manifest.legacy if cluster in ("", user.environment))
    return LegacyNames(secrets_in(manifest, environment, cluster), users)


def names_of_service(manifest: Manifest, environment: str) -> LegacyNames:
    """What the service of an environment names as long as it is not bound."""
    return LegacyNames(secrets_in(manifest, environment), frozenset(user.name for user in manifest.legacy))


def readers_of(manifest: Manifest, stack: str) -> tuple[str, ...]:
    """The environments whose accounts read this stack's cluster, the stack's own first."""
    bound = {each.environment for each in manifest.bindings if each.cluster == stack}
    legacy = {secret.environment for user in manifest.legacy_on(stack) for secret in user.secrets}
    others = [each for each in manifest.environments if each != stack and each in bound | legacy]
    return (stack, *others)


def own_doing(
    findings: Iterable[Difference], scope: Scope, tombstoned: frozenset[str], *, deleting: bool
) -> tuple[Difference, ...]:
    """The differences that the retirement itself has made: tombstones, and, once it deletes, what is gone."""
    users = {name for name, _ in scope.users}

    def mine(finding: Difference) -> bool:
        match finding.kind:
            case Kind.ROLE_HELD_EXTRA:
                return finding.subject in tombstoned and finding.detail == str(TOMBSTONED)
            case Kind.ROLE_HELD_MISSING:
                return finding.subject in tombstoned
            case Kind.ROLE_UNMANAGED:
                return finding.subject == TOMBSTONE_ROLE
            case Kind.LEGACY_MISSING:
                return deleting and finding.subject in users
            case Kind.SECRET_RECOVERY | Kind.SECRET_MISSING:
                return deleting and finding.subject in scope.secrets
            case _:
                return False

    return tuple(finding for finding in findings if mine(finding))


def _read_from_elsewhere(user: LegacyUser, stack: str) -> bool:
    return any(secret.environment != stack for secret in user.secrets)


def secrets_to_let_go(manifest: Manifest, stack: str) -> dict[str, str]:
    """The secrets of a stack's account that no other tool may declare, with what each is: legacy, adopted, owned."""
    owned = {each.secret.replace("{env}", stack): each.secret_adopted for each in manifest.users}
    found = {each.secret_name: "owned" for each in manifest.credentials_for(stack)}
    found |= {name: "adopted" if adopted else "owned" for name, adopted in owned.items()}
    legacy = (secret for user in manifest.legacy for secret in user.secrets if secret.environment == stack)
    return found | {each.name: "legacy" for each in legacy}
