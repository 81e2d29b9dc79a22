"""The parts of a manifest as frozen records: bindings, users, roles, collections, waivers, what is legacy."""

import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from atlas_access.base import Address
from atlas_access.privileges import BUILTIN_ROLES

ADMIN_DATABASE = "admin"
"""Where Atlas keeps custom roles and authenticates users: a role is assigned as `role@admin`."""

LOCAL = "local"
"""The environment of the `local` bindings: a developer's machine (ADR 0006)."""


class DataClass(StrEnum):
    """How sensitive a collection's documents are."""

    PUBLIC = "public"
    PII = "pii"
    PHI = "phi"


class Consumer(StrEnum):
    """Who receives a variable: the runtime service, the deploy-time schema task, a developer's machine, or nobody."""

    SERVICE = "service"
    SCHEMA_TASK = "schema_task"
    LOCAL = "local"
    NOBODY = "nobody"


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
    """Where the append-only audit log lives (ADR 0002); without a retention its rows stay for ever.

    `validator` says that a validator that refuses rows is there by decision.
    """

    database: str
    collection: str
    retention: Retention | None = None
    validator: bool = False

    @property
    def namespace(self) -> str:
        """The log's full name, such as `shop.audit_log`."""
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
        """The full name, such as `shop.orders`."""
        return f"{self.database}.{self.name}"


class ViewFamily(Record):
    """Views of one collection, each filtered by a value of one field (ADR 0006); `name` holds the value's place."""

    name: str
    data_class: DataClass
    on: tuple[str, ...]
    database: str
    source: str
    field: str

    def holds(self, name: str) -> bool:
        """Whether a view of this name is one of the family."""
        before, after = re.split(r"\{\w+\}", self.name)
        middle = name.removeprefix(before).removesuffix(after)
        return f"{before}{middle}{after}" == name and re.fullmatch(r"[A-Za-z0-9_-]+", middle) is not None


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

    Nearly every user has one role; a reader has two when the audit log lives in a database of its own. `most_days` is
    the greatest age of its password, 0 for none.
    """

    name: str
    roles: tuple[RoleRef, ...]
    secret: str
    adopted: bool
    secret_adopted: bool
    most_days: int = 0

    @property
    def role(self) -> RoleRef:
        """The user's first role, the one that names what it is for."""
        return self.roles[0]

    def secret_name(self, environment: str) -> str:
        """Return the secret's name in Secrets Manager for an environment."""
        return self.secret.replace("{env}", environment)


class Binding(Record):
    """One variable of one consumer in one environment, fully resolved.

    `cluster` names the environment whose cluster is meant. `local` bindings have environment "local", the cluster and
    the secret of `local_environment`.
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
