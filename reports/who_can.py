"""Who can do one action to one collection, by the manifest: the question an auditor asks first.

It must never guess what an action means: an unknown name is an error with the names that are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from access.actions import mongo_actions
from access.manifest import Manifest
from access.privileges import declared_privileges
from reports.matrix import AcceptedFinding, Matrix, Use, build, holds, uses_of


class QuestionInvalid(ValueError):
    """The question names an action or a collection that does not exist; the message says which and what to write."""


@dataclass(frozen=True)
class Holder:
    """A user of one environment's cluster that can do it, by which role, and who carries its credential."""

    environment: str
    user: str
    role: str
    waivers: tuple[str, ...]
    uses: tuple[Use, ...]


@dataclass(frozen=True)
class Answer:
    """Who can do `action` on `place` (`database.collection`), and the accepted findings that bear on it."""

    action: str
    place: str
    holders: tuple[Holder, ...]
    accepted: tuple[AcceptedFinding, ...]
    audit: bool


def who_can(manifest: Manifest, action: str, place: str) -> Answer:
    """Answer from the manifest; `action` by Atlas's name (UPDATE) or MongoDB's (update), `place` as database.collection.

    Raises QuestionInvalid for an unknown action or a collection that the manifest does not list.
    """
    needed = _needed(manifest, action)
    matrix = build(manifest)
    database, collection = _place(matrix, place)
    holders = tuple(
        Holder(
            environment=cluster.environment,
            user=user.name,
            role=f"{user.role.name}@{user.role.database}",
            waivers=tuple(
                waiver.id
                for waiver in manifest.waivers
                if waiver.user == user.name and _concerns(manifest, waiver.on, waiver.permits, needed, collection)
            ),
            uses=uses_of(manifest, user.name, cluster.environment),
        )
        for cluster in matrix.clusters
        if any((each.database, each.name) == (database, collection) for each in cluster.collections)
        for user in manifest.users
        if needed <= set(holds(declared_privileges(manifest, user), database, collection))
    )
    named = {waiver for holder in holders for waiver in holder.waivers}
    audit = f"{database}.{collection}" == matrix.audit
    return Answer(
        action=action.upper() if action.upper() == action else action,
        place=f"{database}.{collection}",
        holders=holders,
        accepted=tuple(each for each in matrix.accepted if each.id in named or (audit and each.audit)),
        audit=audit,
    )


def _needed(manifest: Manifest, action: str) -> frozenset[str]:
    """The MongoDB actions behind a name that is Atlas's or MongoDB's."""
    try:
        return frozenset(mongo_actions(action.upper()))
    except (KeyError, ValueError):
        pass
    known = {
        privilege.action for user in manifest.users for privilege in declared_privileges(manifest, user)
    }
    if action in known:
        return frozenset({action})
    near = get_close_matches(action, sorted(known), n=1)
    hint = f"Did you mean {near[0]}?" if near else "Write it as Atlas does, for example UPDATE, or as MongoDB does."
    raise QuestionInvalid(f'action "{action}" is unknown. {hint}')


def _place(matrix: Matrix, place: str) -> tuple[str, str]:
    known = {str(each): each for cluster in matrix.clusters for each in cluster.collections}
    found = known.get(place)
    if found is not None:
        return found.database, found.name
    near = get_close_matches(place if "." in place else f"{matrix.database}.{place}", list(known), n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"It lists {', '.join(known)}."
    raise QuestionInvalid(f'collection "{place}" is not in the manifest. {hint}')


def _concerns(
    manifest: Manifest, on: str, permits: tuple[str, ...], needed: frozenset[str], collection: str
) -> bool:
    here = on == "database" or collection == (manifest.audit.collection if on == "audit" else on)
    return here and any(needed & set(mongo_actions(permit)) for permit in permits)
