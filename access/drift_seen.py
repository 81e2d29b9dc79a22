"""What a drift check has read of the live systems, as frozen records.

For: the comparison in access/drift.py, which needs no server. Every part is either what was read or an `Unread`
that says why it could not be. It must never hold a password, a connection string, or a value of a variable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from access.manifest_model import Consumer
from access.privileges import Privileges

PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
"""How a user signs in who has a password; the others are "X.509", "AWS IAM", "LDAP" and "OIDC"."""

USABLE = "Enabled"
"""The state of a key that decrypts; the others are "Disabled", "PendingDeletion" and the like."""


@dataclass(frozen=True)
class Unread:
    """A part that could not be read: what it is, and why, in one plain line without a secret."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, order=True)
class HeldRole:
    """A role as a user or another role holds it; Atlas can narrow a built-in one to a collection."""

    name: str
    database: str
    collection: str = ""

    def __str__(self) -> str:
        return f"{self.name}@{self.database}{f'.{self.collection}' if self.collection else ''}"


@dataclass(frozen=True, order=True)
class Scope:
    """What a user may reach: a cluster, a lake or a stream workspace of the project (type as Atlas writes it)."""

    name: str
    type: str


@dataclass(frozen=True)
class SeenUser:
    """A database user of the project. `sign_in` as in PASSWORD; `delete_after` is when Atlas removes the user."""

    name: str
    auth_database: str
    roles: frozenset[HeldRole]
    scopes: frozenset[Scope]
    sign_in: str = PASSWORD
    delete_after: datetime | None = None


@dataclass(frozen=True, order=True)
class Place:
    """What an action is granted on: the cluster, or a collection ("" for every one) of a database ("" for every)."""

    database: str
    collection: str
    cluster: bool = False

    def __str__(self) -> str:
        if self.cluster:
            return "the cluster"
        if self.collection:
            return f"{self.database or 'every database'}.{self.collection}"
        return f"every collection of {self.database or 'every database'}"


@dataclass(frozen=True)
class SeenRole:
    """A custom role of the project: Atlas actions with their places, and what it inherits."""

    name: str
    grants: frozenset[tuple[str, Place]]
    inherited: frozenset[HeldRole] = frozenset()


@dataclass(frozen=True)
class SeenCluster:
    """The stack's cluster: its name, the server's version, and how many private endpoints it has."""

    name: str
    version: str
    private_endpoints: int


@dataclass(frozen=True)
class SeenEvent:
    """What was done to a user or role (Atlas events), when, and by whom in words; `text` is Atlas's own line."""

    type: str
    at: datetime
    user: str
    text: str
    by: str


@dataclass(frozen=True)
class SeenKey:
    """The key that secrets are encrypted under: its ARN, and its state as KMS writes it."""

    arn: str
    state: str = USABLE


@dataclass(frozen=True)
class SeenSecret:
    """A secret's metadata. `key` is "" for the account's default key, `policy` says in words whom a policy lets in.

    `rotates` names the function that may write new values on a schedule, `replicas` the regions that hold copies.
    """

    name: str
    exists: bool
    arn: str = ""
    key: str = ""
    deleted_at: datetime | None = None
    current_version: str = ""
    policy: str = ""
    rotates: str = ""
    replicas: tuple[str, ...] = ()


VARIABLES = "secrets"
"""The field of a container that binds variables; others, such as a log driver's options, can name secrets as well."""


@dataclass(frozen=True)
class BoundVariable:
    """One variable of a container and the ECS reference (`valueFrom`) that it is read from.

    `field` is where the container names it: VARIABLES, or another field of it, which then stands for the variable too.
    """

    variable: str
    value_from: str
    container: str = ""
    field: str = VARIABLES


@dataclass(frozen=True)
class SeenTask:
    """A live task definition: whose it is, its revision, what it binds, and which variables stand in plain view.

    `container` is the one that may hold credentials. `plain` names every plain variable, `plain_connections` those
    among them whose value is a connection string, `plain_texts` the other places that hold one, and `files` the
    environment files, whose content nobody reads.
    """

    consumer: Consumer
    revision: str
    running: bool
    bound: tuple[BoundVariable, ...]
    plain: tuple[str, ...] = ()
    plain_connections: tuple[str, ...] = ()
    container: str = ""
    plain_texts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    registered_at: datetime | None = None
    registered_by: str = ""


@dataclass(frozen=True)
class SeenNeighbour:
    """A task definition that is not the stack's own: its family, its revision, and the secrets that it is handed."""

    family: str
    revision: str
    bound: tuple[BoundVariable, ...]


@dataclass(frozen=True)
class SeenCollections:
    """What the reader of a cluster sees: the collections of the manifest's database, and its own privileges."""

    user: str
    database: str
    names: frozenset[str]
    privileges: Privileges
    roles: frozenset[str]
    version: str


@dataclass(frozen=True)
class NotReached:
    """A part that nobody is to look at, as a setting or access.yaml says: told each time, and no fault.

    What was asked and did not answer is an `Unread`, whatever the reason.
    """

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True)
class Seen:
    """Everything that one drift check has read of one environment."""

    users: tuple[SeenUser, ...] | Unread
    roles: tuple[SeenRole, ...] | Unread
    cluster: SeenCluster | Unread
    key: SeenKey | Unread
    secrets: tuple[SeenSecret | Unread, ...]
    tasks: tuple[SeenTask | Unread, ...]
    collections: SeenCollections | Unread | NotReached
    neighbours: tuple[SeenNeighbour, ...] | Unread = ()
