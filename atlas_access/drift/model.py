"""What a drift check has read of the live systems, as frozen records.

Every part is either what was read or an `Unread` that says why it could not be. No record holds a password, a
connection string, or a value of a variable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from atlas_access.base import Unread
from atlas_access.clients import ObservedCluster, ObservedKey, ObservedRole, ObservedUser
from atlas_access.manifest import Consumer
from atlas_access.privileges import Privileges


@dataclass(frozen=True)
class ObservedSecret:
    """A secret's metadata. `key` is "" for the account's default key, `policy` says in words whom a policy lets in.

    `rotates` names the function that may write new values on a schedule, `replicas` the regions that hold copies.
    `made_at` is when the current version was made, None where nobody asked.
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
    made_at: datetime | None = None


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
class ObservedTask:
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
class ObservedOtherTask:
    """A task definition that is not the stack's own: its family, its revision, and the secrets that it is handed."""

    family: str
    revision: str
    bound: tuple[BoundVariable, ...]


@dataclass(frozen=True)
class ObservedView:
    """A view: what it shows, and the fields by whose values its first step filters it; its other steps are not read."""

    name: str
    source: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class ObservedCollections:
    """What the reader of a cluster sees: the collections of the manifest's database, and its own privileges.

    `views` are listed where the manifest declares a family of them. `weakened` are the options by which its connection
    string weakens the connection; then nothing else was asked.
    """

    user: str
    database: str
    names: frozenset[str]
    privileges: Privileges
    roles: frozenset[str]
    version: str
    weakened: tuple[str, ...] = ()
    views: tuple[ObservedView, ...] = ()


@dataclass(frozen=True)
class NotReached:
    """A part that nobody is to inspect, as a setting or access.yaml says: reported each time, and not a fault.

    What was asked and did not answer is an `Unread`, whatever the reason.
    """

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True)
class Observed:
    """Everything that one drift check has read of one environment.

    `ends` is when the secret expires by which Atlas was asked, None for an API key, which does not.
    """

    users: tuple[ObservedUser, ...] | Unread
    roles: tuple[ObservedRole, ...] | Unread
    cluster: ObservedCluster | Unread
    key: ObservedKey | Unread
    secrets: tuple[ObservedSecret | Unread, ...]
    tasks: tuple[ObservedTask | Unread, ...]
    collections: ObservedCollections | Unread | NotReached
    other_tasks: tuple[ObservedOtherTask, ...] | Unread = ()
    ends: datetime | NotReached | None = None
