"""A credential's whole proof against a real server."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from mongod_fixture import Cluster, cluster

from atlas_access.base.connection import ConnectionString, Secret
from atlas_access.base.endpoints import EndpointRefused
from atlas_access.clients.mongo import Reply, Server
from atlas_access.clients.mongo_answers import Answer, Failure
from atlas_access.manifest.records import Retention
from atlas_access.proof.catalogue import OPERATIONS
from atlas_access.proof.evidence import Proof, Subject
from atlas_access.proof.judge_secret import judge_secret
from atlas_access.proof.verdict import Outcome, Verdict

__all__ = ["cluster"]

USERS = ("app_read", "app_write", "app_audit_writer", "app_admin_schema")
AUDIT_LOG = "askflorence.agent_audit_log"


@pytest.mark.parametrize("user", USERS)
def test_a_user_as_declared_is_proven_without_doubt_or_residue(cluster: Cluster, user: str) -> None:
    proof = cluster.prove(user)
    assert (Verdict.PROVEN, "", 0, ()) == (proof.verdict, proof.reason, proof.inconclusive, proof.residue)


@pytest.mark.parametrize("user", USERS)
def test_a_proof_attempts_every_cell_of_its_expectations(cluster: Cluster, user: str) -> None:
    request = cluster.request(user)
    cells = [(cell.operation, str(cell.place)) for cell in request.expectations.table]
    assert cells == [(each.operation, each.namespace) for each in cluster.prove(user).attempts]


def test_a_proof_reads_back_as_it_was_written(cluster: Cluster) -> None:
    proof = cluster.prove("app_audit_writer")
    assert proof == Proof.from_json(proof.to_json())


def test_all_users_are_proven_at_once(cluster: Cluster) -> None:
    with ThreadPoolExecutor(len(USERS)) as pool:
        proofs = tuple(pool.map(cluster.prove, USERS))
    assert [(user, Verdict.PROVEN) for user in USERS] == [(each.user, each.verdict) for each in proofs]


def test_what_clients_would_wait_for_is_decided_by_the_servers_list_where_allowed(cluster: Cluster) -> None:
    made = (*cluster.prove("app_write").attempts, *cluster.prove("app_read").attempts)
    attempts = [each for each in made if each.operation == "convertToCapped"]
    waited = {(each.outcome, each.tried, each.code, each.why) for each in attempts}
    assert {
        (Outcome.ALLOWED, False, None, "by equality: clients would wait for it"),
        (Outcome.DENIED, True, 13, ""),
    } == waited


def test_an_operation_without_a_harmless_form_is_never_sent(cluster: Cluster) -> None:
    proof = cluster.prove("app_write")
    listed = {each.operation for each in proof.attempts if not each.tried and each.why == "by equality"}
    assert {row.name for row in OPERATIONS if row.by_equality and row.since == 0} <= listed
    assert sum(not each.tried for each in proof.attempts) == proof.by_list


def test_a_proof_closes_its_connection(cluster: Cluster) -> None:
    cluster.prove("app_read")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        ops = cluster.root.admin.aggregate([{"$currentOp": {"allUsers": True, "idleConnections": True}}])
        if not [each for each in ops if each.get("appName") == "atlas-access proof"]:
            return
    pytest.fail("a connection of the proof stayed open")


def test_an_excess_names_the_action_the_resource_and_what_it_permits(cluster: Cluster) -> None:
    declared = cluster.declared_privileges("role_audit_writer")
    update = {"resource": {"db": "askflorence", "collection": "agent_audit_log"}, "actions": ["update"]}
    cluster.set_role("role_audit_writer", [*declared, update])
    try:
        proof = cluster.prove("app_audit_writer")
    finally:
        cluster.set_role("role_audit_writer", declared)
    (excess,) = [each for each in proof.findings if each.code == Subject.EXCESS]
    assert excess.message == f"app_audit_writer can change documents: UPDATE on {AUDIT_LOG}"
    allowed = {each.operation for each in proof.refuted}
    assert {"update", "update in a transaction", "aggregate $merge merge/discard"} <= allowed
    assert {AUDIT_LOG} == {each.namespace for each in proof.refuted}


def test_a_missing_privilege_refutes_both_the_list_and_the_behaviour(cluster: Cluster) -> None:
    declared = cluster.declared_privileges("role_audit_writer")
    cluster.set_role("role_audit_writer", [each for each in declared if each["actions"] != ["insert"]])
    try:
        proof = cluster.prove("app_audit_writer")
    finally:
        cluster.set_role("role_audit_writer", declared)
    assert {Subject.MISSING} == {each.code for each in proof.findings}
    assert "insert" in {each.operation for each in proof.refuted}


def test_after_a_narrowing_an_old_privilege_is_asked_again_until_it_is_gone(cluster: Cluster) -> None:
    declared = cluster.declared_roles("app_read")
    cluster.set_user("app_read", [*declared, {"role": "readWrite", "db": "askflorence"}])
    narrow = threading.Timer(0.8, cluster.set_user, ("app_read", declared))
    narrow.start()
    try:
        proof = cluster.prove("app_read", narrowing=True, propagation_seconds=20.0)
    finally:
        narrow.join()
    assert (Verdict.PROVEN, ()) == (proof.verdict, proof.residue)


def test_without_a_narrowing_an_authorization_answer_is_asked_once(cluster: Cluster) -> None:
    declared = cluster.declared_roles("app_read")
    cluster.set_user("app_read", [*declared, {"role": "readWrite", "db": "askflorence"}])
    try:
        proof = cluster.prove("app_read", propagation_seconds=20.0)
    finally:
        cluster.set_user("app_read", declared)
    assert Verdict.REFUTED is proof.verdict
    assert proof.ms < 10_000


def test_a_user_that_comes_into_being_within_the_propagation_window_is_proven(cluster: Cluster) -> None:
    roles = cluster.declared_roles("app_read")
    cluster.root.admin.command("dropUser", "app_read")
    create = {"createUser": "app_read", "pwd": cluster.password("app_read"), "roles": roles}
    late = threading.Timer(0.5, cluster.root.admin.command, (create,))
    late.start()
    try:
        proof = cluster.prove("app_read", propagation_seconds=20.0)
    finally:
        late.join()
    assert Verdict.PROVEN is proof.verdict


def test_the_secret_of_another_user_is_refuted_before_anything_is_contacted(cluster: Cluster) -> None:
    proof = cluster.prove("app_read", text=cluster.uri("app_write"))
    assert "the secret holds the connection string of app_write, not of app_read" == proof.reason
    assert (Verdict.REFUTED, ()) == (proof.verdict, proof.attempts)


def test_a_secret_that_points_at_the_other_cluster_is_refuted_with_both_addresses(cluster: Cluster) -> None:
    proof = cluster.prove("app_read", text=cluster.uri("app_read", address="127.0.0.1:1"))
    assert Verdict.REFUTED is proof.verdict
    assert f"the secret points at 127.0.0.1:1, not at {cluster.server.address}" in proof.reason


def test_a_host_without_a_port_has_the_usual_one_and_an_empty_password_is_none(cluster: Cluster) -> None:
    request = cluster.request("app_read", expected_hosts=("127.0.0.1:27017",))
    own = ConnectionString.parse(cluster.uri("app_read", address="127.0.0.1"))
    assert [] == list(judge_secret(request, own))
    (found,) = judge_secret(request, replace(own, password=Secret("")))
    assert "the secret's connection string has no password" == found.message


def test_in_the_sandbox_an_address_that_is_not_loopback_is_refused(cluster: Cluster) -> None:
    text = cluster.uri("app_read", address="cluster.example.com:27017")
    with pytest.raises(EndpointRefused):
        cluster.prove("app_read", text=text, expected_hosts=())


def test_an_audit_log_that_was_made_anew_is_refuted_until_it_is_accepted(cluster: Cluster) -> None:
    last = "00000000000000000000000000000001"
    refuted = cluster.prove("app_read", audit_uuid=last)
    assert "is not the collection last proven" in refuted.reason
    now = refuted.audit_uuid
    assert Verdict.PROVEN is cluster.prove("app_read", audit_uuid=now).verdict
    assert Verdict.PROVEN is cluster.prove("app_read", audit_uuid=last, accepted_audit_uuid=now).verdict


def test_the_only_ttl_index_on_the_audit_log_is_the_retention_that_is_declared(cluster: Cluster) -> None:
    log = cluster.root.askflorence.agent_audit_log
    declared = replace(cluster.request("app_read").expectations, retention=Retention(field="at", days=30))
    log.create_index("at", expireAfterSeconds=30 * 24 * 60 * 60)
    try:
        proven, refuted = cluster.prove("app_read", expectations=declared), cluster.prove("app_read")
    finally:
        log.drop_index("at_1")
    assert (Verdict.PROVEN, Verdict.REFUTED) == (proven.verdict, refuted.verdict)


@pytest.mark.parametrize("hidden", ["listIndexes", "listCollections"])
def test_what_could_not_be_listed_is_inconclusive(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    sent = Server.command

    def refuses(self: Server, database: str, command: Mapping[str, object], **how: bool) -> Reply:
        if hidden in command and "cursor" in command:
            return Reply(Answer(failure=Failure.TIMEOUT), {}, 0.0)
        return sent(self, database, command, **how)

    monkeypatch.setattr(Server, "command", refuses)
    proof = cluster.prove("app_read")
    assert (Verdict.INCONCLUSIVE, True) == (proof.verdict, "could not be listed" in proof.reason)


def test_a_ttl_index_on_the_audit_log_is_refuted(cluster: Cluster) -> None:
    log = cluster.root.askflorence.agent_audit_log
    log.create_index("at", expireAfterSeconds=60)
    try:
        proof = cluster.prove("app_read")
    finally:
        log.drop_index("at_1")
    expected = f"{AUDIT_LOG} has the TTL index at_1: rows are erased after 60 s. Drop the index at_1."
    assert expected == proof.reason


def test_a_proof_is_bounded_by_its_deadline(cluster: Cluster) -> None:
    proof = cluster.prove("app_read", deadline_seconds=0.01)
    assert Verdict.INCONCLUSIVE is proof.verdict
    assert proof.ms < 5_000


def test_the_catalogue_tries_more_than_the_forty_five_operations_asked_for() -> None:
    assert len([row for row in OPERATIONS if not row.by_equality]) >= 85
