"""Looks whether the collections that a credential needs are there, and what the audit log is.

Without a collection, an allowed operation shows less than it seems to. A user that may list collections lists them;
another one asks the planner, which distinguishes a missing collection from an empty one. It reads no documents.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from atlas_access.clients import Server
from atlas_access.proof.evidence import Finding, Subject
from atlas_access.proof.expectations import Expectations, Place
from atlas_access.proof.judge_audit_log import AuditLog, Expiry, check_audit_log
from atlas_access.proof.operation import explained
from atlas_access.proof.verdict import Outcome, Verdict


@dataclass(frozen=True)
class Presence:
    """What was seen: collections that are not there, and the audit log where the user may list it.

    `unlisted` are databases whose collections the user should be able to list, and could not.
    """

    missing: frozenset[Place] = frozenset()
    listed: bool = False
    audit: AuditLog | None = field(default=None)
    unlisted: tuple[str, ...] = ()

    def findings(self, expected: Expectations, last_uuid: str, accepted_uuid: str) -> Iterable[Finding]:
        """Say what is missing though it must be there, and what speaks against the append-only log."""
        if self.listed:
            yield from check_audit_log(
                expected.audit, self.audit, last_uuid, accepted_uuid, expected.retention
            )
        for database in self.unlisted:
            text = f"the collections of {database} could not be listed, so that nobody knows what is there"
            yield Finding(Subject.SERVER, Verdict.INCONCLUSIVE, text)
        for place in sorted(self.missing):
            if not expected.may_be_absent(place) and not (self.listed and place == expected.audit):
                text = f"{place} does not exist on {expected.cluster}, where it is expected"
                yield Finding(Subject.SERVER, Verdict.INCONCLUSIVE, text)


def look(server: Server, expected: Expectations) -> Presence:
    """Look at the collections that the user is expected to read; what cannot be seen is not called missing."""
    readable = [
        cell.place
        for cell in expected.table
        if cell.operation == "find" and cell.outcome is Outcome.ALLOWED and _named(expected, cell.place)
    ]
    by_database: dict[str, list[Place]] = {}
    for place in readable:
        by_database.setdefault(place.database, []).append(place)
    missing: set[Place] = set()
    audit: AuditLog | None = None
    listed = False
    unlisted: list[str] = []
    for database, places in by_database.items():
        if not _may_list(expected, database):
            missing |= {place for place in places if _planner_finds_nothing(server, place)}
            continue
        found = _collections(server, database)
        if found is None:
            unlisted.append(database)
            continue
        missing |= {place for place in places if place.collection not in found}
        if database == expected.audit.database:
            listed = True
            info = found.get(expected.audit.collection)
            audit = None if info is None else _audit_log(server, expected.audit, info)
    return Presence(frozenset(missing), listed, audit, tuple(unlisted))


def _named(expected: Expectations, place: Place) -> bool:
    return any(each.place == place for each in expected.collections)


def _may_list(expected: Expectations, database: str) -> bool:
    return any(
        cell.operation == "listCollections"
        and cell.place.database == database
        and cell.outcome is Outcome.ALLOWED
        for cell in expected.table
    )


def _planner_finds_nothing(server: Server, place: Place) -> bool:
    reply = server.command(place.database, explained({"find": place.collection, "filter": {}}))
    planner = reply.document.get("queryPlanner")
    plan = planner.get("winningPlan") if isinstance(planner, Mapping) else None
    if not isinstance(plan, Mapping):
        return False
    plan = plan.get("queryPlan", plan)
    return isinstance(plan, Mapping) and plan.get("stage") == "EOF"


def _collections(server: Server, database: str) -> dict[str, Mapping[str, Any]] | None:
    reply = server.command(database, {"listCollections": 1, "cursor": {"batchSize": 10000}})
    cursor = reply.document.get("cursor")
    if not reply.answer.ok or not isinstance(cursor, Mapping):
        return None
    return {str(each.get("name")): each for each in cursor.get("firstBatch", ())}


def _audit_log(server: Server, place: Place, info: Mapping[str, Any]) -> AuditLog:
    identifier = info.get("info", {}).get("uuid")
    options = info.get("options", {})
    return AuditLog(
        kind=str(info.get("type", "collection")),
        capped=bool(options.get("capped", False)),
        uuid=identifier.hex if isinstance(identifier, UUID) else "",
        expiries=_expiries(server, place, options),
    )


def _expiries(server: Server, place: Place, options: Mapping[str, Any]) -> tuple[Expiry, ...] | None:
    """What erases rows by itself: TTL indexes, and the clustered key's own expiry, which 6.0 lists as an option."""
    reply = server.command(place.database, {"listIndexes": place.collection, "cursor": {"batchSize": 1000}})
    cursor = reply.document.get("cursor")
    if not reply.answer.ok or not isinstance(cursor, Mapping):
        return None
    found = [
        Expiry(str(each.get("name")), tuple(each.get("key", ())), _seconds(each["expireAfterSeconds"]))
        for each in cursor.get("firstBatch", ())
        if "expireAfterSeconds" in each
    ]
    if "expireAfterSeconds" in options and not found:
        found.append(Expiry("of its clustered key", ("_id",), _seconds(options["expireAfterSeconds"])))
    return tuple(sorted(found, key=lambda each: each.name))


def _seconds(value: Any) -> int:
    """Whole seconds; a server takes what is no number, which older versions let in, for 0."""
    try:
        return int(value)
    except (ValueError, TypeError, OverflowError):
        return 0
