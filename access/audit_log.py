"""What makes the audit log append-only besides privileges (ADR 0002): that it is there, whole, and keeps its rows.

A plain `create` is authorized by insert alone, and a capped collection or a TTL index loses rows without anyone
removing them. So the collection must exist, be neither capped nor a view, be the one last proven, and have no TTL
index. It must never judge a listing that the server did not give.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from access.evidence import Finding, Subject
from access.expectations import Place
from access.verdict import Verdict


@dataclass(frozen=True)
class AuditLog:
    """The collection as the server lists it. `uuid` is hexadecimal; `ttl` maps index names to seconds."""

    kind: str
    capped: bool
    uuid: str
    ttl: Mapping[str, int]


def check_audit_log(
    place: Place,
    seen: AuditLog | None,
    last_uuid: str,
    accepted_uuid: str,
    retention_seconds: int | None = None,
) -> tuple[Finding, ...]:
    """Return what speaks against the append-only log; `last_uuid` is the one last proven, "" when none was.

    A log that is missing is inconclusive, because nothing was lost from it. One with another UUID was dropped and
    made again: refuted until an operator accepts the new UUID. `retention_seconds` is the only TTL that may be there.
    """
    if seen is None:
        text = f"{place} does not exist: create it before the credential is used, a first insert must not create it"
        return (Finding(Subject.AUDIT, Verdict.INCONCLUSIVE, text),)
    texts = list(_texts(place, seen, last_uuid, accepted_uuid, retention_seconds))
    return tuple(Finding(Subject.AUDIT, Verdict.REFUTED, text) for text in texts)


def _texts(
    place: Place, seen: AuditLog, last_uuid: str, accepted_uuid: str, retention_seconds: int | None
) -> Iterable[str]:
    if seen.kind != "collection":
        yield f"{place} is a {seen.kind}, not a collection: what it shows can be changed elsewhere"
    if seen.capped:
        yield f"{place} is capped: it drops its oldest rows by itself"
    if last_uuid and seen.uuid not in (last_uuid, accepted_uuid):
        yield (
            f"{place} is not the collection last proven (UUID {last_uuid}, now {seen.uuid}): "
            "it was dropped or renamed and made again"
        )
    for name, seconds in sorted(seen.ttl.items()):
        if seconds != retention_seconds:
            yield f"{place} has the TTL index {name}: rows are erased after {seconds} s"
