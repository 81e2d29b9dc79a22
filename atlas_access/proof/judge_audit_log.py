"""What makes the audit log append-only besides privileges (ADR 0002): that it is there, whole, and keeps its rows.

A plain `create` is authorized by insert alone, and a capped collection or a TTL index loses rows without anyone
removing them. So the collection must exist, be neither capped nor a view, be the one last proven, and have no TTL index
but the retention that the manifest declares. A listing that the server did not give is inconclusive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas_access.proof.evidence import Finding, Subject
from atlas_access.proof.expectations import Place
from atlas_access.proof.verdict import Verdict

if TYPE_CHECKING:
    from atlas_access.manifest import Retention


@dataclass(frozen=True)
class Expiry:
    """Something that erases rows by itself: a TTL index by its name, the fields of its key, and after how long.

    A clustered collection expires by its own key; `seconds` is as the server reads it (0 for what is no number).
    """

    name: str
    fields: tuple[str, ...]
    seconds: int


@dataclass(frozen=True)
class AuditLog:
    """The collection as the server lists it. `uuid` is hexadecimal; `expiries` is None where nobody listed them."""

    kind: str
    capped: bool
    uuid: str
    expiries: tuple[Expiry, ...] | None


def check_audit_log(
    place: Place,
    seen: AuditLog | None,
    last_uuid: str,
    accepted_uuid: str,
    retention: Retention | None = None,
) -> tuple[Finding, ...]:
    """Return what speaks against the append-only log; `last_uuid` is the one last proven, "" when none was.

    A log that is missing is inconclusive, because nothing was lost from it. One with another UUID was dropped and
    made again: refuted until an operator accepts the new UUID. `retention` is the only expiry that may be there.
    """
    if seen is None:
        text = f"{place} does not exist: create it before the credential is used, a first insert must not create it"
        return (Finding(Subject.AUDIT, Verdict.INCONCLUSIVE, text),)
    texts = list(_texts(place, seen, last_uuid, accepted_uuid, retention))
    refuted = [Finding(Subject.AUDIT, Verdict.REFUTED, text) for text in texts]
    if seen.expiries is None and seen.kind == "collection":
        text = f"the indexes of {place} could not be listed, so that a TTL index would go unseen"
        refuted.append(Finding(Subject.AUDIT, Verdict.INCONCLUSIVE, text))
    return tuple(refuted)


def _texts(
    place: Place, seen: AuditLog, last_uuid: str, accepted_uuid: str, retention: Retention | None
) -> Iterable[str]:
    if seen.kind != "collection":
        yield f"{place} is a {seen.kind}, not a collection: what it shows can be changed elsewhere"
    if seen.capped:
        yield f"{place} is capped: it drops its oldest rows by itself"
    if last_uuid and seen.uuid not in (last_uuid, accepted_uuid):
        yield (
            f"{place} is not the collection last proven (UUID {last_uuid}, now {seen.uuid}): it was dropped or renamed "
            "and made again. If that was decided, state audit-log-remade in atlas-access:acknowledged, with value "
            f"{seen.uuid}"
        )
    for each in seen.expiries or ():
        if not _declared(each, retention):
            declared = "" if retention is None else f", not after {retention.seconds} s by {retention.field}"
            yield f"{place} has the TTL index {each.name}: rows are erased after {each.seconds} s{declared}"


def _declared(expiry: Expiry, retention: Retention | None) -> bool:
    return retention is not None and (expiry.fields, expiry.seconds) == (
        (retention.field,),
        retention.seconds,
    )
