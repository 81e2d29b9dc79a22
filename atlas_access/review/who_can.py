"""Who can do one action to one collection, by the manifest: the question an auditor asks first.

An unknown name is an error with the names that are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from atlas_access.manifest import Manifest, users_who_can
from atlas_access.privileges import ATLAS_ACTIONS, atlas_name
from atlas_access.review.matrix import AcceptedFinding, Use, build, uses_of


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
    """Who can do `action` on `place` (`database.collection`), and the accepted findings that bear on it.

    `declared`: whether the manifest lists the collection; an undeclared one is reached by roles on the whole database.
    """

    action: str
    place: str
    declared: bool
    holders: tuple[Holder, ...]
    accepted: tuple[AcceptedFinding, ...]


def who_can(manifest: Manifest, action: str, place: str) -> Answer:
    """Answer from the manifest. `action` is Atlas's name (UPDATE) or MongoDB's (update), `place` database.collection.

    A collection that the manifest does not list is answered by what the roles reach, on every cluster. Raises
    QuestionInvalid for an unknown action or a place that is none.
    """
    asked = _asked(action)
    matrix = build(manifest)
    database, name = _place(manifest, place)
    audit = place == matrix.audit
    places = [each.on for each in manifest.collections if each.namespace == place]
    places += [each.on for each in manifest.view_families if each.database == database and each.holds(name)]
    on = next(iter(places), None)
    able = users_who_can(manifest, asked, database, name)
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
        if on is None or cluster.environment in on
        for user in able
    )
    named = {waiver for holder in holders for waiver in holder.waivers}
    return Answer(
        action=asked,
        place=place,
        declared=on is not None,
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


def _place(manifest: Manifest, place: str) -> tuple[str, str]:
    """The database and the collection. Raises QuestionInvalid for what names no collection."""
    database, dot, name = place.partition(".")
    if database and name:
        return database, name
    known = [each.namespace for each in manifest.collections]
    near = get_close_matches(f"{manifest.database}.{place}" if not dot else place, known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"For example {known[0]}."
    raise QuestionInvalid(f'"{place}" is no collection: write DATABASE.COLLECTION. {hint}')
