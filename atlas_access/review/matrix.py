"""The access matrix as a record: who may do what to which collection of which cluster, and how far that is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from atlas_access.manifest import Collection, Manifest, User, Waiver, declared_privileges
from atlas_access.privileges import actions_on
from atlas_access.proof import Standing

LETTERS = (("F", "find"), ("I", "insert"), ("U", "update"), ("R", "remove"))
"""The four data actions of ADR 0006's tables, in their order, with MongoDB's names for them."""

INDEXES = frozenset({"createIndex", "dropIndex", "reIndex"})
DEFINITION = frozenset(
    {
        "cleanupStructuredEncryptionData",
        "collMod",
        "compact",
        "compactStructuredEncryptionData",
        "convertToCapped",
        "createCollection",
        "dropCollection",
        "dropDatabase",
        "renameCollection",
        "renameCollectionSameDB",
    }
)
QUIET = frozenset(
    {
        "changeStream",
        "collStats",
        "dbHash",
        "dbStats",
        "indexStats",
        "killCursors",
        "listCollections",
        "listIndexes",
        "listSearchIndexes",
        "planCacheRead",
    }
)
"""Reads of what FIND shows anyway, or of a collection's outline: held by every reader, so they get no mark."""

MARKS = (
    ("x", "change indexes", INDEXES),
    ("d", "change the definition (create, drop, rename, convert, compact)", DEFINITION),
)


_GRAVITY = (Standing.UNASKED, Standing.YES, Standing.UNCLEAR, Standing.NO)


@dataclass(frozen=True)
class Observation:
    """What a proof of one credential found for its user on one environment's cluster.

    `live` says whether the server's own list of privileges equals the declaration, `proven` whether the whole proof
    stands; `attempts` counts the operations tried; `reason` is the proof's redacted line, empty when proven.
    A user may have several credentials, such as prod's to read from staging: `credential` distinguishes them.
    """

    user: str
    environment: str
    live: Standing
    proven: Standing
    attempts: int = 0
    reason: str = ""
    proven_at: str = ""
    credential: str = ""


@dataclass(frozen=True)
class Cell:
    """What one user may do to one collection: MongoDB actions, sorted, and the waivers that accept some of them."""

    actions: tuple[str, ...]
    waivers: tuple[str, ...] = ()

    @property
    def letters(self) -> str:
        """The data actions as F, I, U, R; empty when there is none."""
        return "".join(letter for letter, action in LETTERS if action in self.actions)

    @property
    def marks(self) -> str:
        """`x` for index changes, `d` for changes of the definition, `+` for anything else that is not a mere look."""
        held = set(self.actions)
        marks = "".join(mark for mark, _, actions in MARKS if held & actions)
        rest = held - {action for _, action in LETTERS} - INDEXES - DEFINITION - QUIET
        return marks + ("+" if rest else "")

    def __str__(self) -> str:
        shown = f"{self.letters}{self.marks}" or "·"
        return f"{shown} ⚠{','.join(self.waivers)}" if self.waivers else shown


@dataclass(frozen=True)
class Use:
    """One consumer's variable that carries a user's credential, and the secret it comes from."""

    variable: str
    consumer: str
    environment: str
    address: str
    secret: str


@dataclass(frozen=True)
class UserRow:
    """One user of one cluster. `cells` follow the cluster's collections; `waivers` hold on the whole database."""

    name: str
    role: str
    cells: tuple[Cell, ...]
    uses: tuple[Use, ...]
    waivers: tuple[str, ...]
    live: Standing
    proven: Standing
    reason: str = ""
    proven_at: str = ""


@dataclass(frozen=True)
class ClusterMatrix:
    """One environment's cluster: its collections in the manifest's order, and a row for each user."""

    environment: str
    collections: tuple[Collection, ...]
    users: tuple[UserRow, ...]


