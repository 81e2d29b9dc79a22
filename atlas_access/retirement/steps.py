"""The steps that a retirement can take next, and the records that it decides on. Nothing is decided or done here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from atlas_access.base import HeldRole
from atlas_access.retirement.journal import Journal, Stage
from atlas_access.retirement.model import TOMBSTONED, Condition


class Way(StrEnum):
    """To tombstones, to deletion, or back to the recorded roles."""

    TOMBSTONE = "tombstone"
    DELETE = "delete"
    RESTORE = "restore"


@dataclass(frozen=True)
class Target:
    """A legacy user and the roles that access.yaml says it has."""

    name: str
    declared: frozenset[HeldRole]


@dataclass(frozen=True)
class Goal:
    """What one run is to reach.

    `users` in the order in which they go, the one that another environment reads by last; `roles` the custom roles that
    go with them; `secrets` those of the stack's own account. `recorded_since` is when the tombstones were complete by
    the stack's state, None where it says nothing.
    """

    stack: str
    way: Way
    users: tuple[Target, ...]
    roles: tuple[str, ...]
    secrets: tuple[str, ...]
    recorded_since: float | None = None


@dataclass(frozen=True)
class LiveUser:
    """A database user as Atlas has it; `stamp` is when we tombstoned it (Unix seconds), None without our label."""

    roles: frozenset[HeldRole]
    stamp: float | None = None

    @property
    def tombstoned(self) -> bool:
        """Whether it holds the tombstone role and no other."""
        return self.roles == {TOMBSTONED}


class SecretState(StrEnum):
    """Whether a secret can be read, waits in its recovery window, or is gone."""

    PRESENT = "present"
    SCHEDULED = "scheduled"
    ABSENT = "absent"


@dataclass(frozen=True)
class LiveState:
    """One live: the journal, the project's users and custom roles, the secrets (only for a deletion), the wall clock.

    `role_sound` says whether the tombstone role grants what it should and nothing else; None where there is none.
    """

    journal: Journal
    users: Mapping[str, LiveUser]
    roles: frozenset[str]
    role_sound: bool | None
    secrets: Mapping[str, SecretState]
    wall: float

    def holders(self, role: str) -> tuple[str, ...]:
        """Who holds a role."""
        return tuple(
            sorted(name for name, user in self.users.items() if role in {held.name for held in user.roles})
        )


@dataclass(frozen=True)
class Examined:
    """The gate's conditions at one moment, and the idle legacy-bound revisions of the own account (ARNs)."""

    conditions: tuple[Condition, ...]
    idle: tuple[str, ...] = ()


@dataclass(frozen=True)
class Learnt:
    """What this run knows besides what it sees.

    `examined` is None until the gate was asked, `strictly` until it was asked with no revision left. `after` is what
    the smoke gates said once everything was done, None until asked. `kept` are roles that Atlas would not remove.
    """

    examined: Examined | None = None
    strictly: Examined | None = None
    deregistered: frozenset[str] = frozenset()
    after: tuple[str, ...] | None = None
    undoing: str = ""
    kept: Mapping[str, str] = field(default_factory=dict)
    moved: bool = False


class RoleInUse(Exception):
    """Atlas does not remove a role that somebody holds or inherits (409)."""


@dataclass(frozen=True)
class Examine:
    """Ask every condition of the gate; `strict` once no legacy-bound revision may be left."""

    strict: bool


@dataclass(frozen=True)
class Deregister:
    """Deregister a legacy-bound revision that nothing runs, schedules or names."""

    revision: str

    def __str__(self) -> str:
        return f"deregister {self.revision.rpartition('/')[2]}"


@dataclass(frozen=True)
class Enter:
    """Write a stage into the journal."""

    stage: Stage
    since: float | None = None


@dataclass(frozen=True)
class MakeRole:
    """Make the tombstone role."""

    def __str__(self) -> str:
        return "make the tombstone role"


@dataclass(frozen=True)
class Remember:
    """Write a user's roles into the journal, before they are taken away."""

    user: str
    roles: frozenset[HeldRole]


@dataclass(frozen=True)
class RevokeRoles:
    """Replace a user's roles by the tombstone role."""

    user: str

    def __str__(self) -> str:
        return f"tombstone user {self.user}"


@dataclass(frozen=True)
class RestoreRoles:
    """Give a user its recorded roles back."""

    user: str
    roles: frozenset[HeldRole]

    def __str__(self) -> str:
        return f"restore user {self.user}"


@dataclass(frozen=True)
class RemoveUser:
    """Delete a user."""

    user: str

    def __str__(self) -> str:
        return f"delete user {self.user}"


@dataclass(frozen=True)
class RemoveRole:
    """Delete a custom role that nobody holds."""

    role: str

    def __str__(self) -> str:
        return f"delete role {self.role}"


@dataclass(frozen=True)
class Schedule:
    """Delete a secret with the recovery window of 30 days."""

    secret: str

    def __str__(self) -> str:
        return f"schedule secret {self.secret}"


@dataclass(frozen=True)
class Judge:
    """Wait until Atlas has applied everything, then run the smoke gates."""


@dataclass(frozen=True)
class Undo:
    """From here on, give the roles back, because of this."""

    cause: str


@dataclass(frozen=True)
class Erase:
    """Take the journal off: nothing is tombstoned any more."""


@dataclass(frozen=True)
class Done:
    """The end: the goal is reached. `kept` says which roles stayed and why; `since`, when tombstones were complete."""

    stage: Stage
    since: float | None
    moved: bool
    kept: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """The end: for these reasons nothing more was done; `conditions` are all of the gate's, where it was asked."""

    reasons: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Restored:
    """The end of a run that did not mean to: the recorded roles are back, because of this."""

    cause: str


@dataclass(frozen=True)
class NotGreen:
    """The end: everything is deleted and the gates are red; there is no way back."""

    failures: tuple[str, ...]


End = Done | Refused | Restored | NotGreen
Change = Deregister | MakeRole | RevokeRoles | RestoreRoles | RemoveUser | RemoveRole | Schedule
"""What changes the world; each is written into the journal before and after."""

CHANGES = (Deregister, MakeRole, RevokeRoles, RestoreRoles, RemoveUser, RemoveRole, Schedule)
Step = Examine | Enter | Remember | Judge | Undo | Erase | Change
Effect = Step | End
ENDS = (Done, Refused, Restored, NotGreen)
