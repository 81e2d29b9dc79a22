"""What a credential must and must not be able to do: the full table of a user on one cluster, from the manifest alone.

Expectations name operations of the catalogue and the namespaces to try them on, each allowed or denied. They must
never be written by hand, widened for a server, or depend on anything but the manifest and the catalogue.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from atlas_access.privileges import (
    BUILTIN_ROLES,
    Privilege,
    Privileges,
    Scope as ResourceScope,
    builtin_privileges,
    major_of,
    mongo_actions,
    patch_privileges,
)
from atlas_access.proof.catalogue import OPERATIONS, operation
from atlas_access.proof.operation import Need, On, Operation, Reach, Scope
from atlas_access.proof.verdict import Outcome

if TYPE_CHECKING:  # reading a manifest is half a process's start, and a proof needs none
    from atlas_access.manifest import Manifest, Retention, User

CLUSTER = "the cluster"
ADMIN = "admin"
_FORMAT = 3
_SYSTEM = ("system.js", "system.profile", "system.views", "system.buckets.any")
_SERVER = (
    *((ADMIN, "system.users"), (ADMIN, "system.roles"), (ADMIN, "system.version")),
    *(("local", "oplog.rs"), ("config", "transactions"), ("config", "system.sessions")),
)


class Place(NamedTuple):
    """A collection, a whole database (`collection` is ""), or the cluster (both are "")."""

    database: str
    collection: str = ""

    def __str__(self) -> str:
        if not self.database:
            return CLUSTER
        return f"{self.database}.{self.collection}" if self.collection else self.database


class Expected(NamedTuple):
    """One cell of the table: this operation on this place is expected to be allowed or denied."""

    operation: str
    place: Place
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ExpectedCollection:
    """A collection of the manifest that lives on the cluster, and whether it may be absent."""

    place: Place
    may_be_absent: bool


@dataclass(frozen=True)
class Expectations:
    """Everything that is to be proven of one user on one cluster.

    `roles` are exactly the user's roles, as `name@database`. `grants` are the custom roles' Atlas actions on
    namespaces. `audit` is the append-only log, `retention` the only expiry of its rows, `validator` says that one may
    refuse rows. `sources` are collections, one per database, that the user may read. `accepted_actions` are actions of
    newer servers that a decision accepts. `logins` are its names, the one that tasks receive first.
    """

    user: str
    logins: tuple[str, ...]
    cluster: str
    database: str
    roles: tuple[str, ...]
    grants: tuple[tuple[str, Place], ...]
    collections: tuple[ExpectedCollection, ...]
    audit: Place
    sources: tuple[Place, ...]
    table: tuple[Expected, ...]
    retention: Retention | None = None
    validator: bool = False
    accepted_actions: tuple[str, ...] = ()

    @property
    def login(self) -> str:
        """The login name that tasks are to receive."""
        return self.logins[0]

    def declared(self, version: str) -> Privileges:
        """Return the privileges that a server of this version must list; raises ValueError for one that is too old."""
        major_of(version)
        builtin = (builtin_privileges(*_split(role), version) for role in self.roles if _is_builtin(role))
        return _granted(self.grants, version).union(*builtin)

    def tolerated(self, version: str) -> Privileges:
        """Return what the built-in roles may hold besides, by the server's patch release."""
        patches = (patch_privileges(*_split(role), version) for role in self.roles if _is_builtin(role))
        return frozenset[Privilege]().union(*patches)

    def source_for(self, place: Place) -> str:
        """Return a collection of the place's database that the user may read, else the place's own collection."""
        readable = (source.collection for source in self.sources if source.database == place.database)
        return next(readable, place.collection)

    def may_be_absent(self, place: Place) -> bool:
        """Whether the manifest says that this collection may be missing; what it does not name may be."""
        return self._absent.get(place, True)

    @cached_property
    def _absent(self) -> Mapping[Place, bool]:
        return {each.place: each.may_be_absent for each in self.collections}

    def to_json(self) -> str:
        """Return the canonical JSON: equal expectations are equal text."""
        places = sorted({cell.place for cell in self.table})
        number = {place: index for index, place in enumerate(places)}
        table: dict[str, dict[str, list[int]]] = {}
        for cell in self.table:
            by_outcome = table.setdefault(cell.operation, {})
            by_outcome.setdefault(cell.outcome, []).append(number[cell.place])
        record = {
            "format": _FORMAT,
            "user": self.user,
            "logins": list(self.logins),
            "cluster": self.cluster,
            "database": self.database,
            "roles": list(self.roles),
            "grants": [[action, *_pair(place)] for action, place in self.grants],
            "collections": [[*_pair(each.place), each.may_be_absent] for each in self.collections],
            "audit": _pair(self.audit),
            "retention": None if self.retention is None else [self.retention.field, self.retention.days],
            "validator": self.validator,
            "accepted": list(self.accepted_actions),
            "sources": [_pair(source) for source in self.sources],
            "places": [_pair(place) for place in places],
            "table": table,
        }
        return json.dumps(record, sort_keys=True, separators=(",", ":"))

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> Expectations:
        """Read what `to_json` wrote; raises `ValueError` when the text is anything else."""
        try:
            record = json.loads(text)
            if record["format"] != _FORMAT:
                raise ValueError("expectations of another format: run the program again with this version")
            return cls(
                user=record["user"],
                logins=tuple(record["logins"]),
                cluster=record["cluster"],
                database=record["database"],
                roles=tuple(record["roles"]),
                grants=tuple((action, Place(*pair)) for action, *pair in record["grants"]),
                collections=tuple(ExpectedCollection(Place(d, c), a) for d, c, a in record["collections"]),
                audit=Place(*record["audit"]),
                sources=tuple(Place(*pair) for pair in record["sources"]),
                table=tuple(_cells([Place(*pair) for pair in record["places"]], record["table"])),
                retention=_retention(record.get("retention")),
                validator=record["validator"],
                accepted_actions=tuple(record["accepted"]),
            )
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError("not expectations as this project writes them") from error


