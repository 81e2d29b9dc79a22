"""What was read of a legacy estate, as frozen records; a part that was not read is an `Unread`.

No secret's value is held.
"""

from __future__ import annotations

from dataclasses import dataclass

from atlas_access.base import Unread
from atlas_access.clients import SeenLogins, SeenRole, SeenUser
from atlas_access.drift import BoundVariable, SeenSecret


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
class LegacySeen:
    """Everything that was read. `revisions` holds one part per account that could bind a secret of this estate."""

    users: tuple[SeenUser, ...] | Unread
    roles: tuple[SeenRole, ...] | Unread
    secrets: tuple[SeenSecret, ...] | Unread
    revisions: tuple[tuple[SeenRevision, ...] | Unread, ...]
    logins: SeenLogins | Unread
