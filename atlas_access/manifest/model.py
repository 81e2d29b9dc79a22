"""The manifest as a frozen record: what every other part of the project reads.

All rules were checked and names are resolved. Records hold tuples in the order of the file and compare by value.
"""

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import PrivateAttr

from atlas_access.base import Address, both_logins
from atlas_access.manifest.records import (
    LOCAL,
    Audit,
    Binding,
    Collection,
    Consumer,
    CustomRole,
    DeprecatedVariable,
    LegacyUser,
    Record,
    User,
    ViewFamily,
    Waiver,
)


class Manifest(Record):
    """Who may do what in MongoDB, and which task receives which credential (ADR 0006)."""

    version: int
    database: str
    environments: tuple[str, ...]
    audit: Audit
    collections: tuple[Collection, ...]
    view_families: tuple[ViewFamily, ...] = ()
    read_across: tuple[str, ...]
    user_cap: int = 5
    roles: tuple[CustomRole, ...]
    users: tuple[User, ...]
    bindings: tuple[Binding, ...]
    deprecated_variables: tuple[DeprecatedVariable, ...]
    waivers: tuple[Waiver, ...]
    accepted_actions: tuple[str, ...]
    legacy: tuple[LegacyUser, ...]

    _source: str = PrivateAttr(default="access.yaml")
    _lines: Mapping[str, int] = PrivateAttr(default_factory=lambda: MappingProxyType({}))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Manifest) and self.model_dump() == other.model_dump()

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what the manifest says; comments, layout, the cap and the order of entries do not count."""
        unsaid = {"user_cap"} if self.view_families else {"user_cap", "view_families"}
        said = self.model_dump(mode="json", exclude=unsaid)
        text = json.dumps(_canonical(said), separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def logins(self) -> frozenset[str]:
        """The login names of the managed users: each has two by turns."""
        return frozenset(login for user in self.users for login in both_logins(user.name))

    def user(self, name: str) -> User:
        """Return the managed user of this name; raises KeyError."""
        return _named(self.users, name)

    def role(self, name: str) -> CustomRole:
        """Return the custom role of this name; raises KeyError."""
        return _named(self.roles, name)

    def collection(self, name: str) -> Collection:
        """Return the collection of this name; raises KeyError."""
        return _named(self.collections, name)

    def database_of(self, collection: str) -> str:
        """Return the database a collection lives in: the manifest's, or the audit log's own. Raises KeyError."""
        return self.collection(collection).database

    @property
    def left_out(self) -> tuple[str, ...]:
        """Return the optional parts that the manifest does not declare."""
        consumers = {each.consumer for each in self.bindings}
        crosses = any(each.environment not in (each.cluster, LOCAL) for each in self.bindings)
        declared = {
            "a schema task": Consumer.SCHEMA_TASK in consumers,
            "a cluster that is read across": crosses,
            "a developer's machine": Consumer.LOCAL in consumers,
            "a legacy inventory": bool(self.legacy),
        }
        return tuple(name for name, there in declared.items() if not there)

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases that the manifest speaks of: one, or two when the audit log has its own."""
        return tuple(dict.fromkeys((self.database, self.audit.database)))

    def bindings_for(self, environment: str, consumer: Consumer | None = None) -> tuple[Binding, ...]:
        """Return an environment's bindings, of one consumer or of all."""
        return tuple(
            binding
            for binding in self.bindings
            if binding.environment == environment and consumer in (None, binding.consumer)
        )

    def credentials_for(self, environment: str) -> tuple[Binding, ...]:
        """Return what an environment's stack keeps a secret of: what its tasks receive, then users that none receives.

        A user without a binding has a role on the cluster all the same, so its credential is proven too. Its binding
        has no variable and is read by the public address.
        """
        bound = tuple(
            each
            for consumer in (Consumer.SERVICE, Consumer.SCHEMA_TASK)
            for each in self.bindings_for(environment, consumer)
        )
        received = {each.user for each in bound if each.cluster == environment}
        return bound + tuple(
            Binding(
                consumer=Consumer.NOBODY,
                variable="",
                user=user.name,
                environment=environment,
                cluster=environment,
                address=Address.PUBLIC,
                secret_name=user.secret.replace("{env}", environment),
            )
            for user in self.users
            if user.name not in received
        )

    @property
    def successors(self) -> dict[str, str]:
        """Return the variable that succeeds each deprecated one."""
        return {each.name: each.successor for each in self.deprecated_variables}

    def bindings_of(self, user: str) -> tuple[Binding, ...]:
        """Return every binding that hands out this user's credential."""
        return tuple(binding for binding in self.bindings if binding.user == user)

    def carriers(self, user: str, cluster: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return, by environment, the secrets of its account that carry a user's credential of a cluster."""
        found = (
            (
                environment,
                tuple(
                    dict.fromkeys(
                        each.secret_name
                        for each in self.credentials_for(environment)
                        if (each.cluster, each.user) == (cluster, user)
                    )
                ),
            )
            for environment in self.environments
        )
        return tuple((environment, names) for environment, names in found if names or environment == cluster)

    def collections_on(self, environment: str) -> tuple[Collection, ...]:
        """Return the collections that live on an environment's cluster."""
        return tuple(collection for collection in self.collections if environment in collection.on)

    def legacy_on(self, environment: str) -> tuple[LegacyUser, ...]:
        """Return the legacy users of an environment's cluster."""
        return tuple(user for user in self.legacy if user.environment == environment)

    def line_of(self, where: str) -> int | None:
        """Return the line of a dotted path such as `roles.role_audit_writer.FIND`, None when it is not in the file."""
        return self._lines.get(where)

    def place_of(self, where: str) -> str:
        """Return `access.yaml:31` for a dotted path, or the file's name alone when the path is not in it."""
        line = self.line_of(where)
        return self._source if line is None else f"{self._source}:{line}"

    def declared_at(self, user: str) -> str:
        """Return where a managed user's grants stand, such as `access.yaml:44 (role_audit_writer)`; "" for another."""
        named = next((each for each in self.users if each.name == user), None)
        places = (
            self.place_of(f"users.{user}.role" if role.is_builtin else f"roles.{role.name}")
            for role in (named.roles if named else ())
        )
        roles = ", ".join(role.name for role in named.roles) if named else ""
        return f"{', '.join(dict.fromkeys(places))} ({roles})" if named else ""


_NamedT = TypeVar("_NamedT", User, CustomRole, Collection)


def _named(records: tuple[_NamedT, ...], name: str) -> _NamedT:
    for record in records:
        if record.name == name:
            return record
    raise KeyError(name)


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return sorted((_canonical(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value
