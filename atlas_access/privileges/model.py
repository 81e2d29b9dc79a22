"""Privileges as values: what a user is declared to hold, what a server says that it holds, and both in English.

Privileges in MongoDB only add; nothing denies (MongoDB manual, authorization).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from atlas_access.privileges.actions import display_name, permits
from atlas_access.privileges.builtin_roles import builtin_actions

if TYPE_CHECKING:
    pass

DEFAULT_MAJOR = "6.0"


class Scope(StrEnum):
    """What kind of resource a privilege names (MongoDB manual, resource document)."""

    NAMESPACE = "namespace"
    CLUSTER = "cluster"
    ANY_RESOURCE = "anyResource"
    SYSTEM_BUCKETS = "system_buckets"
    UNKNOWN = "unknown"


@dataclass(frozen=True, order=True)
class Privilege:
    """One action of the server on one resource.

    As in MongoDB: collection "" means every collection of the database but system.*, and database "" means every
    database but local and config. `scope` distinguishes the resources that are not namespaces.
    """

    database: str
    collection: str
    action: str
    scope: Scope = Scope.NAMESPACE

    @property
    def resource(self) -> str:
        """The resource in words: `shop.orders`, `every collection of shop`, `the cluster`."""
        if self.scope is Scope.CLUSTER:
            return "the cluster"
        if self.scope is Scope.ANY_RESOURCE:
            return "everything, system collections included"
        if self.scope is Scope.SYSTEM_BUCKETS:
            return f"the time-series buckets of {self.database or 'every database'}"
        if self.scope is Scope.UNKNOWN:
            return "a resource of a kind that is not known here"
        if self.collection:
            return f"{self.database or 'every database'}.{self.collection}"
        return f"every collection of {self.database or 'every database'}"

    def covers(self, database: str, collection: str) -> bool:
        """Whether the privilege reaches a collection; a database-wide one does not reach system.* ones."""
        if self.scope is Scope.ANY_RESOURCE:
            return True
        if self.scope is not Scope.NAMESPACE:
            return False
        if self.database not in (database, "") or (not self.database and database in ("local", "config")):
            return False
        if self.collection:
            return self.collection == collection
        return not collection.startswith("system.")

    def __str__(self) -> str:
        return f"{display_name(self.action)} on {self.resource}"


Privileges = frozenset[Privilege]


def builtin_privileges(role: str, database: str, major_version: str = DEFAULT_MAJOR) -> Privileges:
    """Return the documented privileges of a built-in role on its database.

    `major_version` is "6.0", "7.0" or "8.0"; a full version such as "6.0.5" will do. Raises UnknownBuiltinRole,
    UnknownServerVersion (both ValueError).
    """
    granted, _ = builtin_actions(role, major_version)
    return _spread(database, granted)


def patch_privileges(role: str, database: str, major_version: str = DEFAULT_MAJOR) -> Privileges:
    """Return what patch releases of a major may add to a built-in role: present or absent, both are as documented."""
    _, patches = builtin_actions(role, major_version)
    return _spread(database, patches)


def server_privileges(listed: Iterable[Mapping[str, object]]) -> Privileges:
    """Read the server's list: `authenticatedUserPrivileges` of connectionStatus, or `privileges` of rolesInfo.

    Each item is {resource: {db, collection} | {cluster: true} | {anyResource: true} | {system_buckets}, actions: […]}.
    A resource of another kind is kept as unknown, so that it shows as an excess instead of vanishing. Raises
    ValueError when an item has not this shape.
    """
    found: set[Privilege] = set()
    for item in listed:
        resource, actions = item.get("resource"), item.get("actions")
        if not isinstance(resource, Mapping) or not isinstance(actions, Sequence) or isinstance(actions, str):
            raise ValueError(  # noqa: TRY004 - the server's answer is a value, not a caller's argument
                "the server's list of privileges has an item without a resource or actions"
            )
        scope, database, collection = _resource(resource)
        found.update(Privilege(database, collection, str(action), scope) for action in actions)
    return frozenset(found)


def actions_on(privileges: Iterable[Privilege], database: str, collection: str) -> frozenset[str]:
    """Return the server's actions in effect on one collection."""
    return frozenset(privilege.action for privilege in privileges if privilege.covers(database, collection))


def sentences_of(user: str, privileges: Iterable[Privilege]) -> tuple[str, ...]:
    """Say privileges in English, a sentence for each resource, with Atlas's names of the actions where it has one."""
    by_resource: dict[tuple[str, str, Scope], list[Privilege]] = {}
    for privilege in sorted(privileges):
        by_resource.setdefault((privilege.database, privilege.collection, privilege.scope), []).append(
            privilege
        )
    return tuple(
        f"{user} may {', '.join(_ordered(p.action for p in group))} on {group[0].resource}"
        for group in by_resource.values()
    )


def excess_sentence(user: str, privilege: Privilege) -> str:
    """Say what a privilege beyond the declared ones permits: `x can erase documents: REMOVE on shop.orders`."""
    return f"{user} can {permits(privilege.action)}: {privilege}"


def missing_sentence(user: str, privilege: Privilege) -> str:
    """Say what a declared privilege that is not there prevents."""
    return f"{user} cannot {permits(privilege.action)}: {privilege} is missing"


_FIRST = ("FIND", "INSERT", "UPDATE", "REMOVE")


def _ordered(actions: Iterable[str]) -> list[str]:
    names = {display_name(action) for action in actions}
    rest = sorted(names - set(_FIRST), key=lambda name: (not name.isupper(), name))
    return [name for name in _FIRST if name in names] + rest


def _spread(database: str, by_collection: Mapping[str, Iterable[str]]) -> Privileges:
    return frozenset(
        Privilege(database, collection, action)
        for collection, actions in by_collection.items()
        for action in actions
    )


def _resource(resource: Mapping[object, object]) -> tuple[Scope, str, str]:
    keys = set(resource)
    database = str(resource.get("db", ""))
    if keys == {"db", "collection"}:
        return Scope.NAMESPACE, database, str(resource["collection"])
    if keys == {"cluster"}:
        return Scope.CLUSTER, "", ""
    if keys == {"anyResource"}:
        return Scope.ANY_RESOURCE, "", ""
    if "system_buckets" in keys and keys <= {"db", "system_buckets"}:
        return Scope.SYSTEM_BUCKETS, database, str(resource["system_buckets"])
    return Scope.UNKNOWN, "", " ".join(sorted(str(key) for key in keys))
