"""What the services answered, as frozen records. They never hold a password or a connection string."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from atlas_access.base import ClusterAddresses, HeldRole

PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
"""How a user signs in who has a password; the others are "X.509", "AWS IAM", "LDAP" and "OIDC"."""


MADE_LABEL = ("made-by", "atlas-access")
"""The label of a database user that this program made."""

USABLE = "Enabled"
"""The state of a key that decrypts; the others are "Disabled", "PendingDeletion" and the like."""


@dataclass(frozen=True, order=True)
class Scope:
    """What a user may reach: a cluster, a lake or a stream workspace of the project (type as Atlas writes it)."""

    name: str
    type: str


@dataclass(frozen=True)
class ObservedUser:
    """A database user of the project. `sign_in` as in PASSWORD; `delete_after` is when Atlas removes the user."""

    name: str
    auth_database: str
    roles: frozenset[HeldRole]
    scopes: frozenset[Scope]
    sign_in: str = PASSWORD
    delete_after: datetime | None = None
    labels: tuple[tuple[str, str], ...] = ()


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
class ObservedRole:
    """A custom role of the project: Atlas actions with their places, and what it inherits."""

    name: str
    grants: frozenset[tuple[str, Place]]
    inherited: frozenset[HeldRole] = frozenset()


@dataclass(frozen=True)
class ObservedCluster:
    """The stack's cluster: its name, the server's version, how many private endpoints it has, and its addresses."""

    name: str
    version: str
    private_endpoints: int
    addresses: ClusterAddresses | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ObservedCredentials:
    """The roles of an API key or service account, each with the project it is for, "" for the organization.

    `ends` is when the last secret of a service account expires; an API key does not expire.
    """

    roles: frozenset[tuple[str, str]]
    ends: datetime | None = None


@dataclass(frozen=True)
class ObservedEvent:
    """What was done to a user or role (Atlas events), when, and by whom in words; `text` is Atlas's own line."""

    type: str
    at: datetime
    user: str
    text: str
    by: str


@dataclass(frozen=True)
class ObservedKey:
    """The key that secrets are encrypted under: its ARN, and its state as KMS writes it."""

    arn: str
    state: str = USABLE


@dataclass(frozen=True)
class AccessLog:
    """Attempts to log in between two moments: whose, and when. Without `whole` only the newest ones are here."""

    start: datetime
    end: datetime
    attempts: tuple[tuple[str, datetime], ...]
    whole: bool


@dataclass(frozen=True)
class ObservedLogins:
    """The last successful login of each user since a moment (Atlas keeps seven days)."""

    since: datetime
    last: Mapping[str, datetime]


_DONE = ("ADDED", "UPDATED", "DELETED")


EVENT_TYPES = tuple(f"MONGODB_{what}_{done}" for what in ("USER", "ROLE") for done in _DONE)
"""The Atlas events that say who changed a user or a role."""
