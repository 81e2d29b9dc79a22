"""What a run knows after each effect. Pure."""

from __future__ import annotations

from dataclasses import replace

from atlas_access.rollout.alarms import names_red
from atlas_access.rollout.gates import NOT_RUN
from atlas_access.rollout.steps import (
    Abandon,
    Effect,
    Learnt,
    Observed,
    Preflight,
    Release,
    Settle,
    Swap,
    Take,
    Undo,
    Undone,
)


def learn(learnt: Learnt, effect: Effect, observed: Observed) -> Learnt:
    """What a run knows after an effect was done; what the pre-flight and the gates said, their runner adds."""
    match effect:
        case Preflight():
            return replace(learnt, red_before=names_red(observed.alarms))
        case Take(lease):
            return replace(learnt, taken=lease, since=observed.tick)
        case Swap(revision):
            return replace(learnt, swapped_to=revision, swaps=learnt.swaps + 1, green=0, since=observed.tick)
        case Undo(cause):
            return replace(
                learnt, cause=learnt.cause or cause, undoing_since=observed.tick, swapped_to="", swaps=0
            )
        case Settle():
            mine = learnt.taken
            undone = (
                Undone(learnt.cause, mine.wanted, learnt.gates_after or NOT_RUN) if mine else learnt.undone
            )
            return Learnt(learnt.started, learnt.refusals, undone=undone, secured=learnt.secured)
        case Release():
            return replace(learnt, taken=None)
        case Abandon(why):
            return replace(learnt, taken=None, refusals=(why,))
        case _:
            return learnt
