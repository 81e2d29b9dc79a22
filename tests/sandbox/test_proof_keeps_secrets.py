"""No password shows in anything that a proof gives out: evidence, reasons, reprs, errors or logs, in any encoding."""

import logging

import pytest
from mongod_fixture import Cluster, cluster, encodings

from atlas_access.base.connection import compose
from atlas_access.clients.mongo import Server
from atlas_access.proof.evidence import Proof
from atlas_access.proof.expectations import expectations

__all__ = ["cluster"]

CANARIES = ('p@ss:w%2F"', "plain-canary-password", "ünïcode/канарейка", "with space & = ? #", "%41%00%zz")


def _shown(proof: Proof) -> str:
    return "\n".join((proof.to_json(), proof.reason, repr(proof), str(proof)))


def _give_away(text: str, password: str) -> list[str]:
    return [form for form in encodings(password) if form in text]


@pytest.mark.parametrize("canary", CANARIES)
def test_a_proven_credential_gives_nothing_away(
    cluster: Cluster, canary: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    cluster.root.admin.command("updateUser", "app_audit_writer", pwd=canary)
    try:
        text = compose(f"mongodb://{cluster.server.address}", "app_audit_writer", canary, "askflorence")
        proof = cluster.prove("app_audit_writer", text=text)
    finally:
        cluster.root.admin.command("updateUser", "app_audit_writer", pwd=cluster.password("app_audit_writer"))
    captured = capfd.readouterr()
    everything = "\n".join((_shown(proof), captured.out, captured.err))
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name != "pymongo.command")
    assert "proven" == proof.verdict
    assert [] == _give_away(everything, canary) + _give_away(logged, canary)


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("trouble", ["wrong password", "unreachable", "no connection string", "another user"])
def test_a_credential_in_trouble_gives_nothing_away(cluster: Cluster, canary: str, trouble: str) -> None:
    address = "127.0.0.1:1" if trouble == "unreachable" else cluster.server.address
    user = "app_write" if trouble == "another user" else "app_read"
    text = compose(f"mongodb://{address}", user, canary, "askflorence")
    if trouble == "no connection string":
        text = f"mongodb://app_read:{canary}@{address}/askflorence?w=majority&w=1"
    proof = cluster.prove("app_read", text=text, expected_hosts=(), deadline_seconds=1.0)
    assert "proven" != proof.verdict
    assert [] == _give_away(_shown(proof), canary)


def test_options_that_the_driver_refuses_are_not_quoted(cluster: Cluster) -> None:
    text = cluster.uri("app_read") + "&maxPoolSize=canary-in-an-option"
    proof = cluster.prove("app_read", text=text)
    assert [] == _give_away(_shown(proof), "canary-in-an-option")


def test_documents_that_the_server_quotes_in_a_refusal_do_not_reach_the_evidence(cluster: Cluster) -> None:
    shown = _shown(cluster.prove("app_audit_writer"))
    assert [] == [word for word in ("not authorized on", "lsid", "clusterTime", "_probe_") if word in shown]


def test_an_error_on_the_way_is_recorded_and_shows_no_connection_string(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a programming error")

    monkeypatch.setattr(Server, "command", broken)
    proof = cluster.prove("app_read")
    assert ("inconclusive", True) == (proof.verdict, "(ZeroDivisionError)" in proof.reason)
    assert [] == _give_away(_shown(proof), "a programming error")
    assert [] == _give_away(_shown(proof), cluster.password("app_read"))


def test_expectations_hold_no_secret(cluster: Cluster) -> None:
    assert [] == _give_away(expectations(cluster.manifest, "app_read", "staging").to_json(), "p@ss:w%2F")
