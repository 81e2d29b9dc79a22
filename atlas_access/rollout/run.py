"""Carries a rollout or a rollback to its end: looks, lets `decide` choose, does that one step, looks again.

The service is looked at before every step, so that a wish to undo from elsewhere is obeyed at once, and a lease that
was lost stops the run. It must never sleep without a deadline above it, nor leave a failure of AWS unanswered.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from atlas_access.base import Clock
from atlas_access.clients import AwsUnavailable, ServiceError
from atlas_access.rollout.decide import BEAT_SECONDS, decide, learn
from atlas_access.rollout.gates import ROUNDS, Gates, Round
from atlas_access.rollout.loop import StepLoop
from atlas_access.rollout.model import ServiceState, short
from atlas_access.rollout.report import Figures, RolloutFailed, end_message, unknown
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_tags import Lease, Marks
from atlas_access.rollout.steps import (
    ENDS,
    Abandon,
    Ask,
    Beat,
    Bind,
    Done,
    Effect,
    End,
    Goal,
    Hold,
    Judge,
    Learnt,
    NotStable,
    Preflight,
    Release,
    RolledBack,
    Seen,
    Settle,
    Swap,
    Take,
    Undo,
    Wait,
    Way,
)

POLL_SECONDS = 2.0
"""Between two looks at the service; ECS itself moves in seconds."""
SILENT_SECONDS = 60.0
"""How long AWS may give no answer before a move is undone as soon as it answers again."""
COUNTDOWN_SECONDS = 30.0
ROUND_SECONDS = 300.0
"""How long one round of the gates, or the pre-flight, may take."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Parts:
    """What a run works with.

    `preflight` gives every reason not to start; `gates` is None where none are configured. `failed` counts the requests
    that failed on the balanced address in the last so many seconds, None where nobody counts; `logged` gives the
    error lines of a revision's log in that time.
    """

    stack: str
    service: Service
    clock: Clock
    say: Callable[[str], None]
    preflight: Callable[[Seen], tuple[str, ...]]
    gates: Gates | None
    poll_seconds: float = POLL_SECONDS
    aside: Callable[[Callable[[], Any]], Future[Any]] | None = None
    failed: Callable[[float], int | None] = lambda _: None
    logged: Callable[[str, float], tuple[str, ...]] = lambda *_: ()


def carry_out(goal: Goal, parts: Parts) -> Done:
    """Reach the goal, or end on the recorded revision.

    Raises:
        RolloutFailed: it was refused, undone, or taken over; the message says what runs now.
    """
    return _Run(goal, parts).to_end()


