"""What the users of a manifest are declared to hold, as privileges."""

from __future__ import annotations

from atlas_access.manifest.model import Manifest
from atlas_access.manifest.records import RoleRef, User
from atlas_access.privileges import (
    DEFAULT_MAJOR,
    Privilege,
    Privileges,
    actions_on,
    builtin_privileges,
    mongo_actions,
    patch_privileges,
)


def role_privileges(manifest: Manifest, role: RoleRef, major_version: str = DEFAULT_MAJOR) -> Privileges:
    """Return what one role grants, by the manifest for custom roles. Raises KeyError for a role it does not define."""
    if role.is_builtin:
        return builtin_privileges(role.name, role.database, major_version)
    return frozenset(
        Privilege(manifest.database_of(collection), collection, action)
        for grant in manifest.role(role.name).grants
        for collection in grant.collections
        for action in mongo_actions(grant.action, major_version)
    )


def declared_privileges(
    manifest: Manifest, user: User | str, major_version: str = DEFAULT_MAJOR
) -> Privileges:
    """Return everything that a user must hold: no more, no less (but see tolerated_privileges)."""
    named = manifest.user(user) if isinstance(user, str) else user
    return frozenset().union(*(role_privileges(manifest, role, major_version) for role in named.roles))


def tolerated_privileges(
    manifest: Manifest, user: User | str, major_version: str = DEFAULT_MAJOR
) -> Privileges:
    """Return what a user's built-in roles may hold besides, by the server's patch release."""
    named = manifest.user(user) if isinstance(user, str) else user
    parts = (
        patch_privileges(role.name, role.database, major_version) for role in named.roles if role.is_builtin
    )
    return frozenset().union(*parts)


def users_who_can(
    manifest: Manifest, atlas_action: str, database: str, collection: str, major_version: str = DEFAULT_MAJOR
) -> tuple[User, ...]:
    """Return the users whose declared privileges permit an Atlas action on a collection."""
    wanted = set(mongo_actions(atlas_action))
    return tuple(
        user
        for user in manifest.users
        if wanted & actions_on(declared_privileges(manifest, user, major_version), database, collection)
    )