def expectations(
    manifest: Manifest, user: User | str, cluster: str, logins: tuple[str, ...] = ()
) -> Expectations:
    """Derive what must be proven of a managed user on an environment's cluster; raises KeyError for unknown names."""
    named = manifest.user(user) if isinstance(user, str) else user
    grants = tuple(
        (grant.action, Place(manifest.database_of(name), name))
        for role in named.roles
        if not role.is_builtin
        for grant in manifest.role(role.name).grants
        for name in grant.collections
    )
    collections = tuple(
        ExpectedCollection(Place(each.database, each.name), each.may_be_absent)
        for each in manifest.collections_on(cluster)
    )
    builtin = (builtin_privileges(role.name, role.database) for role in named.roles if role.is_builtin)
    held = _granted(grants).union(*builtin)
    audit = Place(manifest.audit.database, manifest.audit.collection)
    sources = _sources(held, manifest.databases, audit, collections)
    bare = Expectations(
        user=named.name,
        logins=logins or (named.name,),
        cluster=cluster,
        database=manifest.database,
        roles=tuple(sorted(map(str, named.roles))),
        grants=tuple(sorted(grants)),
        collections=collections,
        audit=audit,
        sources=sources,
        table=(),
        retention=manifest.audit.retention,
        validator=manifest.audit.validator,
        accepted_actions=manifest.accepted_actions,
    )
    cells = (
        Expected(row.name, place, _expected(held, row, place, bare.source_for(place)))
        for row in OPERATIONS
        for place in _places(row, manifest.databases, collections, {audit, *sources})
    )
    return replace(bare, table=tuple(sorted(cells, key=_table_order)))


