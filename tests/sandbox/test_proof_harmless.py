"""A proof changes nothing and no client waits for it: on every kind of collection, on a busy server."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest
from mongod_fixture import LOOPBACK, Cluster, cluster
from proof_kinds import last_entry, make, state, written_since
from pymongo import MongoClient

from atlas_access.base.connection import ConnectionString, compose
from atlas_access.clients.mongo import Server
from atlas_access.proof import attempt
from atlas_access.proof.attempt import About, Nonce, Tried, attempt_all, not_tried
from atlas_access.proof.catalogue import OPERATIONS
from atlas_access.proof.evidence import Proof
from atlas_access.proof.expectations import Expectations, Expected, Place
from atlas_access.proof.operation import Kind, Lock, Operation, Scope
from atlas_access.proof.verdict import Outcome, Verdict

__all__ = ["cluster"]

USERS = ("app_read", "app_write", "app_audit_writer", "app_admin_schema")
ROOT = [{"role": "root", "db": "admin"}]
DATABASE = "kinds"
SENT = [row for row in OPERATIONS if row.command]
UNSAFE = [(row, kind) for row in SENT for kind in row.unsafe]
QUICK_MS = 100
TRIES = 5
"""A noisy machine is slow now and then; what waits for a lock waits each time, and for seconds."""


@dataclass
class Kinds:
    """A server with a collection of each kind, asked by a root credential as the prover would ask."""

    root: "MongoClient[dict[str, Any]]"
    server: Server
    expected: Expectations
    version: tuple[int, ...]
    last: dict[str, Any] = field(default_factory=dict)

    def before_and_after(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The state when it was last asked for, and now."""
        before, self.last = self.last, state(self.root)
        return before, self.last

    def about(self, kinds: dict[Place, Kind]) -> About:
        nothing = frozenset[Any]()
        return About(self.version, kinds, nothing, nothing, nothing, Nonce(f"_probe_{uuid4().hex}", uuid4()))

    def attempts(self, row: Operation) -> list[Tried]:
        """Try a row wherever it can be; as what is to be denied where it is not tried on what is to be allowed."""
        kinds = {Place(DATABASE, kind): kind for kind in Kind}
        places = {
            Scope.COLLECTION: list(kinds),
            Scope.DATABASE: [Place(DATABASE), Place("admin"), Place("nowhere")],
            Scope.CLUSTER: [Place("")],
        }[row.scope]
        denied = row.makes or row.lock is Lock.EXCLUSIVE
        outcome = Outcome.DENIED if denied else Outcome.ALLOWED
        cells = [Expected(row.name, place, outcome) for place in places]
        return attempt_all(self.server, cells, self.expected, self.about(kinds), lambda: 60.0)


