"""What makes the audit log append-only besides privileges (ADR 0002): it is there, keeps its rows and takes new ones.

A plain `create` is authorized by insert alone; a capped collection or a TTL index loses rows without anyone removing
them; a unique index, a validator or a collation of `_id` refuses rows that the application sends. A listing that the
server did not give is not judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atlas_access.base import Finding
from atlas_access.proof.evidence import Subject, doubtful, refuted
from atlas_access.proof.expectations import Expectations


@dataclass(frozen=True)
class Expiry:
    """Something that erases rows by itself: a TTL index by its name, the fields of its key, and after how long.

    A clustered collection or a time series expires without an index (`name` ""). `seconds` is as the server reads it (0
    for what is no number).
    """

    name: str
    fields: tuple[str, ...]
    seconds: int


@dataclass(frozen=True)
class AuditLog:
    """The collection as the server lists it.

    `uuid` is hexadecimal; `expiries` and `unique` (names of unique indexes besides that of `_id`) are None where nobody
    listed the indexes. `refuses` says that a validator refuses rows, `collation` that one changes what equal means.
    """

    kind: str
    capped: bool
    uuid: str
    expiries: tuple[Expiry, ...] | None
    unique: tuple[str, ...] | None = ()
    refuses: bool = False
    collation: bool = False


def check_audit_log(
    expected: Expectations, observed: AuditLog | None, last_uuid: str, accepted_uuid: str
) -> tuple[Finding, ...]:
    """Return what speaks against the append-only log; `last_uuid` is the one last proven, "" when none was.

    A log that is missing is inconclusive, because nothing was lost from it. One with another UUID was dropped and
    made again: refuted until an operator accepts the new UUID. The declared retention is the only expiry that may be
    there.
    """
    place = expected.audit
    if observed is None:
        return (doubtful(Subject.AUDIT, f"{place} does not exist", _CREATE),)
    found = [
        refuted(Subject.AUDIT, f"{place} {text}", remedy) for text, remedy in _faults(expected, observed)
    ]
    if last_uuid and observed.uuid not in (last_uuid, accepted_uuid):
        text = (
            f"{place} is not the collection last proven (UUID {last_uuid}, now {observed.uuid}): it was dropped or "
            "renamed and made again"
        )
        found.append(refuted(Subject.AUDIT, text, _REMADE.format(uuid=observed.uuid)))
    if observed.kind == "collection" and (observed.expiries is None or observed.unique is None):
        text = f"the indexes of {place} could not be listed, so that a TTL or unique index would not be found"
        found.append(doubtful(Subject.AUDIT, text, "Prove again; inspect the server's log if it stays so."))
    return tuple(found)


_CREATE = "Create it before the credential is used: a first insert must not create it."
_REMADE = "If that was decided, state audit-log-remade in atlas-access:acknowledged, with value {uuid}"
_VALIDATOR = (
    "Set its validationAction to warn, or, if it was decided, write audit.validator: true in access.yaml."
)
_DROP = "Drop the index {name}."
_KEEP = 'Switch it off: collMod with expireAfterSeconds: "off".'


def _faults(expected: Expectations, observed: AuditLog) -> Iterable[tuple[str, str]]:
    if observed.kind != "collection":
        yield (
            f"is a {observed.kind}, not a collection: what it shows can be changed elsewhere",
            "Make it a collection.",
        )
    if observed.capped:
        yield "is capped: it drops its oldest rows by itself", "Copy its rows into a plain collection."
    if observed.refuses and not expected.validator:
        yield "has a validator that refuses rows", _VALIDATOR
    if observed.collation:
        yield (
            "has a collation, by which rows with different _id may count as equal and be refused",
            "Make it without one.",
        )
    for name in observed.unique or ():
        yield f"has the unique index {name}: it refuses rows", _DROP.format(name=name)
    kept = expected.retention
    for each in observed.expiries or ():
        if kept is None or (each.fields, each.seconds) != ((kept.field,), kept.seconds):
            declared = "" if kept is None else f", not after {kept.seconds} s by {kept.field}"
            what = f"has the TTL index {each.name}" if each.name else "expires by itself"
            text = f"{what}: rows are erased after {each.seconds} s{declared}"
            yield text, _DROP.format(name=each.name) if each.name else _KEEP
