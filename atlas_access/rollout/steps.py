"""The steps that a rollout can take next, and the records that it decides on. Nothing is decided or done here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from atlas_access.clients import Alarm
from atlas_access.rollout.gates import NOT_RUN, Round
from atlas_access.rollout.model import ServiceState
from atlas_access.rollout.service_tags import Bound, Lease, ServiceTags


class Way(StrEnum):
    """Onto a new revision, or back to one that ran before."""

    FORWARD = "forward"
    BACK = "back"


@dataclass(frozen=True)
class Goal:
    """What one run is to reach.

    Forward: from `prior` to `wanted`. Back: to `prior`, because of `cause`; with `hold`, nothing swaps again until
    `rolloutRelease` exceeds `release`; with `leaving`, only where the service runs that revision. `deadline_seconds`
    is of the swap with its gates, and again of the undoing.
    """

    way: Way
    run: str
    prior: str
    wanted: str = ""
    release: int = 0
    deadline_seconds: float = 900.0
    cause: str = ""
    hold: bool = False
    leaving: str = ""


@dataclass(frozen=True)
class Observed:
    """The service's state, our tags on it, the wall clock (Unix seconds), a steady clock, and the watched alarms."""

    service: ServiceState
    service_tags: ServiceTags
    wall: float
    tick: float
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True)
class Undone:
    """An undoing that came to its end: why, which revision was left, and what the gates said afterwards."""

    cause: str
    left: str
    gates: Round = NOT_RUN


@dataclass(frozen=True)
class Chosen:
    """The revision to go back to, or why there is none."""

    revision: str
    refusal: str = ""


@dataclass(frozen=True)
class Learnt:
    """What this run knows besides what it sees. Ticks are of the steady clock.

    `refusals` is None until the pre-flight was made; `red_before` are the alarms that were in ALARM then. `refused` is
    what AWS refused before this run swapped. `taken` is the lease as this run wrote it, while it holds one. `since` is
    when it took or swapped last, `undoing_since` when it began to undo. `gates_after` is what the gates said after the
    undoing, None until asked. `secured` are a recorded revision and the one to go back to instead, the same where it
    can run again; `no_way_back` says why there is none.
    """

    started: float
    refusals: tuple[str, ...] | None = None
    red_before: frozenset[str] = frozenset()
    refused: str = ""
    taken: Lease | None = None
    since: float = 0.0
    swapped_to: str = ""
    swaps: int = 0
    green: int = 0
    cause: str = ""
    undoing_since: float | None = None
    gates_after: Round | None = None
    undone: Undone | None = None
    secured: tuple[str, str] | None = None
    no_way_back: str = ""

    def way_to(self, recorded: str) -> str:
        """The revision to go back to for a recorded one, "" until that was asked."""
        return self.secured[1] if self.secured and recorded in self.secured else ""


@dataclass(frozen=True)
class Preflight:
    """Look for every reason not to start, all at once."""


@dataclass(frozen=True)
class Secure:
    """Make sure that this recorded revision can run again, else register its definition with proven credentials."""

    revision: str


@dataclass(frozen=True)
class Take:
    """Write this lease, `taking_over` from a run that is dead; with `held`, hold the service as well."""

    lease: Lease
    taking_over: bool = False
    held: int | None = None


@dataclass(frozen=True)
class Beat:
    """Write a heartbeat."""


@dataclass(frozen=True)
class Swap:
    """Tell the service to run this revision."""

    revision: str


@dataclass(frozen=True)
class Wait:
    """Nothing to do but to look again; `why` is how it stands."""

    why: str


@dataclass(frozen=True)
class Judge:
    """Run one round of the gates against this revision."""

    revision: str


@dataclass(frozen=True)
class Undo:
    """Write into the lease that it is to be undone, before anything is put back; with `held`, hold the service."""

    cause: str
    held: int | None = None


@dataclass(frozen=True)
class Ask:
    """Write the same into the lease of another run, which obeys at once."""

    cause: str
    held: int | None = None


@dataclass(frozen=True)
class Bind:
    """Record on the service that it is bound to a revision, green."""

    bound: Bound


@dataclass(frozen=True)
class Release:
    """Take the lease off the service; with `freely`, a hold too."""

    freely: bool = False


@dataclass(frozen=True)
class Settle:
    """Take the lease and the record of what was bound off the service, after an undoing."""


@dataclass(frozen=True)
class Hold:
    """Hold the service: nothing swaps until `rolloutRelease` exceeds `release`."""

    release: int


@dataclass(frozen=True)
class Abandon:
    """Take the lease off before anything was swapped, because of this."""

    why: str


@dataclass(frozen=True)
class Done:
    """The end: the goal is reached, but for what `gates` say of it after a way back, None where nobody asked.

    `moved` says whether this run moved anything; `foreign`, that the revision is none of ours and was left alone.
    """

    revision: str
    moved: bool
    gates: Round | None = None
    foreign: bool = False


@dataclass(frozen=True)
class Refused:
    """The end: nothing was touched, for all of these reasons."""

    reasons: tuple[str, ...]


@dataclass(frozen=True)
class RolledBack:
    """The end: the recorded revision runs again."""

    undone: Undone


@dataclass(frozen=True)
class NotStable:
    """The end: the recorded revision does not become stable, or was not `put_back` at all; a person must look."""

    cause: str
    why: str
    put_back: bool = True


@dataclass(frozen=True)
class Lost:
    """The end: another run has taken the service over; it decides now."""

    run: str


End = Done | Refused | RolledBack | NotStable | Lost
Step = (
    Preflight
    | Secure
    | Take
    | Beat
    | Swap
    | Wait
    | Judge
    | Undo
    | Ask
    | Bind
    | Release
    | Settle
    | Hold
    | Abandon
)
Effect = Step | End
ENDS = (Done, Refused, RolledBack, NotStable, Lost)
