"""Who can do one action to one collection, by the manifest: the question an auditor asks first.

An unknown name is an error with the names that are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from atlas_access.manifest import Collection, Manifest, users_who_can
from atlas_access.privileges import ATLAS_ACTIONS, atlas_name
from atlas_access.review.matrix import AcceptedFinding, Matrix, Use, build, uses_of


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


def who_can(manifest: Manifest, action: str, place: str) -> Answer:
    """Answer from the manifest. `action` is Atlas's name (UPDATE) or MongoDB's (update), `place` database.collection.

    Raises QuestionInvalid for an unknown action or a collection that the manifest does not list.
    """
    asked = _asked(action)
    matrix = build(manifest)
    facts = _place(matrix, place)
    audit = facts.namespace == matrix.audit
    able = users_who_can(manifest, asked, facts.database, facts.name)
    holders = tuple(
        Holder(
            environment=cluster.environment,
            user=user.name,
            role=", ".join(str(role) for role in user.roles),
            waivers=tuple(
                waiver.id
                for waiver in manifest.waivers
                if waiver.user == user.name and asked in waiver.permits and (waiver.on == "database" or audit)
            ),
            uses=uses_of(manifest, user.name, cluster.environment),
        )
        for cluster in matrix.clusters
        if facts in cluster.collections
        for user in able
    )
    named = {waiver for holder in holders for waiver in holder.waivers}
    return Answer(
        action=asked,
        place=facts.namespace,
        holders=holders,
        accepted=tuple(each for each in matrix.accepted if each.id in named or (audit and each.audit)),
    )


def _asked(action: str) -> str:
    """Atlas's name of an action that is written as Atlas or as MongoDB writes it."""
    written = action if action in ATLAS_ACTIONS else action.upper()
    if written in ATLAS_ACTIONS:
        return written
    translated = atlas_name(action)
    if translated is not None:
        return translated
    near = get_close_matches(action.upper(), list(ATLAS_ACTIONS), n=1)
    hint = (
        f"Did you mean {near[0]}?" if near else "Write it as Atlas does, UPDATE, or as MongoDB does, update."
    )
    raise QuestionInvalid(f'action "{action}" is unknown. {hint}')


def _place(matrix: Matrix, place: str) -> Collection:
    known = {each.namespace: each for cluster in matrix.clusters for each in cluster.collections}
    if place in known:
        return known[place]
    wanted = place if "." in place else f"{matrix.database}.{place}"
    near = get_close_matches(wanted, list(known), n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"It lists {', '.join(known)}."
    raise QuestionInvalid(f'collection "{place}" is not in the manifest. {hint}')
