"""Commands ahead of their answers: each keeps its own answer, and no transaction outlives its command."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from mongod_fixture import LOOPBACK, Cluster
from proof_kinds import last_entry, written_since
from proof_proxy import Cut, Proxy
from pymongo.errors import NetworkTimeout
from pymongo.synchronous.pool import Connection

from atlas_access.base.connection import ConnectionString
from atlas_access.clients import pipeline
from atlas_access.clients.mongo import Reply, Server
from atlas_access.clients.mongo_answers import Failure
from atlas_access.clients.pipeline import BATCH_COMMANDS, Sending

DATABASE = "askflorence"
INSERT = {"insert": "plans", "documents": [{"_id": "of a pipeline"}]}
DENIED = {"insert": "agent_audit_log", "documents": [{"_id": "of a pipeline"}]}


@pytest.fixture
def server(cluster: Cluster) -> Iterator[Server]:
    with Server(ConnectionString.parse(cluster.uri("app_write")), LOOPBACK, wait_seconds=5) as opened:
        yield opened


def codes(replies: list[Reply]) -> list[object]:
    return [reply.answer.failure or reply.answer.code for reply in replies]


def open_transactions(cluster: Cluster) -> int:
    sessions = {"$currentOp": {"allUsers": True, "idleSessions": True}}
    listed = cluster.root.admin.aggregate([sessions, {"$match": {"transaction": {"$exists": True}}}])
    return len(list(listed))


def test_each_command_has_its_own_answer_in_the_order_sent(server: Server) -> None:
    echoes = [Sending("admin", {"hello": 1, "comment": number}) for number in range(3 * BATCH_COMMANDS)]
    unknown = Sending("admin", {"nosuchcommand": 1})
    replies = server.commands([unknown, *echoes, unknown])
    assert [59, *[None] * len(echoes), 59] == codes(replies)


def test_nothing_is_sent_for_nothing(server: Server) -> None:
    assert [] == server.commands([])


@pytest.mark.parametrize(
    "command", [INSERT, {"find": "plans"}, {"insert": "plans", "documents": [{"_id": 1}, {"_id": 1}]}]
)
def test_a_transaction_has_ended_before_the_next_command_needs_its_lock(
    cluster: Cluster, server: Server, command: Mapping[str, object]
) -> None:
    index = {"createIndexes": "plans", "indexes": [{"key": {"a": 1}, "name": "of_a_pipeline"}]}
    server.commands([Sending(DATABASE, command, in_transaction=True), Sending(DATABASE, index)])
    cluster.root.askflorence.plans.drop_index("of_a_pipeline")
    assert (0, 0) == (
        cluster.root.askflorence.plans.count_documents({"_id": "of a pipeline"}),
        open_transactions(cluster),
    )


def test_a_transaction_that_is_denied_leaves_the_one_before_it_aborted_too(cluster: Cluster) -> None:
    moment = last_entry(cluster.root)
    with Server(ConnectionString.parse(cluster.uri("app_audit_writer")), LOOPBACK, wait_seconds=5) as writer:
        sendings = [Sending(DATABASE, each, in_transaction=True) for each in (DENIED, INSERT, DENIED, INSERT)]
        assert [None, 13, None, 13] == codes(writer.commands(sendings))
        assert 0 == open_transactions(cluster)
    assert 0 == cluster.root.askflorence.agent_audit_log.count_documents({"_id": "of a pipeline"})
    assert [] == written_since(cluster.root, moment)


def test_answers_larger_than_every_buffer_hold_nobody_up(cluster: Cluster, server: Server) -> None:
    cluster.root.askflorence.large.insert_one({"text": "x" * 8_000_000})
    try:
        replies = server.commands([Sending(DATABASE, {"find": "large"}) for _ in range(12)])
    finally:
        cluster.root.askflorence.large.drop()
    assert [8_000_000] * 12 == [len(reply.document["cursor"]["firstBatch"][0]["text"]) for reply in replies]


def test_commands_larger_than_a_batch_are_sent_as_well(server: Server) -> None:
    assert [None] * 3 == codes(server.commands([Sending("admin", {"ping": 1, "comment": "x" * 100_000})] * 3))


@pytest.mark.parametrize(("mode", "expected"), [("mute", Failure.TIMEOUT), ("garble", Failure.GARBLED)])
def test_a_connection_that_breaks_gives_the_answers_until_then_and_why_it_ended(
    cluster: Cluster, mode: str, expected: Failure
) -> None:
    with Proxy("127.0.0.1", cluster.server.port, mode, quiet_bytes=40_000) as proxy:
        text = cluster.uri("app_write", address=proxy.address)
        with Server(ConnectionString.parse(text), LOOPBACK, wait_seconds=1) as far:
            replies = far.commands([Sending("admin", {"hello": 1})] * 400)
    *answered, last = codes(replies)
    assert (True, {None}, expected) == (0 < len(answered) < 399, set(answered), last)


def test_after_a_connection_that_broke_no_answer_is_taken_for_another(cluster: Cluster) -> None:
    """What was on its way when an answer took too long must not be read as the answer to what is asked next."""
    with Server(ConnectionString.parse(cluster.uri("app_write")), LOOPBACK, wait_seconds=1) as server:
        slow = {"find": "plans", "filter": {"$where": "sleep(1500) || true"}, "limit": 1}
        replies = server.commands([Sending(DATABASE, slow), *[Sending("admin", {"hello": 1})] * 5])
        after = server.command("admin", {"buildInfo": 1})
    assert ([Failure.TIMEOUT], True) == (codes(replies), "version" in after.document)


def after(answers: int) -> Callable[[], float]:
    """A deadline that passes once so many answers were read."""
    asked = itertools.count()
    return lambda: 1.0 if next(asked) < answers else 0.0


def test_past_the_deadline_no_further_batch_is_sent(server: Server) -> None:
    replies = server.commands([Sending("admin", {"hello": 1})] * 400, after(BATCH_COMMANDS + 3))
    again = server.command("admin", {"buildInfo": 1})
    assert ([None] * 2 * BATCH_COMMANDS, True) == (codes(replies), "version" in again.document)


@pytest.mark.parametrize("singles", [0, 3, BATCH_COMMANDS - 1])
@pytest.mark.parametrize("answers", [1, 2, 5, BATCH_COMMANDS])
def test_past_the_deadline_no_transaction_stays_open(
    cluster: Cluster, server: Server, singles: int, answers: int
) -> None:
    hello, insert = Sending("admin", {"hello": 1}), Sending(DATABASE, INSERT, in_transaction=True)
    server.commands([hello] * singles + [insert] * 100, after(answers))
    assert 0 == open_transactions(cluster)


def test_an_answer_that_comes_much_too_late_is_left_and_its_transactions_are_ended(cluster: Cluster) -> None:
    slow = Sending(DATABASE, {"find": "plans", "filter": {"$where": "sleep(1100) || true"}, "limit": 1})
    insert = Sending(DATABASE, INSERT, in_transaction=True)
    with Server(ConnectionString.parse(cluster.uri("app_write")), LOOPBACK, wait_seconds=5) as server:
        replies = server.commands([insert, *[slow] * 8, insert], after(4))
        again = server.command("admin", {"buildInfo": 1})
    assert (True, True, 0) == (1 < len(replies) < 9, "version" in again.document, open_transactions(cluster))


@pytest.mark.parametrize("quiet_bytes", [4_000, 6_000, 8_000, 12_000])
def test_after_a_connection_was_cut_no_transaction_stays_open(cluster: Cluster, quiet_bytes: int) -> None:
    with Cut("127.0.0.1", cluster.server.port, quiet_bytes) as proxy:
        text = cluster.uri("app_write", address=proxy.address)
        with Server(ConnectionString.parse(text), LOOPBACK, wait_seconds=3) as far:
            replies = far.commands([Sending(DATABASE, INSERT, in_transaction=True)] * 200)
    assert (Failure.NETWORK, 0) == (replies[-1].answer.failure, open_transactions(cluster))


def test_what_a_cut_left_open_is_ended_although_more_was_asked_since(cluster: Cluster) -> None:
    with Cut("127.0.0.1", cluster.server.port, 6_000) as proxy:
        text = cluster.uri("app_write", address=proxy.address)
        with Server(ConnectionString.parse(text), LOOPBACK, wait_seconds=3) as far:
            far.commands([Sending(DATABASE, INSERT, in_transaction=True)] * 200)
            again = far.commands([Sending("admin", {"hello": 1})] * 3)
    assert ([None] * 3, 0) == (codes(again), open_transactions(cluster))


def test_an_abort_without_an_answer_is_no_reply_and_is_made_good(
    server: Server, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    received, hears = itertools.count(1), Connection.receive_message

    def deaf(self: Connection, request_id: int | None) -> Any:
        if next(received) == 4:
            self.close_conn(None)
            raise NetworkTimeout("made up")
        return hears(self, request_id)

    server.command("admin", {"ping": 1})
    with monkeypatch.context() as patched:
        patched.setattr(Connection, "receive_message", deaf)
        replies = server.commands([Sending(DATABASE, INSERT, in_transaction=True)] * 2)
    server.close()
    assert ([None, None], 0) == (codes(replies), open_transactions(cluster))


def test_an_answer_without_a_code_is_not_understood(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.bson, "decode", lambda *_: {"ok": 0, "errmsg": "not master"})
    assert [Failure.GARBLED] == codes(server.commands([Sending("admin", {"hello": 1})]))