class _Run(StepLoop[Seen, Effect, Done]):
    ends = ENDS

    def __init__(self, goal: Goal, parts: Parts) -> None:
        self._goal, self._parts = goal, parts
        self._learnt = Learnt(started=parts.clock.tick())
        self._silent_since: float | None = None
        self._said = ""
        self._events = ""
        self._counted = 0.0
        self._figures = Figures()
        self._details: tuple[str, ...] = ()

        self._last = parts.clock.tick() + 4 * goal.deadline_seconds + 4 * ROUND_SECONDS

    def may_go_on(self) -> bool:
        return self._parts.clock.tick() < self._last

    def decide(self, seen: Seen) -> Effect:
        return decide(self._goal, seen, self._learnt)

    def act(self, step: Effect, seen: Seen) -> None:
        self._learnt = self._perform(step, seen)

    def answered(self) -> None:
        self._silent_since = None

    def give_up(self) -> RolloutFailed:
        text = unknown(self._parts.stack, self._goal, "no end in sight", "the run gives up")
        return RolloutFailed(text, 3, moved=True)

    def observe(self) -> Seen:
        state, marks = self._parts.service.look_marked()
        return Seen(state, marks, self._parts.clock.wall(), self._parts.clock.tick())

    def finish(self, step: Effect, seen: Seen) -> Done:
        end = cast("End", step)
        figures = self._figures
        if figures.swapped and isinstance(end, Done | RolledBack):
            seconds = seen.wall - figures.swapped
            figures = replace(figures, failed=self._parts.failed(seconds))
            if isinstance(end, RolledBack):
                figures = replace(figures, logged=self._parts.logged(end.undone.left, seconds))
        text = end_message(self._parts.stack, self._goal, end, seen, self._details, figures)
        if isinstance(end, Done):
            self._parts.say(text)
            return end
        raise RolloutFailed(text, moved=isinstance(end, RolledBack | NotStable))

    def _perform(self, effect: Effect, seen: Seen) -> Learnt:
        service, arn = self._parts.service, seen.service.arn
        match effect:
            case Preflight():
                found = self._aside(lambda: self._parts.preflight(seen), "the pre-flight")
                return self._learnt if found is None else replace(self._learnt, refusals=found)
            case Judge(revision):
                return self._judged(revision)
            case Wait(why):
                self._waiting(why, seen)
                self._parts.clock.pause(self._parts.poll_seconds)
            case Take(lease, taking_over, held):
                self._say(_taking(lease, taking_over=taking_over))
                service.take(arn, lease, held)
                self._parts.clock.pause(self._parts.poll_seconds)
            case Beat():
                service.beat(arn, seen.wall)
            case Swap(revision):
                self._say(f"{short(seen.service.revision)} to {short(revision)}: telling the service")
                service.swap(revision)
                self._figures = self._figures.at("swapped", seen.wall)
            case Undo(cause, held):
                self._say(f"putting the recorded revision back: {cause}")
                self._explain(seen)
                service.wish(arn, cause, held)
            case Ask(cause, held):
                self._say("asking the run that moves the service to put the recorded revision back")
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
        return learn(self._learnt, effect, seen)

    def _judged(self, revision: str) -> Learnt:
        gates, undoing = self._parts.gates, self._learnt.undoing_since is not None
        if undoing:
            self._figures = self._figures.at("back", self._parts.clock.wall())
        if gates is None:
            self._say("gates NOT RUN: there is no smoke baseline of this stack")
            return replace(self._learnt, green=ROUNDS, gates_after=() if undoing else None)
        stop = threading.Event()
        try:
            result = self._aside(lambda: _safely(gates, revision, stop.is_set), "the gates", undoing=undoing)
        finally:
            stop.set()
        if result is None:
            return self._learnt
        found = Round(result) if isinstance(result, tuple) else result
        self._say(f"gates on {short(revision)}: {'green' if found.green else '; '.join(found.failures)}")
        if undoing:
            return replace(self._learnt, gates_after=found.failures)
        if found.green:
            return replace(self._learnt, green=self._learnt.green + 1)
        self._figures = self._figures.at("red", self._parts.clock.wall())
        return replace(self._learnt, green=0, cause=found.failures[0])

    def _aside(self, work: Callable[[], Any], what: str, *, undoing: bool = False) -> Any:
        """Do slow work while the lease is kept alive and watched; None when the run must decide anew at once."""
        clock, begun = self._parts.clock, self._parts.clock.tick()
        job = (self._parts.aside or in_thread)(work)
        while not job.done():
            clock.pause(min(self._parts.poll_seconds, 0.5))
            if clock.tick() - begun > ROUND_SECONDS:
                return (f"{what} did not end within {ROUND_SECONDS:.0f} s",)
            if self._learnt.taken is not None and not self._still_ours(undoing=undoing):
                return None
        return job.result()

    def _still_ours(self, *, undoing: bool) -> bool:
        seen = self.observe()
        lease = seen.marks.lease
        if lease is None or lease.run != self._goal.run:
            return False
        if seen.wall - lease.heartbeat >= BEAT_SECONDS:
            self._parts.service.beat(seen.service.arn, seen.wall)
        return undoing or not lease.wish

    def unanswered(self, error: ServiceError) -> None:
        """AWS gave no answer: try again within limits; what was begun is undone as soon as it answers."""
        tick, stack = self._parts.clock.tick(), self._parts.stack
        self._silent_since = tick if self._silent_since is None else self._silent_since
        silent, final, taken = tick - self._silent_since, error.final, self._learnt.taken is not None
        if not taken and (final or silent > SILENT_SECONDS):
            raise RolloutFailed(f"NOT STARTED  {stack}: {error}; nothing was changed", 3) from None
        if silent > self._goal.deadline_seconds or (final and self._learnt.cause and silent > SILENT_SECONDS):
            text = unknown(stack, self._goal, str(error), "AWS gives no answer")
            raise RolloutFailed(text, 3, moved=True) from None
        if (
            taken
            and self._goal.way is Way.FORWARD
            and not self._learnt.cause
            and (final or silent > SILENT_SECONDS)
        ):
            self._learnt = replace(self._learnt, cause=f"{error} during the rollout")
        self._parts.clock.pause(self._parts.poll_seconds)

    def _explain(self, seen: Seen) -> None:
        lease = seen.marks.lease
        if lease is not None and not self._details:
            with contextlib.suppress(AwsUnavailable):
                self._details = self._parts.service.stop_reasons(lease.wanted)

    def _waiting(self, why: str, seen: Seen) -> None:
        self._event(seen.service)
        began = self._learnt.undoing_since if self._learnt.undoing_since is not None else self._learnt.since
        left = max(0.0, self._goal.deadline_seconds - (seen.tick - (began or self._learnt.started)))
        if why != self._said or seen.tick - self._counted >= COUNTDOWN_SECONDS:
            self._said, self._counted = why, seen.tick
            self._parts.say(f"{why} ({left:.0f} s left)")

    def _event(self, state: ServiceState) -> None:
        if state.latest_event and state.latest_event != self._events:
            if self._events:
                self._parts.say(f"ECS: {state.latest_event}")
            self._events = state.latest_event

    def _say(self, line: str) -> None:
        self._said = line
        self._parts.say(line)


def _taking(lease: Lease, *, taking_over: bool) -> str:
    back = (
        f"to put {short(lease.prior)} back"
        if lease.wish
        else f"{short(lease.prior)} to {short(lease.wanted)}"
    )
    return f"taking over from a run that died: {back}" if taking_over else f"taking the lease: {back}"


def in_thread(work: Callable[[], _T]) -> Future[_T]:
    """Do work beside the run; a run that ends does not wait for it."""
    job: Future[_T] = Future()

    def do() -> None:
        try:
            job.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            job.set_exception(error)

    threading.Thread(target=do, name="rollout-aside", daemon=True).start()
    return job


def _safely(gates: Gates, revision: str, stopped: Callable[[], bool]) -> Round:
    """A gate that breaks has not passed: its defect is a failure of the round, never of the rollout's undoing."""
    try:
        return gates.round(revision, stopped)
    except Exception as error:  # noqa: BLE001 - whatever breaks in a gate, the service must be put back
        return Round((f"the gates could not be run: {type(error).__name__}: {error}",))


__all__ = ["Marks", "Parts", "RolloutFailed", "carry_out", "in_thread"]
