"""What a rollout says at its end: what failed, what runs now, and the next step. Pure.

Every text passes redaction here: stop reasons and gate findings may quote what an application wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from atlas_access.base import redact
from atlas_access.rollout.gates import Round
from atlas_access.rollout.model import short
from atlas_access.rollout.steps import Done, End, Goal, Lost, NotStable, Observed, Refused, RolledBack, Way


class RolloutFailed(RuntimeError):
    """A rollout or a rollback did not reach its goal; the message says what failed, what runs, and what to do.

    `exit_code` is 1, and 3 where nobody knows what runs. `moved` says whether the service was touched.
    """

    def __init__(self, message: str, exit_code: int = 1, *, moved: bool = False) -> None:
        super().__init__(redact(message))
        self.exit_code, self.moved = exit_code, moved


@dataclass(frozen=True)
class Figures:
    """Moments of a run, in Unix seconds, 0 for what did not happen, and what they cost.

    `swapped` is when it swapped first, `red` when a gate was red first, `back` when the recorded revision ran alone
    again; `failed` counts requests that failed meanwhile on the balanced address, None where nobody counts; `logged`
    are error lines of the service; `changed` is what the update changed, None where it could not be read.
    """

    swapped: float = 0.0
    red: float = 0.0
    back: float = 0.0
    failed: int | None = None
    logged: tuple[str, ...] = ()
    changed: tuple[str, ...] | None = ()

    def at(self, moment: Literal["swapped", "red", "back"], wall: float) -> Figures:
        """The same with a moment noted, unless it was noted before."""
        if getattr(self, moment):
            return self
        match moment:
            case "swapped":
                return replace(self, swapped=wall)
            case "red":
                return replace(self, red=wall)
            case "back":
                return replace(self, back=wall)


def end_message(
    stack: str,
    goal: Goal,
    end: End,
    observed: Observed,
    details: tuple[str, ...],
    figures: Figures | None = None,
) -> str:
    """The text of an end. `details` are stop reasons."""
    known, state = figures or Figures(), observed.service
    match end:
        case Done():
            lines = [*_done(stack, goal, observed, end), *_cost(known)]
            if end.gates is not None:
                lines.append(_works(end.revision, end.gates))
        case Refused(reasons):
            lines = _refused(stack, goal, observed, reasons)
        case RolledBack(undone):
            head = f"ROLLED BACK  {stack}: {undone.cause}"
            logged = [f"The service logged meanwhile: {each}" for each in known.logged]
            lines = [head, *_changed(goal, known), _runs_again(observed, known), *_likely(details), *logged]
            lines += [_works(state.revision, undone.gates), _next(stack, observed, undone.gates)]
        case NotStable(cause, why, put_back):
            done = "was put back, but" if put_back else "was not put back"
            lines = [
                f"NOT STABLE  {stack}: {cause}; {short(_prior(goal, observed))} {done}: {why}",
                *_changed(goal, known),
                *_likely(details),
                f"The service shows {short(state.revision)} {state.counted}. Inspect its events now:",
                f"  aws ecs describe-services --cluster … --services … --query services[0].events ({state.arn})",
                f"Whether it works is unknown: atlas-access smoke {stack}. "
                f"Then: atlas-access rollback {stack} (docs/runbooks/rollback.md)",
            ]
        case Lost(run):
            lines = [
                f"TAKEN OVER  {stack}: run {run} has taken the service over; this run touches nothing any more.",
                "Read that run's outcome; this one's heartbeat had been missing for too long.",
            ]
    first, *rest = lines
    return redact("\n".join([first, *(f"  {line}" for line in rest)]))


def unknown(stack: str, goal: Goal, why: str) -> str:
    """The text of a move of which nobody knows how far it came."""
    return redact(
        f"NOT KNOWN  {stack}: {why}\n"
        f"  The service may run {short(goal.wanted or goal.leaving or '?')} or {short(goal.prior)}. "
        "As soon as the services answer again:\n"
        f"    atlas-access rollback {stack}    (docs/runbooks/rollback.md; the lease on the service says where "
        "the next run takes over)"
    )


def _done(stack: str, goal: Goal, observed: Observed, end: Done) -> list[str]:
    runs = f"{short(end.revision)} running {observed.service.counted}"
    if goal.way is Way.FORWARD:
        return [f"{stack}: {runs}" if end.moved else f"{stack}: {runs}; nothing had to be moved"]
    if end.foreign:
        return [f"{stack}: {runs}, which no rollout of ours brought; left as it is"]
    held = f"Nothing swaps until rolloutRelease exceeds {observed.service_tags.held} in Pulumi.{stack}.yaml."
    head = "" if end.gates is None or end.gates.green else "GATES RED  "
    if end.gates is not None and end.gates.unknown:
        head = "NOT KNOWN  "
    return [
        f"{head}{stack}: {runs} again",
        *([held] if goal.hold and observed.service_tags.held is not None else []),
    ]


def _refused(stack: str, goal: Goal, observed: Observed, reasons: tuple[str, ...]) -> list[str]:
    count = "1 reason" if len(reasons) == 1 else f"{len(reasons)} reasons"
    what = "NOT STARTED" if goal.way is Way.FORWARD else "NOT ROLLED BACK"
    runs = short(observed.service.revision) if observed.service.revision else "no revision"
    return [f"{what}  {stack}: {count}; {runs} keeps running.", *reasons]


def _works(revision: str, gates: Round) -> str:
    """Whether what runs now works, as the gates say."""
    if gates.unknown:
        return f"Whether {short(revision)} works is unknown: {'; '.join(gates.failures or gates.notes)}"
    return f"{short(revision)} {'works: the gates are' if gates.green else 'does not work:'} {gates}"


def _runs_again(observed: Observed, figures: Figures) -> str:
    back = figures.back or observed.wall
    since = datetime.fromtimestamp(back, UTC).strftime("%H:%M:%S")
    runs = f"{short(observed.service.revision)} runs again, {observed.service.counted}, since {since} UTC"
    if not figures.swapped:
        return runs
    after = [f"{back - figures.swapped:.0f} s after the swap"]
    if figures.red:
        after.append(f"{back - figures.red:.0f} s after the first bad answer")
    count = "not measured" if figures.failed is None else str(figures.failed)
    return f"{runs} ({', '.join(after)}). Requests failed meanwhile on the balanced address: {count}"


def _cost(figures: Figures) -> list[str]:
    if not figures.swapped or figures.failed is None:
        return []
    return [f"Requests failed meanwhile on the balanced address: {figures.failed}"]


def _likely(details: tuple[str, ...]) -> list[str]:
    return [f"ECS says: {each}" for each in details]


def _changed(goal: Goal, figures: Figures) -> list[str]:
    if goal.way is not Way.FORWARD:
        return []
    if figures.changed is None:
        return ["What this update changed could not be read."]
    found = "; ".join(figures.changed) or "no image, credential or plain variable"
    return [f"This update changed, from {short(goal.prior)} to {short(goal.wanted)}: {found}"]


def _next(stack: str, observed: Observed, gates: Round) -> str:
    runbook = "bind" if gates.green else "incident"
    if observed.service_tags.held is None:
        return f"Next: fix the cause, then update {stack} again (docs/runbooks/{runbook}.md)."
    return (
        f"Deployments are paused. After fixing the cause, set rolloutRelease above {observed.service_tags.held} in "
        f"Pulumi.{stack}.yaml (docs/runbooks/{runbook}.md). Next: atlas-access prove {stack}"
    )


def _prior(goal: Goal, observed: Observed) -> str:
    return observed.service_tags.lease.target if observed.service_tags.lease is not None else goal.prior
