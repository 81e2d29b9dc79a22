"""What access permits, in plain words: roles, grants and scopes as a reviewer would say them.

Sources: MongoDB manual (built-in roles, privilege actions), Atlas documentation (atlasAdmin). A role that is not known
is reported as such.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from atlas_access.base import HeldRole
from atlas_access.clients import Place, Scope
from atlas_access.manifest import Manifest
from atlas_access.privileges import ATLAS_ACTIONS, BUILTIN_ROLES

_EVERY = {
    "readAnyDatabase": "read every collection of every database",
    "readWriteAnyDatabase": "read, change and erase everything in every database, the audit log included",
    "dbAdminAnyDatabase": "drop and alter collections and indexes in every database",
    "userAdminAnyDatabase": "give itself or anyone any role",
    "clusterAdmin": "administer the whole cluster, and drop databases",
    "clusterManager": "manage the cluster's configuration",
    "clusterMonitor": "watch the cluster's state and statistics",
    "hostManager": "manage and stop servers",
    "enableSharding": "shard collections",
    "backup": "read everything for a backup",
    "restore": "overwrite everything from a backup",
    "atlasAdmin": "read, change and erase everything in every database, the audit log included, and manage the cluster",
    "root": "do anything",
}
_ONE = {
    "read": "read every collection of {}",
    "readWrite": "read, change and erase documents, collections and indexes of {}",
    "dbAdmin": "drop and alter collections and indexes of {}",
    "userAdmin": "give itself or anyone any role on {}",
    "dbOwner": "do anything to {}",
}


def is_builtin(role: HeldRole) -> bool:
    """Whether MongoDB or Atlas defines the role."""
    return role.name in BUILTIN_ROLES


def role_permits(role: HeldRole, manifest: Manifest) -> str:
    """Return what holding a role permits, to complete "it permits to …"."""
    if role.name in _EVERY:
        return _EVERY[role.name]
    if role.name in _ONE:
        place = f"{role.database}.{role.collection}" if role.collection else role.database
        over_log = role.name in ("readWrite", "dbOwner") and role.database == manifest.audit.database
        over_log = over_log and role.collection in ("", manifest.audit.collection)
        return _ONE[role.name].format(place) + (", the audit log included" if over_log else "")
    if role.name in BUILTIN_ROLES:
        return f"do what the built-in role {role} grants"
    return f"do whatever the custom role {role.name} grants"


def roles_permit(roles: Iterable[HeldRole], manifest: Manifest) -> str:
    """Return what several roles permit together, or that they permit nothing."""
    return "; ".join(role_permits(role, manifest) for role in sorted(roles)) or "nothing: it holds no role"


def grant_permits(action: str, places: Iterable[Place]) -> str:
    """Return what one Atlas action on some places permits; an action that is not known here is named as such."""
    return f"{_permits(action)} on {listed(str(place) for place in sorted(places))}"


def _permits(action: str) -> str:
    known = ATLAS_ACTIONS.get(action)
    return known.permits if known is not None else f"do what Atlas calls {action}"


def grants_permit(grants: Iterable[tuple[str, Place]]) -> str:
    """Return what a role's grants permit, one clause for the actions that reach the same places."""
    by_action: dict[str, list[Place]] = {}
    for action, place in sorted(grants):
        by_action.setdefault(action, []).append(place)
    by_places: dict[tuple[Place, ...], list[str]] = {}
    for action, places in by_action.items():
        by_places.setdefault(tuple(places), []).append(_permits(action))
    return "; ".join(
        f"{' and '.join(what)} on {listed(str(place) for place in places)}"
        for places, what in by_places.items()
    )


def scope_permits(scopes: Iterable[Scope]) -> str:
    """Return what further scopes permit."""
    return f"log in to {listed(scope_named(scope) for scope in sorted(scopes))} as well"


def scope_named(scope: Scope) -> str:
    """Return a scope in words."""
    return f"the {scope.type.lower().replace('_', ' ')} {scope.name}"


def listed(words: Iterable[str], shown: int = 12) -> str:
    """Join words with commas; of many, the first ones and how many more there are."""
    every = list(words)
    more = f" and {len(every) - shown} more" if len(every) > shown else ""
    return ", ".join(every[:shown]) + more


def moment(at: datetime | float) -> str:
    """A time, or Unix seconds, in UTC, to the minute."""
    time = at.astimezone(UTC) if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    return time.strftime("%Y-%m-%d %H:%M UTC")


def counted(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