@dataclass(frozen=True)
class AcceptedFinding:
    """A waiver with its place resolved: `user` can do `permits` (Atlas actions) on `on`, accepted by `adr`."""

    id: str
    user: str
    on: str
    permits: tuple[str, ...]
    adr: str
    reason: str
    audit: bool

    def __str__(self) -> str:
        verbs = ", ".join(self.permits[:-1]) + (" and " if self.permits[1:] else "") + self.permits[-1]
        return f"{self.user} can {verbs} on {self.on}"


@dataclass(frozen=True)
class Matrix:
    """The whole matrix. `database` is the application's, `audit` the audit log's full name.

    `left_out` are the optional parts that the manifest does not declare.
    """

    database: str
    audit: str
    clusters: tuple[ClusterMatrix, ...]
    accepted: tuple[AcceptedFinding, ...]
    left_out: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is left out, as a sentence."""
        return (f"Left out: {', '.join(self.left_out)}",) if self.left_out else ()


def build(manifest: Manifest, observations: Iterable[Observation] = ()) -> Matrix:
    """The matrix that `manifest` declares, with what `observations` (the newest last) have found beside it.

    Of a user with several credentials the worst stands: one refuted credential is not made up for by a proven one.
    """
    newest = {(each.user, each.environment, each.credential): each for each in observations}
    observed: dict[tuple[str, str], Observation] = {}
    for each in newest.values():
        place = each.user, each.environment
        observed[place] = max(observed.get(place, each), each, key=lambda one: _GRAVITY.index(one.proven))
    return Matrix(
        database=manifest.database,
        audit=manifest.audit.namespace,
        left_out=manifest.left_out,
        clusters=tuple(_cluster(manifest, environment, observed) for environment in manifest.environments),
        accepted=tuple(_accepted(manifest, waiver) for waiver in manifest.waivers),
    )


def uses_of(manifest: Manifest, user: str, environment: str) -> tuple[Use, ...]:
    """Every consumer's variable, in any environment, that carries `user` of `environment`'s cluster."""
    return tuple(
        Use(
            each.variable,
            each.consumer.value,
            each.environment,
            each.address.value,
            each.secret_name,
        )
        for each in manifest.bindings
        if each.user == user and each.cluster == environment
    )


def _cluster(
    manifest: Manifest, environment: str, observed: dict[tuple[str, str], Observation]
) -> ClusterMatrix:
    collections = manifest.collections_on(environment)
    return ClusterMatrix(
        environment=environment,
        collections=collections,
        users=tuple(
            _row(manifest, user, environment, collections, observed.get((user.name, environment)))
            for user in manifest.users
        ),
    )


def _row(
    manifest: Manifest,
    user: User,
    environment: str,
    collections: Sequence[Collection],
    observation: Observation | None,
) -> UserRow:
    privileges = declared_privileges(manifest, user)
    waivers = tuple(each for each in manifest.waivers if each.user == user.name)
    return UserRow(
        name=user.name,
        role=", ".join(str(role) for role in user.roles),
        cells=tuple(
            Cell(
                actions=tuple(sorted(actions_on(privileges, each.database, each.name))),
                waivers=tuple(waiver.id for waiver in waivers if waiver.on == _waived_as(manifest, each)),
            )
            for each in collections
        ),
        uses=uses_of(manifest, user.name, environment),
        waivers=tuple(waiver.id for waiver in waivers if waiver.on == "database"),
        live=observation.live if observation else Standing.UNASKED,
        proven=observation.proven if observation else Standing.UNASKED,
        reason=observation.reason if observation else "",
        proven_at=observation.proven_at if observation else "",
    )


def _waived_as(manifest: Manifest, collection: Collection) -> str:
    return "audit" if collection.namespace == manifest.audit.namespace else collection.name


def _accepted(manifest: Manifest, waiver: Waiver) -> AcceptedFinding:
    places = {"audit": manifest.audit.namespace, "database": f"every collection of {manifest.database}"}
    return AcceptedFinding(
        id=waiver.id,
        user=waiver.user,
        on=places.get(waiver.on, f"{manifest.database}.{waiver.on}"),
        permits=waiver.permits,
        adr=waiver.adr,
        reason=waiver.reason,
        audit=waiver.on == "audit",
    )
