"""Small proofs of named actions, for any credential: what is tried for an action, on which collections.

For `prove --secret-id`, and named sets of probes such as the runbook's twelve. A small proof shows what it names and
does not replace the complete proof of a user.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from atlas_access.privileges import ATLAS_ACTIONS, atlas_name, mongo_actions
from atlas_access.proof.catalogue import OPERATIONS
from atlas_access.proof.expectations import Expectations, Expected, ExpectedCollection, Place
from atlas_access.proof.operation import On, Operation, Scope
from atlas_access.proof.verdict import Outcome


class SpotInvalid(ValueError):
    """A small proof that cannot be made; the message names what is wrong and the remedy."""


@dataclass(frozen=True)
class Named:
    """One action on one collection, allowed or denied; `first` tries its first way only instead of every way."""

    action: str
    place: Place
    outcome: Outcome
    first: bool = False


def spot_expectations(
    user: str, cluster: str, named: Sequence[Named], absent: Iterable[Place]
) -> Expectations:
    """Return expectations that hold the named cells only; raises SpotInvalid.

    `cluster` is how the server is called in findings. `absent` are collections that may be missing.
    """
    if not named:
        raise SpotInvalid(
            "nothing is to be proven: name at least one action with --expect-allow or --expect-deny"
        )
    may_be_absent = frozenset(absent)
    outcomes: dict[tuple[str, Place], Outcome] = {}
    for each in named:
        rows = rows_for(each.action)
        for row in rows[:1] if each.first else rows:
            key = (row.name, _where(row, each.place))
            if outcomes.setdefault(key, each.outcome) is not each.outcome:
                raise SpotInvalid(
                    f"{each.action} on {each.place} is expected to be allowed and denied: choose one."
                )
    places = dict.fromkeys(each.place for each in named)
    order = {row.name: number for number, row in enumerate(OPERATIONS)}
    cells = (Expected(name, place, outcome) for (name, place), outcome in outcomes.items())
    first = next(iter(places))
    return Expectations(
        user=user,
        logins=(user,),
        cluster=cluster,
        database=first.database,
        roles=(),
        grants=(),
        collections=tuple(ExpectedCollection(place, place in may_be_absent) for place in places),
        audit=first,
        sources=(),
        table=tuple(sorted(cells, key=lambda cell: (order[cell.operation], cell.place))),
    )


def rows_for(action: str) -> tuple[Operation, ...]:
    """The ways to try one action that need it alone, attempts before what equality decides; raises SpotInvalid.

    `action` is Atlas's name (UPDATE) or MongoDB's (update).
    """
    alone = _alone(atlas_action_named(action))
    if not alone:
        known = ", ".join(name for name in ATLAS_ACTIONS if _alone(name))
        raise SpotInvalid(f"{action} has no attempt of its own. Those that have one: {known}.")
    attempts = tuple(row for row in alone if row.command is not None)
    return attempts or alone


def _alone(name: str) -> tuple[Operation, ...]:
    wanted = set(mongo_actions(name))
    return tuple(
        row
        for row in OPERATIONS
        if len(row.needs) == 1 and row.needs[0].action in wanted and row.needs[0].on is not On.VIA
    )


def atlas_action_named(action: str) -> str:
    """Atlas's name of an action written as Atlas or as MongoDB writes it; raises SpotInvalid."""
    written = action if action in ATLAS_ACTIONS else action.upper()
    name = written if written in ATLAS_ACTIONS else atlas_name(action)
    if name is None:
        near = get_close_matches(action.upper(), list(ATLAS_ACTIONS), n=1)
        hint = (
            f"Did you mean {near[0]}?"
            if near
            else "Write it as Atlas does, UPDATE, or as MongoDB does, update."
        )
        raise SpotInvalid(f'action "{action}" is unknown. {hint}')
    return name


def _where(row: Operation, place: Place) -> Place:
    return {
        Scope.COLLECTION: place,
        Scope.DATABASE: Place(place.database),
        Scope.CLUSTER: Place(""),
    }[row.scope]
