"""The next step of a rollout or a rollback, from what is observed of the service and what this run has learnt. Pure.

Everything that the next run must know stands on the service before it is acted upon: the lease before the swap, the
wish to undo before the undoing. So a run that dies anywhere leaves what the next run finishes or undoes. It must never
swap without a passed pre-flight and a lease of its own, and never end on any revision but `wanted` or `prior`.
"""

from __future__ import annotations

from dataclasses import replace

from atlas_access.rollout.alarms import red, unsettled
from atlas_access.rollout.gates import ROUNDS
from atlas_access.rollout.model import Progress, judge, refusal, short
from atlas_access.rollout.service_tags import Bound, Lease, clean, untaggable
from atlas_access.rollout.steps import (
    Abandon,
    Ask,
    Beat,
    Bind,
    Done,
    Effect,
    Goal,
    Hold,
    Judge,
    Learnt,
    Lost,
    NotStable,
    Observed,
    Preflight,
    Refused,
    Release,
    RolledBack,
    Secure,
    Settle,
    Swap,
    Take,
    Undo,
    Wait,
    Way,
)

BEAT_SECONDS = 10.0
"""How often a lease's heartbeat is written."""
STALE_SECONDS = 60.0
"""A lease whose heartbeat is older belongs to a run that is dead."""
GRACE_SECONDS = 5.0
"""How long ECS may show the service as it was before an update."""
UNDO = "undo"
MAX_SWAPS_BACK = 3
"""How often a recorded revision that ECS gives up is put back again."""


def decide(goal: Goal, observed: Observed, learnt: Learnt) -> Effect:
    """The next step; the run ends with the first one that is an End."""
    if observed.service_tags.broken:
        return Refused(
            (
                f"the tags atlas-access/* on the service make no sense ({observed.service_tags.broken}); remove them",
            )
        )
    lease = observed.service_tags.lease
    if lease is None:
        return _free(goal, observed, learnt)
    if lease.run != goal.run:
        return _anothers(goal, observed, learnt, lease)
    if observed.wall - lease.heartbeat >= BEAT_SECONDS:
        return Beat()
    if goal.way is Way.BACK or learnt.cause or lease.wish:
        return _undoing(goal, observed, learnt, lease)
    if lease.wanted != goal.wanted:
        return _leftover(observed, lease)
    return _forward(goal, observed, learnt, lease)


def standing_refusals(goal: Goal, observed: Observed) -> tuple[str, ...]:
    """Every reason against a swap that the inspect the service itself gives."""
    reasons = []
    held = observed.service_tags.held
    if goal.way is Way.FORWARD and held is not None and goal.release <= held:
        reasons.append(
            f"the service was rolled back and is held: raise rolloutRelease above {held} in a reviewed change"
        )
    full = untaggable(observed.service.arn, observed.service_tags)
    if goal.way is Way.FORWARD and full:
        reasons.append(full)
    unsafe = refusal(observed.service)
    if unsafe and (
        goal.way is Way.FORWARD or observed.service.status != "ACTIVE" or observed.service.desired == 0
    ):
        reasons.append(unsafe)
    if goal.way is Way.FORWARD and observed.service.revision not in (goal.prior, goal.wanted):
        reasons.append(
            f"the service runs {short(observed.service.revision)}, but {short(goal.prior)} was recorded as what runs "
            "before: somebody deployed in between; update again, so that it is recorded anew"
        )
    return tuple(reasons)


def _anothers(goal: Goal, observed: Observed, learnt: Learnt, lease: Lease) -> Effect:
    age = observed.wall - lease.heartbeat
    if age >= STALE_SECONDS:
        back = goal.way is Way.BACK
        taken = replace(
            lease,
            run=goal.run,
            heartbeat=observed.wall,
            wish=lease.wish or ((clean(goal.cause) or UNDO) if back else ""),
        )
        return Take(taken, taking_over=True, held=_held(goal, lease) if back else None)
    if learnt.taken is not None:
        return Lost(lease.run)
    if goal.way is Way.FORWARD:
        return Refused((busy(lease, age),))
    if observed.tick - learnt.started > 2 * goal.deadline_seconds:
        return Refused((f"run {lease.run} was asked to undo and has not ended; inspect the run itself",))
    if not lease.wish:
        return Ask(goal.cause, _held(goal, lease))
    return Wait(f"run {lease.run} is putting {short(lease.target)} back")


def busy(lease: Lease, age: float) -> str:
    """Why a second run does not start."""
    return (
        f"run {lease.run} moves this service ({short(lease.prior)} to {short(lease.wanted)}, last heartbeat "
        f"{max(0.0, age):.0f} s ago); wait for its end, or until {STALE_SECONDS:.0f} s without a heartbeat show "
        "that it is dead"
    )


