"""What the gate and the inventory have read, as frozen records; a part that was not read is an `Unread`.

It holds no password, connection string, or value of a variable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from atlas_access.base import Finding, Settings, Unread
from atlas_access.clients import ObservedLogins, ObservedRole, ObservedUser
from atlas_access.drift import BoundVariable, Drift, ObservedSecret


@dataclass(frozen=True)
class BoundRevision:
    """A task-definition revision that names something legacy.

    `names` are the secrets and users that it names, `used_by` everything that runs, schedules or names it.
    """

    arn: str
    active: bool
    names: tuple[str, ...]
    used_by: tuple[str, ...] = ()

    @property
    def idle(self) -> bool:
        """Whether it is registered and nothing more."""
        return self.active and not self.used_by

    @property
    def short(self) -> str:
        """`family:revision`."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class ObservedAccount:
    """One environment's account: its revisions that name something legacy, and how many were inspected in all."""

    environment: str
    inspected: int
    bound: tuple[BoundRevision, ...] = ()


@dataclass(frozen=True)
class ObservedService:
    """One environment's service: what it runs, and since when without legacy bindings (Unix seconds; None: not).

    `completed` counts its deployments since; `troubles` are a lease, a hold, or a deployment under way.
    """

    environment: str
    running: str
    since: float | None
    completed: int = 0
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True)
class LegacyLogin:
    """How often one legacy user logged in, or tried to, and when last."""

    user: str
    count: int
    last: datetime


@dataclass(frozen=True)
class SoakLogins:
    """The logins of legacy users in a span of time; `asked` is how many logins of anybody were observed through."""

    start: datetime
    end: datetime
    asked: int
    legacy: tuple[LegacyLogin, ...] = ()


@dataclass(frozen=True)
class ObservedGate:
    """Everything that one inspect the gate has found. `wall` is Unix seconds, `skew` how far it is from AWS's clock.

    `settings` hold the step, and what a person typed and stated because it cannot be observed from here.
    `accounts` are those of every environment that reads this cluster, `services` those of every environment. `smoke`
    are the failures of a round of gates, None where gates are not run (a sandbox's own tests). `terraform` are the
    secrets that Terraform's files declare or may declare, an `Unread` where none are named. `explained` counts the
    differences that the retirement itself has made, which `drift` no longer holds.
    """

    stack: str
    settings: Settings
    wall: float
    skew: float | Unread
    accounts: tuple[ObservedAccount | Unread, ...]
    services: tuple[ObservedService | Unread, ...]
    drift: Drift | Unread
    smoke: tuple[str, ...] | Unread | None
    logins: SoakLogins | Unread
    terraform: tuple[Finding, ...] | Unread
    explained: int = 0
    tombstoned: float | None = None


@dataclass(frozen=True)
class ObservedRevision:
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
class ObservedLegacy:
    """Everything that was read. `revisions` holds one part per account that could bind a secret of this inventory."""

    users: tuple[ObservedUser, ...] | Unread
    roles: tuple[ObservedRole, ...] | Unread
    secrets: tuple[ObservedSecret, ...] | Unread
    revisions: tuple[tuple[ObservedRevision, ...] | Unread, ...]
    logins: ObservedLogins | Unread
