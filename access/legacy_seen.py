"""What was read of a legacy estate, as frozen records; a part that was not read is an `Unread`.

It must never hold a secret's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from access.drift_seen import BoundVariable, SeenRole, SeenSecret, SeenUser, Unread


@dataclass(frozen=True)
class SeenRevision:
    """A task-definition revision of an environment's account; `running` when a service or task runs it."""

    environment: str
    arn: str
    active: bool
    running: bool
    bound: tuple[BoundVariable, ...]

    @property
    def name(self) -> str:
        """`family:revision`."""
        return self.arn.rpartition("/")[2] or self.arn


@dataclass(frozen=True)
class SeenLogins:
    """The last successful login of each user since a moment (Atlas keeps seven days)."""

    since: datetime
    last: Mapping[str, datetime]


@dataclass(frozen=True)
class LegacySeen:
    """Everything that was read. `revisions` holds one part per account that could bind a secret of this estate."""

    users: tuple[SeenUser, ...] | Unread
    roles: tuple[SeenRole, ...] | Unread
    secrets: tuple[SeenSecret, ...] | Unread
    revisions: tuple[tuple[SeenRevision, ...] | Unread, ...]
    logins: SeenLogins | Unread
