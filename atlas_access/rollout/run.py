"""The effects of a rollout and of a rollback, one for each step that `decide` chooses.

The service is observed before every step, so that a wish to undo from elsewhere is obeyed at once, and a lease that was
lost stops the run.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from atlas_access.base import Clock
from atlas_access.clients import Alarm, AwsUnavailable, ServiceError
from atlas_access.rollout.alarms import red
from atlas_access.rollout.aside import in_thread, tried
from atlas_access.rollout.changes import changes
from atlas_access.rollout.decide import BEAT_SECONDS, decide
from atlas_access.rollout.gates import NOT_RUN, ROUNDS, Gates, Round, safely
from atlas_access.rollout.learn import learn
from atlas_access.rollout.loop import SILENT_SECONDS, StepLoop
from atlas_access.rollout.model import ServiceState, short
from atlas_access.rollout.report import Figures, RolloutFailed, end_message, unknown
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_tags import Lease, ServiceTags
from atlas_access.rollout.steps import (
    ENDS,
    Abandon,
    Ask,
    Beat,
    Bind,
    Chosen,
    Done,
    Effect,
    End,
    Goal,
    Hold,
    Judge,
    Learnt,
    NotStable,
    Observed,
    Preflight,
    Release,
    RolledBack,
    Secure,
    Settle,
    Step,
    Swap,
    Take,
    Undo,
    Wait,
    Way,
)

POLL_SECONDS = 2.0
"""Between two observations of the service; ECS itself moves in seconds."""
COUNTDOWN_SECONDS = 30.0
ROUND_SECONDS = 300.0
"""How long one round of the gates, or the pre-flight, may take."""


@dataclass(frozen=True)
class Parts:
    """What a run works with.

    `preflight` gives every reason not to start; `gates` is None where none are configured. `failed` counts the requests
    that failed on the balanced address in the last so many seconds, None where nobody counts; `logged` gives the
    error lines of a revision's log in that time. `way_back` finds what to go back to for a recorded revision.
    `alarms` are those that are watched meanwhile.
    """

    stack: str
    service: Service
    clock: Clock
    say: Callable[[str], None]
    preflight: Callable[[Observed], tuple[str, ...]]
    gates: Gates | None
    poll_seconds: float = POLL_SECONDS
    aside: Callable[[Callable[[], Any]], Future[Any]] | None = None
    failed: Callable[[float], int | None] = lambda _: None
    logged: Callable[[str, float], tuple[str, ...]] = lambda *_: ()
    way_back: Callable[[str], Chosen] = Chosen
    alarms: Callable[[], tuple[Alarm, ...]] = tuple


def carry_out(goal: Goal, parts: Parts) -> Done:
    """Reach the goal, or end on the recorded revision.

    Raises:
        RolloutFailed: it was refused, undone, or taken over; the message says what runs now.
    """
    return _Run(goal, parts).to_end()


class _Run(StepLoop[Observed, Step, End, Learnt, Done]):
    ends = ENDS

    def __init__(self, goal: Goal, parts: Parts) -> None:
        super().__init__(
            Learnt(started=parts.clock.tick()),
            parts.clock,
            parts.say,
            seconds=4 * goal.deadline_seconds + 4 * ROUND_SECONDS,
            pause_seconds=parts.poll_seconds,
        )
        self._goal, self._parts = goal, parts
        self._said = ""
        self._events = ""
        self._counted = 0.0
        self._figures = Figures()
        self._details: tuple[str, ...] = ()

    def observe(self) -> Observed:
        state, service_tags = self._parts.service.observe_tagged()
        return Observed(state, service_tags, self.clock.wall(), self.clock.tick(), self._parts.alarms())

    def decide(self, observed: Observed) -> Effect:
        return decide(self._goal, observed, self.learnt)

    def finish(self, end: End, observed: Observed) -> Done:
        figures = self._figures
        if figures.swapped and isinstance(end, Done | RolledBack):
            seconds = observed.wall - figures.swapped
            figures = replace(figures, failed=self._parts.failed(seconds))
            if isinstance(end, RolledBack):
                figures = replace(figures, logged=self._parts.logged(end.undone.left, seconds))
        if isinstance(end, RolledBack | NotStable) and self._goal.way is Way.FORWARD:
            figures = replace(figures, changed=self._changed())
        text = end_message(self._parts.stack, self._goal, end, observed, self._details, figures)
        if isinstance(end, Done):
            if end.gates is not None and not end.gates.green:
                raise RolloutFailed(text, 3 if end.gates.unknown else 1, moved=True)
            self.say(text)
            return end
        raise RolloutFailed(text, moved=isinstance(end, RolledBack | NotStable))

    def _changed(self) -> tuple[str, ...] | None:
        definition = self._parts.service.definition
        with contextlib.suppress(AwsUnavailable):
            return changes(definition(self._goal.prior), definition(self._goal.wanted))
        return None

    def act(self, step: Effect, observed: Observed) -> Learnt:
        service, arn = self._parts.service, observed.service.arn
        match step:
            case Preflight():
                if observed.service.alarms:
                    self._report(f"ECS ends a deployment by the alarms {', '.join(observed.service.alarms)}")
                found = self._aside(lambda: self._parts.preflight(observed), "the pre-flight")
                if found is None:
                    return self.learnt
                self.learnt = replace(self.learnt, refusals=found)
            case Secure(revision):
                return self._secured(revision)
            case Judge(revision):
                return self._judged(revision)
            case Wait(why):
                self._waiting(why, observed)
                self.pause()
            case Take(lease, taking_over, held):
                self._report(_taking(lease, taking_over=taking_over))
                service.take(arn, lease, held)
                self.pause()
            case Beat():
                service.beat(arn, observed.wall)
            case Swap(revision):
                self._report(f"{short(observed.service.revision)} to {short(revision)}: telling the service")
                service.swap(revision)
                self._figures = self._figures.at("swapped", observed.wall)
            case Undo(cause, held):
                self._report(f"putting the recorded revision back: {cause}")
                self._explain(observed)
                service.wish(arn, cause, held)
            case Ask(cause, held):
                self._report("asking the run that moves the service to put the recorded revision back")
                service.wish(arn, cause, held)
            case Bind(bound):
                service.bind(arn, bound)
            case Release(freely):
                service.release(arn, freely=freely)
            case Abandon():
                service.release(arn)
            case Settle():
                service.settle(arn)
            case Hold(release):
                service.hold(arn, release)
        return learn(self.learnt, step, observed)

    def _judged(self, revision: str) -> Learnt:
        gates, undoing = self._parts.gates, self._undoing()
        if undoing and self.learnt.undoing_since is not None:
            self._figures = self._figures.at("back", self.clock.wall())
        if gates is None:
            self._report("gates NOT RUN: there is no smoke baseline of this stack")
            return replace(self.learnt, green=ROUNDS, gates_after=NOT_RUN if undoing else None)
        stop = threading.Event()
        try:
            result = self._aside(lambda: safely(gates, revision, stop.is_set), "the gates", undoing=undoing)
        finally:
            stop.set()
        if result is None:
            return self.learnt
        found = Round(result, unknown=True) if isinstance(result, tuple) else result
        self._report(f"gates on {short(revision)}: {found}")
        if undoing:
            return replace(self.learnt, gates_after=found)
        if found.green:
            return replace(self.learnt, green=self.learnt.green + 1)
        self._figures = self._figures.at("red", self.clock.wall())
        return replace(self.learnt, green=0, cause=found.failures[0])

    def _undoing(self) -> bool:
        return self.learnt.undoing_since is not None or self._goal.way is Way.BACK

    def _secured(self, revision: str) -> Learnt:
        found = self._aside(
            lambda: tried(self._parts.way_back, revision),
            "the check of the way back",
            undoing=self._undoing(),
        )
        if isinstance(found, tuple):
            self.say(f"whether {short(revision)} can run again is unknown: {found[0]}")
            found = Chosen(revision)
        if found is None:
            return self.learnt
        return replace(self.learnt, secured=(revision, found.revision), no_way_back=found.refusal)

    def _aside(self, work: Callable[[], Any], what: str, *, undoing: bool = False) -> Any:
        """Do slow work while the lease is kept alive and watched; None when the run must decide anew at once."""
        clock, begun = self.clock, self.clock.tick()
        job = (self._parts.aside or in_thread)(work)
        while not job.done():
            clock.pause(min(self._parts.poll_seconds, 0.5))
            if clock.tick() - begun > ROUND_SECONDS:
                return (f"{what} did not end within {ROUND_SECONDS:.0f} s",)
            if self.learnt.taken is not None and not self._still_ours(undoing=undoing):
                return None
        return job.result()

    def _still_ours(self, *, undoing: bool) -> bool:
        observed = self.observe()
        lease = observed.service_tags.lease
        if lease is None or lease.run != self._goal.run:
            return False
        if observed.wall - lease.heartbeat >= BEAT_SECONDS:
            self._parts.service.beat(observed.service.arn, observed.wall)
        return undoing or not (lease.wish or red(observed.alarms, self.learnt.red_before))

    def unanswered(self, error: ServiceError, silent: float) -> None:
        """Refuse before the lease; after it, undo what was begun as soon as the service answers again."""
        taken, spent = self.learnt.taken is not None, error.final or silent > SILENT_SECONDS
        if not taken and spent:
            raise RolloutFailed(
                f"NOT STARTED  {self._parts.stack}: {error}; nothing was changed", 3
            ) from None
        ending = self.learnt.cause or self.learnt.refused
        if silent > self._goal.deadline_seconds or (error.final and ending and silent > SILENT_SECONDS):
            raise self.unknown(str(error)) from None
        if not taken or self._goal.way is not Way.FORWARD or ending or not spent:
            return
        if error.final and not self.learnt.swapped_to:
            self.learnt = replace(self.learnt, refused=str(error))
        else:
            self.learnt = replace(self.learnt, cause=f"{error} during the rollout")

    def unknown(self, why: str) -> RolloutFailed:
        return RolloutFailed(unknown(self._parts.stack, self._goal, why), 3, moved=True)

    def _explain(self, observed: Observed) -> None:
        lease = observed.service_tags.lease
        if lease is not None and not self._details:
            with contextlib.suppress(AwsUnavailable):
                self._details = self._parts.service.stop_reasons(lease.wanted)

    def _waiting(self, why: str, observed: Observed) -> None:
        self._event(observed.service)
        began = self.learnt.undoing_since if self.learnt.undoing_since is not None else self.learnt.since
        left = max(0.0, self._goal.deadline_seconds - (observed.tick - (began or self.learnt.started)))
        if why != self._said or observed.tick - self._counted >= COUNTDOWN_SECONDS:
            self._said, self._counted = why, observed.tick
            self.say(f"{why} ({left:.0f} s left)")

    def _event(self, state: ServiceState) -> None:
        if state.latest_event and state.latest_event != self._events:
            if self._events:
                self.say(f"ECS: {state.latest_event}")
            self._events = state.latest_event

    def _report(self, line: str) -> None:
        self._said = line
        self.say(line)


def _taking(lease: Lease, *, taking_over: bool) -> str:
    back = (
        f"to put {short(lease.target)} back"
        if lease.wish
        else f"{short(lease.prior)} to {short(lease.wanted)}"
    )
    return f"taking over from a run that died: {back}" if taking_over else f"taking the lease: {back}"


__all__ = ["Parts", "RolloutFailed", "ServiceTags", "carry_out"]