@pytest.fixture(scope="module")
def kinds(cluster: Cluster) -> Iterator[Kinds]:
    text = compose(f"mongodb://{cluster.server.address}", "root", "root", DATABASE)
    whole = cluster.request("app_write").expectations
    expected = replace(whole, sources=(Place(DATABASE, Kind.PLAIN),))
    for kind in Kind:
        make(cluster.root[DATABASE], kind, kind)
    version = tuple(cluster.root.server_info()["versionArray"][:3])
    with (
        Server(ConnectionString.parse(text), LOOPBACK, wait_seconds=10) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(attempt, "MEASURED_MAJORS", {version[0]})  # this test is the measurement
        yield Kinds(cluster.root, server, expected, version, state(cluster.root))
    cluster.root.drop_database(DATABASE)


@pytest.mark.parametrize("row", SENT, ids=lambda row: row.name)
def test_a_row_that_root_sends_changes_nothing_on_any_kind_of_collection(
    kinds: Kinds, row: Operation
) -> None:
    moment = last_entry(kinds.root)
    found = kinds.attempts(row)
    listed = {each.attempt.namespace for each in found if not each.attempt.tried}
    everywhere = {each.attempt.namespace for each in found}
    unsafe = {f"{DATABASE}.{kind}" for kind in row.unsafe}
    assert (everywhere if row.since > kinds.version[0] else unsafe) == listed
    wrong = [str(each.attempt) for each in found if each.attempt.tried and each.attempt.outcome != "allowed"]
    assert [] == wrong
    assert ([], []) == (written_since(kinds.root, moment), [each.residue for each in found if each.residue])
    before, after = kinds.before_and_after()
    assert before == after


@pytest.mark.parametrize(("row", "kind"), UNSAFE, ids=[f"{row.name} on {kind}" for row, kind in UNSAFE])
def test_a_row_is_not_tried_where_it_may_change_something_nor_where_the_kind_is_unknown(
    kinds: Kinds, row: Operation, kind: Kind
) -> None:
    place = Place(DATABASE, kind)
    for outcome in (Outcome.ALLOWED, Outcome.DENIED):
        cell = Expected(row.name, place, outcome)
        why = [not_tried(row, cell, kinds.about(known)) for known in ({place: kind}, {}, {place: Kind.PLAIN})]
        assert ["its form is not harmless on every kind of collection"] * 2 + [""] == why


def test_an_insert_that_would_make_its_collection_is_not_tried_where_it_is_allowed(kinds: Kinds) -> None:
    place = Place(DATABASE, Kind.ABSENT)
    why = {
        (row.name, outcome): not_tried(
            row, Expected(row.name, place, outcome), kinds.about({place: Kind.ABSENT})
        )
        for row in SENT
        if row.makes and row.since <= kinds.version[0]
        for outcome in (Outcome.ALLOWED, Outcome.DENIED)
    }
    assert {case for case in why if case[1] is Outcome.ALLOWED} == {
        case for case, said in why.items() if said
    }


def test_only_creating_an_index_on_a_time_series_is_known_to_change_something() -> None:
    assert [("createIndexes", Kind.TIME_SERIES), ("createIndexes TTL", Kind.TIME_SERIES)] == [
        (row.name, kind) for row, kind in UNSAFE
    ]


@contextmanager
def widened(cluster: Cluster, user: str, to_root: bool) -> Iterator[None]:
    if to_root:
        cluster.set_user(user, ROOT)
    try:
        yield
    finally:
        cluster.set_user(user, cluster.declared_roles(user))


@pytest.mark.parametrize(
    ("user", "to_root"), [(user, to_root) for user in USERS for to_root in (False, True)], ids=str
)
def test_a_whole_proof_leaves_no_trace(cluster: Cluster, user: str, to_root: bool) -> None:
    with widened(cluster, user, to_root):
        before, moment = state(cluster.root), last_entry(cluster.root)
        proof = cluster.prove(user)
        assert [] == written_since(cluster.root, moment)
        assert before == state(cluster.root)
    assert (Verdict.REFUTED if to_root else Verdict.PROVEN, ()) == (proof.verdict, proof.residue)


def test_root_is_allowed_everything_that_is_tried_so_that_the_traceless_run_means_something(
    cluster: Cluster,
) -> None:
    with widened(cluster, "app_audit_writer", to_root=True):
        proof = cluster.prove("app_audit_writer")
    tried = [
        each for each in proof.attempts if each.tried and each.namespace == "askflorence.agent_audit_log"
    ]
    assert {Outcome.ALLOWED} == {each.outcome for each in tried}
    assert {row.name for row in SENT if row.scope is Scope.COLLECTION and not row.since} - {
        each.operation for each in tried
    } <= {row.name for row, _ in UNSAFE}


@dataclass
class Writer(threading.Thread):
    """A client that inserts all the time; how long its slowest insert took, and what failed."""

    client: "MongoClient[dict[str, Any]]"
    collection: str
    slowest_ms: float = 0.0
    written: int = 0
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._end = threading.Event()

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        while not self._end.is_set():
            began = time.perf_counter()
            try:
                self.client["askflorence"][self.collection].insert_one({"_busy": True})
                self.written += 1
            except Exception as error:  # noqa: BLE001 - whatever a client would see
                self.failed.append(str(error))
            self.slowest_ms = max(self.slowest_ms, (time.perf_counter() - began) * 1000)

    def end(self) -> None:
        self._end.set()
        self.join()


def busy_proof(cluster: Cluster, user: str, collection: str) -> tuple[Proof, float]:
    """Prove beside an open transaction and a writer; the proof, and the slowest milliseconds of either side."""
    rows = cluster.root["askflorence"][collection]
    rows.insert_one({"_busy": True})  # creating a collection in a transaction would conflict with the writer
    with ExitStack() as stack:
        stack.callback(rows.delete_many, {"_busy": True})
        client = stack.enter_context(cluster.server.client())
        session = stack.enter_context(client.start_session())
        session.start_transaction()
        client["askflorence"][collection].insert_one({"_busy": True, "_id": "open"}, session=session)
        writer = Writer(stack.enter_context(cluster.server.client()), collection)
        writer.start()
        try:
            proof = cluster.prove(user)
        finally:
            writer.end()
        session.commit_transaction()
        assert (1, [], True) == (rows.count_documents({"_id": "open"}), writer.failed, writer.written > 0)
    return proof, max(writer.slowest_ms, *(each.ms for each in proof.attempts))


@pytest.mark.parametrize("collection", ["agent_audit_log", "of_somebody_else"])
@pytest.mark.parametrize(
    ("user", "to_root"), [*((user, False) for user in USERS), ("app_read", True)], ids=str
)
def test_no_attempt_waits_for_an_open_transaction_and_no_client_for_an_attempt(
    cluster: Cluster, user: str, to_root: bool, collection: str
) -> None:
    with widened(cluster, user, to_root):
        tries = 0
        slowest = float("inf")
        while slowest >= QUICK_MS and tries < TRIES:
            proof, slowest = busy_proof(cluster, user, collection)
            tries += 1
    assert (Verdict.REFUTED if to_root else Verdict.PROVEN, 0) == (proof.verdict, proof.inconclusive)
    assert slowest < QUICK_MS