def _free(goal: Goal, observed: Observed, learnt: Learnt) -> Effect:
    undone = learnt.undone
    if goal.way is Way.FORWARD and undone is not None and undone.left == goal.wanted:
        return RolledBack(undone)
    if learnt.taken is not None:
        # Somebody took our tags off; nobody else holds the service, so the move continues under the same lease again.
        wish = clean(learnt.cause) or learnt.taken.wish
        return Take(replace(learnt.taken, heartbeat=observed.wall, wish=wish))
    return (
        _free_forward(goal, observed, learnt)
        if goal.way is Way.FORWARD
        else _free_back(goal, observed, learnt)
    )


def _free_forward(goal: Goal, observed: Observed, learnt: Learnt) -> Effect:
    bound = observed.service_tags.bound
    if (
        observed.service.runs(goal.wanted)
        and observed.service_tags.held is None
        and bound is not None
        and bound.revision == goal.wanted
    ):
        return Done(goal.wanted, moved=bool(learnt.swapped_to))
    if learnt.refusals is None:
        return Preflight()
    reasons = (*standing_refusals(goal, observed), *learnt.refusals)
    if reasons:
        return Refused(tuple(dict.fromkeys(reasons)))
    return Take(_lease(goal, observed))


def _free_back(goal: Goal, observed: Observed, learnt: Learnt) -> Effect:
    service, undone = observed.service, learnt.undone
    target = learnt.way_to(goal.prior)
    if goal.leaving and service.revision not in (goal.leaving, goal.prior, target):
        return Done(service.revision, moved=undone is not None, foreign=True)
    if learnt.no_way_back:
        return Refused((learnt.no_way_back,))
    refused = standing_refusals(goal, observed)
    if not target and not refused and (goal.hold or not service.runs(goal.prior)):
        return Secure(goal.prior)
    target = target or goal.prior
    held = observed.service_tags.held
    if service.runs(target):
        if goal.hold and (held is None or held < goal.release):
            return Hold(goal.release)
        if observed.service_tags.bound is not None and observed.service_tags.bound.revision != target:
            return Settle()
        gates = learnt.gates_after if undone is None else undone.gates
        return Judge(target) if gates is None and goal.hold else Done(target, undone is not None, gates)
    if service.revision == target and service.status == "ACTIVE":
        standing = judge(service, target).why
        if observed.tick - learnt.started <= goal.deadline_seconds:
            return Wait(f"{short(target)} was put back already: {standing}")
        return NotStable(goal.cause, standing)
    if learnt.refusals is None:
        return Preflight()
    reasons = (*refused, *learnt.refusals)
    if reasons:
        return Refused(tuple(dict.fromkeys(reasons)))
    return Take(replace(_lease(goal, observed), prior=target), held=_held(goal, None))


def _securing(observed: Observed, learnt: Learnt, lease: Lease) -> Effect | None:
    """What is left to do before the service moves: the way back is found, and written into the lease."""
    back = learnt.way_to(lease.target)
    if not back:
        return Secure(lease.target)
    return None if back == lease.target else Take(replace(lease, back=back, heartbeat=observed.wall))


def _leftover(observed: Observed, lease: Lease) -> Effect:
    """A dead run wanted something else: take its lease off where it had ended or not begun, else undo it first."""
    bound = observed.service_tags.bound
    ended = bound is not None and bound.revision == lease.wanted and observed.service.runs(lease.wanted)
    if ended or observed.service.runs(lease.prior) or observed.service.runs(lease.target):
        return Release()
    return Undo(f"a run that died left {short(lease.wanted)} half-way")


