"""Answers for the wrong reason are inconclusive, never proven: only the server's refusal of a privilege is a denial."""

import time

import pytest
from mongod_fixture import Cluster, cluster
from proof_proxy import Proxy
from pymongo.errors import PyMongoError

from atlas_access.base.connection import compose
from atlas_access.proof.evidence import Proof
from atlas_access.proof.verdict import Outcome, Verdict

__all__ = ["cluster"]

USERS = ("app_read", "app_audit_writer")


def _through(cluster: Cluster, proxy: Proxy, user: str = "app_audit_writer") -> Proof:
    text = cluster.uri(user, address=proxy.address)
    return cluster.prove(user, text=text, expected_hosts=(proxy.address,), deadline_seconds=3.0)


@pytest.mark.parametrize("user", USERS)
def test_a_wrong_password_is_inconclusive(cluster: Cluster, user: str) -> None:
    text = compose(f"mongodb://{cluster.server.address}", user, "not-the-password", "askflorence")
    proof = cluster.prove(user, text=text)
    assert (Verdict.INCONCLUSIVE, ()) == (proof.verdict, proof.attempts)
    assert f"{user} could not log in (code 18 AuthenticationFailed)" in proof.reason


@pytest.mark.parametrize("user", USERS)
def test_a_server_that_cannot_be_reached_is_inconclusive(cluster: Cluster, user: str) -> None:
    text = cluster.uri(user, address="127.0.0.1:1")
    proof = cluster.prove(user, text=text, expected_hosts=(), deadline_seconds=1.0)
    assert (Verdict.INCONCLUSIVE, ()) == (proof.verdict, proof.attempts)


@pytest.mark.parametrize("user", USERS)
def test_a_missing_audit_log_is_inconclusive(cluster: Cluster, user: str) -> None:
    database = cluster.root.askflorence
    database.agent_audit_log.rename("kept_aside")
    try:
        proof = cluster.prove(user)
    finally:
        database.kept_aside.rename("agent_audit_log")
    assert Verdict.INCONCLUSIVE is proof.verdict
    would_make = {"insert in a transaction", "create the collection"} & {
        each.operation for each in proof.attempts if each.tried and each.outcome is Outcome.ALLOWED
    }
    assert set() == would_make
    assert "askflorence.agent_audit_log does not exist" in proof.reason


def test_a_missing_collection_that_the_schema_admin_needs_is_inconclusive(cluster: Cluster) -> None:
    database = cluster.root.askflorence
    database.hubspot_sync_log.rename("kept_aside")
    try:
        proof = cluster.prove("app_admin_schema")
    finally:
        database.kept_aside.rename("hubspot_sync_log")
    assert Verdict.INCONCLUSIVE is proof.verdict
    assert "askflorence.hubspot_sync_log does not exist on staging" in proof.reason


def test_a_primary_that_stepped_down_is_inconclusive(cluster: Cluster) -> None:
    admin = cluster.root.admin
    admin.command({"replSetStepDown": 60, "force": True})
    try:
        proof = cluster.prove("app_write")
    finally:
        admin.command({"replSetFreeze": 0})
        _wait_for_primary(cluster)
    assert Verdict.INCONCLUSIVE is proof.verdict
    assert [] == [each for each in proof.attempts if each.verdict is Verdict.REFUTED]


def test_a_proxy_that_passes_everything_on_changes_nothing(cluster: Cluster) -> None:
    with Proxy("127.0.0.1", cluster.server.port, "pass") as proxy:
        assert Verdict.PROVEN is _through(cluster, proxy).verdict


@pytest.mark.parametrize("quiet_bytes", [0, 3_000, 40_000])
@pytest.mark.parametrize("mode", ["mute", "garble"])
def test_swallowed_or_garbled_answers_are_inconclusive(cluster: Cluster, mode: str, quiet_bytes: int) -> None:
    with Proxy("127.0.0.1", cluster.server.port, mode, quiet_bytes) as proxy:
        proof = _through(cluster, proxy)
    assert Verdict.INCONCLUSIVE is proof.verdict
    assert [] == [each for each in proof.attempts if each.verdict is Verdict.REFUTED]
    assert proof.ms < 10_000


def test_a_user_without_any_role_is_refuted_and_not_taken_for_denied_everywhere(cluster: Cluster) -> None:
    declared = cluster.declared_roles("app_audit_writer")
    cluster.set_user("app_audit_writer", [])
    try:
        proof = cluster.prove("app_audit_writer")
    finally:
        cluster.set_user("app_audit_writer", declared)
    assert Verdict.REFUTED is proof.verdict
    assert "app_audit_writer lacks the role role_audit_writer@admin" in proof.reason


def _wait_for_primary(cluster: Cluster) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            if cluster.root.admin.command("hello")["isWritablePrimary"]:
                return
        except PyMongoError:
            continue
    pytest.fail("the server did not become primary again")
