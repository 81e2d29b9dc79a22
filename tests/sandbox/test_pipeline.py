"""Commands ahead of their answers: each keeps its own answer, and no transaction outlives its command."""

from collections.abc import Iterator, Mapping

import pytest
from mongod_fixture import LOOPBACK, Cluster, cluster
from proof_proxy import Proxy

from access.connection import ConnectionString
from access.verdict import Failure
from probes.mongo import Reply, Server
from probes.pipeline import BATCH_COMMANDS, Sending

__all__ = ["cluster"]

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
    listed = cluster.root.admin.aggregate(
        [
            {"$currentOp": {"allUsers": True, "idleSessions": True}},
            {"$match": {"transaction": {"$exists": True}}},
        ]
    )
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
    with Server(ConnectionString.parse(cluster.uri("app_audit_writer")), LOOPBACK, wait_seconds=5) as writer:
        sendings = [Sending(DATABASE, each, in_transaction=True) for each in (DENIED, INSERT, DENIED, INSERT)]
        assert [None, 13, None, 13] == codes(writer.commands(sendings))
        assert 0 == open_transactions(cluster)
    assert 0 == cluster.root.askflorence.agent_audit_log.count_documents({"_id": "of a pipeline"})


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


def test_what_is_not_answered_in_time_is_left_and_its_answer_never_read(server: Server) -> None:
    seconds = iter([2.0, 1.0, 0.0])
    replies = server.commands([Sending("admin", {"hello": 1})] * 100, lambda: next(seconds))
    after = server.command("admin", {"buildInfo": 1})
    assert ([None] * 3, True) == (codes(replies), "version" in after.document)