def _forward(goal: Goal, observed: Observed, learnt: Learnt, lease: Lease) -> Effect:
    service, late = observed.service, observed.tick - learnt.since > goal.deadline_seconds
    untouched = not learnt.swapped_to and service.revision == lease.prior != lease.wanted
    held = observed.service_tags.held
    if held is not None and goal.release <= held:
        # Asked for between this run's look and its lease: a rollback goes before what it has not observed.
        why = f"the service was rolled back meanwhile and is held: raise rolloutRelease above {held}"
        return Abandon(why) if untouched else Undo(why, held)
    if not learnt.swapped_to and _ended(goal, observed):
        # The run that died had only its lease left to take off.
        return Release(freely=True)
    if learnt.refusals is None:
        return Preflight()
    if learnt.refused:
        why = f"{learnt.refused}; nothing was moved: change what AWS names, then update again"
        return Abandon(why) if untouched else Undo(f"{learnt.refused} during the rollout", goal.release)
    if learnt.refusals:
        why = "; ".join(learnt.refusals)
        return Abandon(why) if untouched else Undo(why, goal.release)
    if service.revision not in (lease.prior, lease.wanted, lease.target):
        why = f"somebody deployed {short(service.revision)} meanwhile"
        return Undo(why, goal.release) if learnt.swapped_to else Abandon(f"{why}; update again")
    if not learnt.swapped_to and service.revision != goal.wanted:
        unsafe = refusal(service)
        if learnt.no_way_back:
            return Abandon(learnt.no_way_back)
        if unsafe is None:
            return _securing(observed, learnt, lease) or Swap(goal.wanted)
        final = late or service.status != "ACTIVE" or service.unsupported
        return Abandon(unsafe) if final else Wait(unsafe)
    standing = judge(service, goal.wanted)
    if (
        standing.progress is Progress.FAILED
        and service.revision != goal.wanted
        and _just_swapped(observed, learnt)
    ):
        return Wait("ECS does not show the update yet")
    if standing.progress is Progress.FAILED:
        return Undo(standing.why, goal.release)
    alarmed, bound = red(observed.alarms, learnt.red_before), observed.service_tags.bound
    if alarmed:
        return Undo(alarmed[0], goal.release)
    recorded = bound is not None and (bound.revision, bound.release) == (goal.wanted, goal.release)
    judged = learnt.green >= ROUNDS
    unclear = () if judged and recorded else unsettled(observed.alarms)
    why = unclear[0] if unclear and standing.progress is Progress.ARRIVED else standing.why
    if late and (unclear or not judged):
        return Undo(f"not stable and green within {goal.deadline_seconds:.0f} s: {why}", goal.release)
    if unclear or standing.progress is Progress.WAITING:
        return Wait(why)
    if not judged:
        return Judge(goal.wanted)
    if not recorded:
        return Bind(Bound(goal.wanted, lease.target, observed.wall, goal.release))
    return Release(freely=True)


def _ended(goal: Goal, observed: Observed) -> bool:
    """Whether a rollout onto the wanted revision came to its green end, with this very release."""
    bound = observed.service_tags.bound
    return (
        bound is not None
        and (bound.revision, bound.release) == (goal.wanted, goal.release)
        and observed.service.runs(goal.wanted)
    )


def _undoing(goal: Goal, observed: Observed, learnt: Learnt, lease: Lease) -> Effect:
    target = lease.target
    if learnt.undoing_since is None or not lease.wish:
        decided_here = bool(learnt.cause) or goal.way is Way.BACK or observed.service_tags.held is not None
        return Undo(
            learnt.cause or lease.wish or goal.cause or UNDO, _held(goal, lease) if decided_here else None
        )
    if target == lease.wanted:
        return NotStable(learnt.cause, "no other revision was recorded", put_back=False)
    standing = judge(observed.service, target)
    if observed.service.revision != target:
        if learnt.swapped_to == target and _just_swapped(observed, learnt):
            return Wait("ECS does not show the update yet")
        if learnt.no_way_back:
            return NotStable(learnt.cause, learnt.no_way_back, put_back=False)
        if learnt.swaps >= MAX_SWAPS_BACK:
            return NotStable(learnt.cause, standing.why)
        return _securing(observed, learnt, lease) or Swap(target)
    if standing.progress is Progress.ARRIVED:
        return Judge(target) if learnt.gates_after is None else Settle()
    if observed.tick - learnt.undoing_since > goal.deadline_seconds:
        return NotStable(learnt.cause, f"not stable after {goal.deadline_seconds:.0f} s: {standing.why}")
    if standing.progress is Progress.FAILED:
        return NotStable(learnt.cause, standing.why)
    return Wait(standing.why)


def _just_swapped(observed: Observed, learnt: Learnt) -> bool:
    return bool(learnt.swapped_to) and observed.tick - learnt.since < GRACE_SECONDS


def _lease(goal: Goal, observed: Observed) -> Lease:
    back = goal.way is Way.BACK
    return Lease(
        run=goal.run,
        prior=goal.prior,
        wanted=observed.service.revision if back else goal.wanted,
        heartbeat=observed.wall,
        release=goal.release,
        wish=(clean(goal.cause) or UNDO) if back else "",
    )


def _held(goal: Goal, lease: Lease | None) -> int | None:
    """At which release the service is held: the highest in effect."""
    if goal.way is Way.BACK and not goal.hold:
        return None
    return max(goal.release, lease.release if lease is not None else 0)
