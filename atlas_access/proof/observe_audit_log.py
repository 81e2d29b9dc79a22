"""Observes the collections that a credential needs: which are there, of what kind, and what the audit log is.

Without a collection, an allowed operation shows less than it seems to, and whether an attempt is harmless depends on
its kind. A user that may list collections lists them; another one asks the planner, which distinguishes a missing
collection from an empty one. No documents are read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from atlas_access.base import Finding
from atlas_access.clients import Server
from atlas_access.proof.evidence import Subject, doubtful
from atlas_access.proof.expectations import Expectations, Place
from atlas_access.proof.judge_audit_log import AuditLog, Expiry, check_audit_log
from atlas_access.proof.operation import Kind, explained
from atlas_access.proof.verdict import Outcome


@dataclass(frozen=True)
class Presence:
    """What was observed: collections that are not there, kinds of those that were listed, and the audit log.

    `unlisted` are databases whose collections the user should be able to list, and could not.
    """

    missing: frozenset[Place] = frozenset()
    kinds: Mapping[Place, Kind] = field(default_factory=dict)
    listed: bool = False
    audit: AuditLog | None = None
    unlisted: tuple[str, ...] = ()

    def findings(self, expected: Expectations, last_uuid: str, accepted_uuid: str) -> Iterable[Finding]:
        """Say what is missing though it must be there, and what speaks against the append-only log."""
        if self.listed:
            yield from check_audit_log(expected, self.audit, last_uuid, accepted_uuid)
        for database in self.unlisted:
            text = f"the collections of {database} could not be listed, so that nobody knows what is there"
            yield doubtful(Subject.SERVER, text)
        for place in sorted(self.missing):
            if not expected.may_be_absent(place) and not (self.listed and place == expected.audit):
                text = f"{place} does not exist on {expected.cluster}, where it is expected"
                yield doubtful(
                    Subject.SERVER,
                    text,
                    "Create it (of a view, what it reads), or declare may_be_absent: true.",
                )


def observe(server: Server, expected: Expectations) -> Presence:
    """List the collections that the user is expected to read; what cannot be listed is not called missing."""
    readable: dict[str, list[Place]] = {}
    for cell in expected.table:
        if cell.operation == "find" and cell.outcome is Outcome.ALLOWED and _named(expected, cell.place):
            readable.setdefault(cell.place.database, []).append(cell.place)
    missing: set[Place] = set()
    kinds: dict[Place, Kind] = {}
    audit: AuditLog | None = None
    listed = False
    unlisted: list[str] = []
    for database in sorted({each.place.database for each in expected.collections}):
        places = readable.get(database, [])
        if not _may_list(expected, database):
            absent = [place for place in places if _planner_finds_nothing(server, place)]
            missing |= set(absent)
            kinds |= dict.fromkeys(absent, Kind.ABSENT)
            continue
        named = [each.place for each in expected.collections if each.place.database == database]
        found = _collections(server, database, sorted(place.collection for place in named))
        if found is None:
            unlisted.append(database)
            continue
        missing |= {place for place in places if place.collection not in found}
        kinds |= {place: _kind(found.get(place.collection)) for place in named}
        if database == expected.audit.database and places:
            listed = True
            info = found.get(expected.audit.collection)
            audit = None if info is None else _audit_log(server, expected.audit, info)
    return Presence(frozenset(missing), kinds, listed, audit, tuple(unlisted))


def _kind(info: Mapping[str, Any] | None) -> Kind:
    """What kind a listed collection is, as far as an attempt's harmlessness depends on it; indexes do not count."""
    if info is None:
        return Kind.ABSENT
    options = info.get("options", {})
    special = {
        Kind.TIME_SERIES: info.get("type") == "timeseries",
        Kind.VIEW: info.get("type") == "view",
        Kind.CAPPED: options.get("capped"),
        Kind.CLUSTERED: options.get("clusteredIndex"),
        Kind.ENCRYPTED: options.get("encryptedFields"),
        Kind.VALIDATED: options.get("validator"),
    }
    return next((kind for kind, there in special.items() if there), Kind.PLAIN)


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


def _collections(server: Server, database: str, names: list[str]) -> dict[str, Mapping[str, Any]] | None:
    """Those of these names that are there; None as well when they do not come in one batch."""
    listing = {"listCollections": 1, "filter": {"name": {"$in": names}}, "cursor": {"batchSize": 10000}}
    reply = server.command(database, listing)
    cursor = reply.document.get("cursor")
    if not reply.answer.ok or not isinstance(cursor, Mapping) or cursor.get("id"):
        return None
    return {str(each.get("name")): each for each in cursor.get("firstBatch", ())}


def _audit_log(server: Server, place: Place, info: Mapping[str, Any]) -> AuditLog:
    identifier = info.get("info", {}).get("uuid")
    options = info.get("options", {})
    indexes = _indexes(server, place)
    refusing = options.get("validationAction", "error") != "warn" and options.get("validationLevel") != "off"
    return AuditLog(
        kind=str(info.get("type", "collection")),
        capped=bool(options.get("capped", False)),
        uuid=identifier.hex if isinstance(identifier, UUID) else "",
        expiries=None if indexes is None else _expiries(indexes, options),
        unique=None
        if indexes is None
        else tuple(sorted(str(each.get("name")) for each in indexes if _refuses(each) and not _of_id(each))),
        refuses=bool(options.get("validator")) and refusing,
        collation=bool(options.get("collation")),
    )


def _refuses(index: Mapping[str, Any]) -> bool:
    """Whether an index refuses rows that equal others; `prepareUnique` does before the index is a unique one."""
    return bool(index.get("unique") or index.get("prepareUnique"))


def _of_id(index: Mapping[str, Any]) -> bool:
    return tuple(index.get("key", ())) == ("_id",)


def _indexes(server: Server, place: Place) -> list[Mapping[str, Any]] | None:
    reply = server.command(place.database, {"listIndexes": place.collection, "cursor": {"batchSize": 1000}})
    cursor = reply.document.get("cursor")
    if not reply.answer.ok or not isinstance(cursor, Mapping):
        return None
    return list(cursor.get("firstBatch", ()))


def _expiries(indexes: Iterable[Mapping[str, Any]], options: Mapping[str, Any]) -> tuple[Expiry, ...]:
    """What erases rows by itself: TTL indexes, and the clustered key's own expiry, which 6.0 lists as an option."""
    found = [
        Expiry(str(each.get("name")), tuple(each.get("key", ())), _seconds(each["expireAfterSeconds"]))
        for each in indexes
        if "expireAfterSeconds" in each
    ]
    if "expireAfterSeconds" in options and not found:
        found.append(Expiry("", ("_id",), _seconds(options["expireAfterSeconds"])))
    return tuple(sorted(found, key=lambda each: each.name))


def _seconds(value: Any) -> int:
    """Whole seconds; a server takes what is no number, which older versions let in, for 0."""
    try:
        return int(value)
    except (ValueError, TypeError, OverflowError):
        return 0
