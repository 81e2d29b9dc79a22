"""The manifest as frozen records: what every other part of the project reads.

All rules were checked and names are resolved. Records hold tuples in the order of the file and compare by value.
"""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr

from atlas_access.base import Address
from atlas_access.privileges import BUILTIN_ROLES

ADMIN_DATABASE = "admin"
"""Where Atlas keeps custom roles and authenticates users: a role is assigned as `role@admin`."""

LOCAL = "local"
"""The environment of the `local` bindings: a developer's machine, which uses staging's cluster (ADR 0006)."""


class DataClass(StrEnum):
    """How sensitive a collection's documents are."""

    PUBLIC = "public"
    PII = "pii"
    PHI = "phi"


class Consumer(StrEnum):
    """Who receives a variable: the runtime service, the deploy-time schema task, or a developer's machine."""

    SERVICE = "service"
    SCHEMA_TASK = "schema_task"
    LOCAL = "local"


class Record(BaseModel):
    """A frozen record; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Retention(Record):
    """How long the server keeps a row: a TTL index on this field alone erases it after as many days."""

    field: str
    days: int

    @property
    def seconds(self) -> int:
        """The index's `expireAfterSeconds`."""
        return self.days * 24 * 60 * 60


class Audit(Record):
    """Where the append-only audit log lives (ADR 0002); without a retention its rows stay for ever."""

    database: str
    collection: str
    retention: Retention | None = None

    @property
    def namespace(self) -> str:
        """The log's full name, such as `askflorence.agent_audit_log`."""
        return f"{self.database}.{self.collection}"


class Collection(Record):
    """One collection: its database, data class, the clusters it lives on, and whether it may be absent there."""

    name: str
    data_class: DataClass
    on: tuple[str, ...]
    may_be_absent: bool
    database: str

    @property
    def namespace(self) -> str:
        """The full name, such as `askflorence.plans`."""
        return f"{self.database}.{self.name}"


class Grant(Record):
    """One Atlas action on the named collections (Atlas wants each action once, with many resources)."""

    action: str
    collections: tuple[str, ...]


class CustomRole(Record):
    """A custom role of the Atlas project; `adopted` when it exists already and is taken over by import."""

    name: str
    grants: tuple[Grant, ...]
    adopted: bool


class RoleRef(Record):
    """A role as it is assigned to a user: built-in roles on their database, custom ones on `admin`."""

    name: str
    database: str

    @property
    def is_builtin(self) -> bool:
        """Whether MongoDB defines the role."""
        return self.name in BUILTIN_ROLES

    def __str__(self) -> str:
        return f"{self.name}@{self.database}"


class User(Record):
    """A database user that exists on every environment's cluster.

    Nearly every user has one role; a reader has two when the audit log lives in a database of its own.
    """

    name: str
    roles: tuple[RoleRef, ...]
    secret: str
    adopted: bool
    secret_adopted: bool

    @property
    def role(self) -> RoleRef:
        """The user's first role, the one that names what it is for."""
        return self.roles[0]

    def secret_name(self, environment: str) -> str:
        """Return the secret's name in Secrets Manager for an environment."""
        return self.secret.replace("{env}", environment)


class Binding(Record):
    """One variable of one consumer in one environment, fully resolved.

    `cluster` names the environment whose cluster is meant. `local` bindings have environment "local", the cluster
    "staging" and staging's secret.
    """

    consumer: Consumer
    variable: str
    user: str
    environment: str
    cluster: str
    address: Address
    secret_name: str


class DeprecatedVariable(Record):
    """A variable that code may no longer use, and the one that succeeds it."""

    name: str
    successor: str


class Waiver(Record):
    """A known finding, accepted by a decision record.

    `on` is "audit" (what the user can do to the audit log) or "database" (index management by the runtime).
    """

    id: str
    user: str
    on: str
    permits: tuple[str, ...]
    adr: str
    reason: str


class LegacySecret(Record):
    """A secret that holds a legacy user's connection string, whose account owns it, and the variable bound to it."""

    environment: str
    name: str
    variable: str


class LegacyUser(Record):
    """A user made by hand, to be retired behind the gate, and the managed user that succeeds it."""

    environment: str
    name: str
    role: RoleRef
    successor: str
    secrets: tuple[LegacySecret, ...]


class Manifest(Record):
    """Who may do what in MongoDB, and which task receives which credential (ADR 0006)."""

    version: int
    database: str
    environments: tuple[str, ...]
    audit: Audit
    collections: tuple[Collection, ...]
    read_across: tuple[str, ...]
    roles: tuple[CustomRole, ...]
    users: tuple[User, ...]
    bindings: tuple[Binding, ...]
    deprecated_variables: tuple[DeprecatedVariable, ...]
    waivers: tuple[Waiver, ...]
    legacy: tuple[LegacyUser, ...]

    _source: str = PrivateAttr(default="access.yaml")
    _lines: Mapping[str, int] = PrivateAttr(default_factory=lambda: MappingProxyType({}))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Manifest) and self.model_dump() == other.model_dump()

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what the manifest says; comments, layout and the order of entries do not count."""
        text = json.dumps(_canonical(self.model_dump(mode="json")), separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

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

    def bindings_of(self, user: str) -> tuple[Binding, ...]:
        """Return every binding that hands out this user's credential."""
        return tuple(binding for binding in self.bindings if binding.user == user)

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
