"""A private address that does not answer from here: proven by the public one, and said to be unproven itself."""

import pytest
from mongod_fixture import Cluster

from atlas_access.base.connection import compose
from atlas_access.proof.evidence import Subject
from atlas_access.proof.verdict import Verdict
from sandbox.ports import free_port

USER = "app_audit_writer"


@pytest.fixture
def dead() -> str:
    """A loopback address where nobody listens."""
    return f"127.0.0.1:{free_port()}"


def public(cluster: Cluster) -> str:
    return f"mongodb://{cluster.server.address}"


def test_a_private_address_that_answers_is_proven(cluster: Cluster) -> None:
    proof = cluster.prove(USER, address="private", public_address=public(cluster))
    assert (Verdict.PROVEN, True) == (proof.verdict, proof.address_proven)


def test_a_dead_private_address_is_unproven_and_its_credential_proven(cluster: Cluster, dead: str) -> None:
    away = {"text": cluster.uri(USER, address=dead), "address": "private", "expected_hosts": (dead,)}
    proof = cluster.prove(USER, **away, public_address=public(cluster))
    assert (Verdict.PROVEN, "", False) == (proof.verdict, proof.reason, proof.address_proven)


def test_without_a_public_address_nothing_is_proven(cluster: Cluster, dead: str) -> None:
    text = cluster.uri(USER, address=dead)
    proof = cluster.prove(USER, text=text, address="private", expected_hosts=(dead,), deadline_seconds=2.0)
    assert (Verdict.INCONCLUSIVE, False) == (proof.verdict, proof.address_proven)


def test_a_dead_public_address_is_never_replaced(cluster: Cluster, dead: str) -> None:
    text = cluster.uri(USER, address=dead)
    proof = cluster.prove(
        USER, text=text, expected_hosts=(dead,), public_address=public(cluster), deadline_seconds=2.0
    )
    assert (Verdict.INCONCLUSIVE, False) == (proof.verdict, proof.address_proven)


def test_a_private_secret_of_another_host_is_refuted_before_it_is_tried(cluster: Cluster, dead: str) -> None:
    away = {"text": cluster.uri(USER, address=dead), "address": "private"}
    hosts = ("10.0.0.1:27017",)
    proof = cluster.prove(USER, **away, expected_hosts=hosts, public_address=public(cluster))
    assert [Subject.SECRET] == [each.code for each in proof.findings]
    assert Verdict.REFUTED is proof.verdict


def test_a_wrong_password_is_not_taken_for_a_dead_address(cluster: Cluster) -> None:
    text = compose(public(cluster), USER, "another", cluster.manifest.database)
    proof = cluster.prove(USER, text=text, address="private", public_address=public(cluster))
    assert (Verdict.INCONCLUSIVE, False) == (proof.verdict, proof.address_proven)
    assert "AuthenticationFailed" in proof.reason
