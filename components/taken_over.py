"""Which users and roles that Atlas has are this program's own, so that a stack which has lost them may import them.

A user is ours by its label. Atlas keeps no labels on roles: one is ours where it grants exactly what the manifest
declares and nobody else holds it. Everything else of the same name stops the program.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from atlas_access.base import Endpoints, Settings, both_logins
from atlas_access.clients import MADE_LABEL, Atlas, ObservedRole, ObservedUser, Place, sign_in_from
from atlas_access.manifest import ADMIN_DATABASE, CustomRole, Manifest


class NotOurs(RuntimeError):
    """What is to be taken over is not this program's own."""


@dataclass(frozen=True)
class Existing:
    """The names of our own users and roles that Atlas has and this update takes over."""

    users: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    @property
    def named(self) -> list[str]:
        """Each with its kind."""
        users = [f"user {each}" for each in sorted(self.users)]
        return [*users, *(f"role {each}" for each in sorted(self.roles))]


def observe_existing(settings: Settings, manifest: Manifest, endpoints: Endpoints) -> Existing:
    """Ask Atlas for what is to be taken over. Raises `NotOurs`, `AtlasUnread` and `CredentialsMissing`."""
    if not settings.take_over_names:
        return Existing()
    with Atlas(settings.atlas_project_id, sign_in_from(os.environ), endpoints) as atlas:
        return existing(settings.take_over_names, manifest, atlas.users(), atlas.roles())


def existing(
    names: Collection[str], manifest: Manifest, users: Sequence[ObservedUser], roles: Sequence[ObservedRole]
) -> Existing:
    """The users and roles of these names. Raises `NotOurs`, with every reason."""
    wanted = {login for each in manifest.users if not each.adopted for login in both_logins(each.name)}
    wanted |= {each.name for each in manifest.roles if not each.adopted}
    found_users = {each.name: each for each in users if each.name in names and each.name in wanted}
    found_roles = {each.name: each for each in roles if each.name in names and each.name in wanted}
    label = "=".join(MADE_LABEL)
    reasons = [
        f"{each}: access.yaml declares no such user or role, or adopts it"
        if each not in wanted
        else f"{each}: Atlas has none, so an update without takeOverNames creates it"
        for each in names
        if each not in found_users and each not in found_roles
    ]
    reasons += [
        f"the user {name} has no label {label}: delete it, or declare it under adopted: in access.yaml"
        for name, each in found_users.items()
        if MADE_LABEL not in each.labels
    ]
    for name, role in found_roles.items():
        if role.grants != _grants(manifest, manifest.role(name)) or role.inherited:
            reasons.append(
                f"the role {name} grants other than access.yaml declares: delete it, or restore its actions"
            )
        strangers = sorted(
            each.name for each in users if _holds(each, name) and not _declared(each, name, manifest)
        )
        if strangers:
            reasons.append(f"the role {name} is held by {', '.join(strangers)}: take it from them")
    if reasons:
        raise NotOurs(f"takeOverNames: nothing is taken over: {'; '.join(reasons)}.")
    return Existing(frozenset(found_users), frozenset(found_roles))


def _holds(user: ObservedUser, role: str) -> bool:
    return role in {each.name for each in user.roles if each.database == ADMIN_DATABASE}


def _declared(user: ObservedUser, role: str, manifest: Manifest) -> bool:
    """Whether the manifest lets that user hold the role, and the user is ours or adopted."""
    found = next((each for each in manifest.users if user.name in both_logins(each.name)), None)
    return (
        found is not None
        and role in {each.name for each in found.roles}
        and (found.adopted or MADE_LABEL in user.labels)
    )


def _grants(manifest: Manifest, role: CustomRole) -> frozenset[tuple[str, Place]]:
    return frozenset(
        (grant.action, Place(manifest.database_of(collection), collection))
        for grant in role.grants
        for collection in grant.collections
    )
