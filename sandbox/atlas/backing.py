"""Writes the emulator's roles and users to `mongod`; every change is idempotent and passwords are not kept.

Atlas features that MongoDB lacks are built from MongoDB's: `atlasAdmin` and built-in roles on one collection become
roles in admin; a user whose scopes exclude the cluster is restricted to an unreachable client address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pymongo
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from atlas_access.privileges import mongo_actions
from sandbox.atlas.models import CustomRole, DatabaseUser, Resource, RoleGrant

_NOT_FOUND = {11, 31}
_EXISTS = {51002, 51003}
_TIMEOUT_SECONDS = 3.0
_NOWHERE = "192.0.2.1/32"  # an address that nobody has (RFC 5737)
_ATLAS_ADMIN = ("readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor", "enableSharding")


@dataclass(frozen=True)
class ServerFacts:
    """What the project's server says of itself."""

    version: str
    replica_set: str


class Backing:
    """A root connection to one project's `mongod`; the caller closes it. No call waits long for a server that hangs."""

    def __init__(self, root_uri: str) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(
            root_uri,
            directConnection=True,
            serverSelectionTimeoutMS=1000,
            timeoutMS=int(_TIMEOUT_SECONDS * 1000),
            connect=False,
        )

    def facts(self) -> ServerFacts:
        """Ask the server for its version and its replica set's name; raises `PyMongoError` when it is away."""
        hello = self._client.admin.command("hello")
        version = str(self._client.server_info()["version"])
        return ServerFacts(version=version, replica_set=str(hello.get("setName", "")))

    def close(self) -> None:
        """Close the connection."""
        with pymongo.timeout(_TIMEOUT_SECONDS):  # also limits the server's work
            self._client.close()

    def put_role(self, role: CustomRole, version: str) -> None:
        """Make the role in admin exactly so; actions that a server of this version does not know grant nothing."""
        granted: dict[Resource, set[str]] = {}
        for action in role.actions:
            if known := mongo_actions(action.action, version):
                for resource in action.resources:
                    granted.setdefault(resource, set()).update(known)
        privileges = [{"resource": _resource(r), "actions": sorted(names)} for r, names in granted.items()]
        inherited = [self._role(each.role, each.db) for each in role.inherited_roles]
        self._put("Role", role.role_name, privileges=privileges, roles=inherited)

    def put_user(self, user: DatabaseUser, password: str | None, *, reachable: bool) -> None:
        """Make or change the user; without a password an existing one keeps its own."""
        roles = [self._grant(grant) for grant in user.roles]
        secret = {} if password is None else {"pwd": password}
        restrictions = [] if reachable else [{"clientSource": [_NOWHERE]}]
        self._put("User", user.username, roles=roles, authenticationRestrictions=restrictions, **secret)

    def drop(self, kind: str, name: str) -> None:
        """Drop a "Role" or a "User"; one that is not there is fine."""
        try:
            self._client.admin.command(f"drop{kind}", name)
        except OperationFailure as error:
            if error.code not in _NOT_FOUND:
                raise

    def _put(self, kind: str, name: str, **document: Any) -> None:
        verbs = ("create", "update") if kind == "Role" or "pwd" in document else ("update",)
        for verb in verbs:
            try:
                self._client.admin.command(f"{verb}{kind}", name, **document)
            except OperationFailure as error:
                if error.code not in _EXISTS or verb == "update":
                    raise
            else:
                return

    def _role(self, name: str, database: str) -> Mapping[str, str]:
        if name == "atlasAdmin":
            self._put("Role", name, privileges=[], roles=[{"role": r, "db": "admin"} for r in _ATLAS_ADMIN])
        return {"role": name, "db": database}

    def _grant(self, grant: RoleGrant) -> Mapping[str, str]:
        if not grant.collection_name:
            return self._role(grant.role_name, grant.database_name)
        whole = {"role": grant.role_name, "db": grant.database_name}
        answer = self._client.admin.command("rolesInfo", whole, showPrivileges=True)
        on_database = {"db": grant.database_name, "collection": ""}
        on_collection = {"db": grant.database_name, "collection": grant.collection_name}
        privileges = [
            {"resource": on_collection, "actions": privilege["actions"]}
            for privilege in answer["roles"][0]["privileges"]
            if privilege["resource"] == on_database
        ]
        self._put("Role", str(grant), privileges=privileges, roles=[])
        return {"role": str(grant), "db": "admin"}


def _resource(resource: Resource) -> Mapping[str, Any]:
    return {"cluster": True} if resource.cluster else {"db": resource.db, "collection": resource.collection}