def suffices(held: Privileges, row: Operation, place: Place, source: str) -> bool:
    """Whether these privileges authorize an operation on a place, fed from `source` when it needs one."""
    sets = [needs for needs in (row.needs, row.instead) if needs]
    return any(all(_holds(held, need, place, source) for need in needs) for needs in sets)


@lru_cache(maxsize=256)
def _with_action(held: Privileges, action: str) -> tuple[Privilege, ...]:
    return tuple(each for each in held if each.action == action)


def _holds(held: Privileges, need: Need, place: Place, source: str) -> bool:
    relevant = _with_action(held, need.action)
    if need.on is On.CLUSTER:
        wide = (ResourceScope.CLUSTER, ResourceScope.ANY_RESOURCE)
        return any(each.scope in wide for each in relevant)
    if need.on is On.EVERY_DATABASE:
        return any(each.covers("", "") or each.scope is ResourceScope.ANY_RESOURCE for each in relevant)
    if need.on is On.DATABASE:
        return any(each.covers(place.database, "") for each in relevant)
    collection = source if need.on is On.VIA else place.collection
    return any(each.covers(place.database, collection) for each in relevant)


def _expected(held: Privileges, row: Operation, place: Place, source: str) -> Outcome:
    return Outcome.ALLOWED if suffices(held, row, place, source) else Outcome.DENIED


def _places(
    row: Operation, databases: tuple[str, ...], collections: Iterable[ExpectedCollection], focus: set[Place]
) -> list[Place]:
    elsewhere = f"{databases[0]}_elsewhere"
    if row.scope is Scope.CLUSTER:
        return [Place("")]
    if row.scope is Scope.DATABASE:
        others = (ADMIN,) if row.reach is Reach.FOCUS else (elsewhere, ADMIN)
        return [Place(name) for name in (*databases, *others)]
    named = [each.place for each in collections]
    if row.reach is Reach.FOCUS:
        return [place for place in named if place in focus]
    system = [Place(name, each) for name in databases for each in _SYSTEM] + [
        Place(*each) for each in _SERVER
    ]
    return [*named, Place(elsewhere, "anything"), *(system if row.core else ())]


def _sources(
    held: Privileges, databases: Iterable[str], audit: Place, collections: Iterable[ExpectedCollection]
) -> tuple[Place, ...]:
    readable = [audit, *(each.place for each in collections if not each.may_be_absent)]
    find = [each for each in held if each.action == "find"]
    sources = []
    for name in databases:
        there = (place for place in readable if place.database == name)
        first = next((p for p in there if any(each.covers(p.database, p.collection) for each in find)), None)
        if first is not None:
            sources.append(first)
    return tuple(sources)


def _granted(grants: Iterable[tuple[str, Place]], version: str | None = None) -> Privileges:
    return frozenset(
        Privilege(place.database, place.collection, action)
        for atlas, place in grants
        for action in mongo_actions(atlas, version)
    )


def _split(role: str) -> tuple[str, str]:
    name, _, database = role.rpartition("@")
    return name, database


def _is_builtin(role: str) -> bool:
    return _split(role)[0] in BUILTIN_ROLES


def _retention(pair: list[Any] | None) -> Retention | None:
    if pair is None:
        return None
    from atlas_access.manifest import Retention

    return Retention(field=pair[0], days=pair[1])


def _pair(place: Place) -> list[str]:
    return [place.database, place.collection]


_ORDER = {row.name: number for number, row in enumerate(OPERATIONS)}


def _table_order(cell: Expected) -> tuple[int, Place]:
    return _ORDER[cell.operation], cell.place


def _cells(places: list[Place], table: Mapping[str, Mapping[str, list[int]]]) -> list[Expected]:
    cells = [
        Expected(operation(name).name, places[number], Outcome(outcome))
        for name, by_outcome in table.items()
        for outcome, numbers in by_outcome.items()
        for number in numbers
    ]
    return sorted(cells, key=_table_order)
