"""Unusual collections, audit logs and connection strings: the right is proven, a fault is named as what it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dns.resolver
import pytest
from mongod_fixture import Cluster, cluster
from proof_kinds import last_entry, make, written_since
from pymongo.database import Database

from atlas_access.base.endpoints import Endpoints
from atlas_access.proof.evidence import Subject
from atlas_access.proof.operation import Kind
from atlas_access.proof.run import prove
from atlas_access.proof.verdict import Outcome, Verdict

__all__ = ["cluster"]

LOG = "agent_audit_log"


@contextmanager
def in_place_of(cluster: Cluster, name: str) -> "Iterator[Database[dict[str, Any]]]":
    database = cluster.root["askflorence"]
    database[name].rename("kept_aside")
    try:
        yield database
    finally:
        database.drop_collection(name)
        database["kept_aside"].rename(name)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.ABSENT])
@pytest.mark.parametrize("user", ["app_read", "app_write"])
def test_a_right_credential_is_proven_on_every_kind_of_collection_and_builds_no_index(
    cluster: Cluster, user: str, kind: Kind
) -> None:
    with in_place_of(cluster, "plans") as database:
        make(database, kind, "plans")
        moment = last_entry(cluster.root)
        proof = cluster.prove(user)
        assert [] == written_since(cluster.root, moment)
    assert (Verdict.PROVEN, "") == (proof.verdict, proof.reason)
    built = {
        each.tried
        for each in proof.attempts
        if (each.operation, each.namespace, each.outcome)
        == ("createIndexes", "askflorence.plans", Outcome.ALLOWED)
    }
    assert ({kind is not Kind.TIME_SERIES} if user == "app_write" else set()) == built


def _create(**options: Any) -> "Callable[[Database[dict[str, Any]]], object]":
    return lambda database: database.create_collection(LOG, **options)


def _unique(database: "Database[dict[str, Any]]") -> None:
    database[LOG].create_index("who", unique=True)


def _prepared(database: "Database[dict[str, Any]]") -> None:
    database[LOG].create_index("who")
    database.command("collMod", LOG, index={"name": "who_1", "prepareUnique": True})


REFUSING = {"$jsonSchema": {"required": ["never there"]}}


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (_create(capped=True, size=4096), "is capped"),
        (_create(viewOn="kept_aside", pipeline=[]), "is a view"),
        (_create(validator=REFUSING), "has a validator that refuses rows"),
        (_create(collation={"locale": "en", "strength": 1}), "has a collation"),
        (
            _create(clusteredIndex={"key": {"_id": 1}, "unique": True}, expireAfterSeconds=60),
            'expires by itself: rows are erased after 60 s. Switch it off: collMod with expireAfterSeconds: "off".',
        ),
        (_unique, "has the unique index who_1"),
        (_prepared, "has the unique index who_1"),
    ],
    ids=[
        "capped",
        "view",
        "validator",
        "collation",
        "clustered expiry",
        "unique index",
        "prepared unique index",
    ],
)
def test_an_audit_log_that_loses_or_refuses_rows_is_refuted_for_that_alone(
    cluster: Cluster, made: "Callable[[Database[dict[str, Any]]], object]", says: str
) -> None:
    with in_place_of(cluster, LOG) as database:
        made(database)
        reader, writer = cluster.prove("app_read"), cluster.prove("app_audit_writer")
    codes = [each.code for each in reader.findings]
    assert (Verdict.REFUTED, [Subject.AUDIT], ()) == (reader.verdict, codes, reader.refuted)
    assert says in reader.reason
    assert (Verdict.PROVEN, "") == (writer.verdict, writer.reason)


@pytest.mark.parametrize("options", [{"validationAction": "warn"}, {"validationLevel": "off"}], ids=str)
def test_a_validator_that_refuses_nothing_is_no_finding(cluster: Cluster, options: dict[str, str]) -> None:
    with in_place_of(cluster, LOG) as database:
        database.create_collection(LOG, validator=REFUSING, **options)
        assert Verdict.PROVEN is cluster.prove("app_read").verdict


@pytest.mark.parametrize(
    "option", ["minPoolSize=5", "maxPoolSize=50&minPoolSize=5", "readPreference=nearest", "timeoutMS=1"]
)
def test_an_option_of_the_application_is_left_alone(cluster: Cluster, option: str) -> None:
    proof = cluster.prove("app_read", text=f"{cluster.uri('app_read')}&{option}")
    assert (Verdict.PROVEN, "") == (proof.verdict, proof.reason)


@pytest.mark.parametrize(
    "option",
    [
        *(
            "tls=false",
            "tlsInsecure=true",
            "tlsAllowInvalidCertificates=true",
            "tlsAllowInvalidHostnames=true",
        ),
        *("w=0", "w=1", "journal=false", "retryWrites=false", "retryReads=false"),
    ],
)
def test_an_option_that_weakens_the_connection_is_refuted_by_its_name(cluster: Cluster, option: str) -> None:
    name = option.partition("=")[0]
    base = "&".join(each for each in cluster.uri("app_read").split("&") if not each.startswith(f"{name}="))
    base = base.replace("?retryWrites=true&", "?") if name == "retryWrites" else base
    proof = cluster.prove("app_read", text=f"{base}&{option}")
    assert (Verdict.REFUTED, ()) == (proof.verdict, proof.attempts)
    assert f"the option {option} weakens the connection" in proof.reason


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("tls=true&tlsCAFile=/no/such/file.pem", "tlsCAFile"),
        ("tls=true", "the TLS handshake failed (127.0.0.1:"),
        ("replicaSet=of-another-cluster", "replicaSet"),
        ("maxPoolsize=many", "maxPoolSize"),
        ("notAnOption=1", "an option"),
        ("loadBalanced=true", "loadBalanced"),
    ],
)
def test_an_option_that_fails_is_inconclusive_and_named(cluster: Cluster, option: str, says: str) -> None:
    proof = cluster.prove("app_read", text=f"{cluster.uri('app_read')}&{option}", deadline_seconds=1.5)
    assert (Verdict.INCONCLUSIVE, True) == (proof.verdict, says in proof.reason)


@pytest.mark.parametrize(
    ("instead", "says"),
    [
        ("", "the option authSource is missing"),
        ("&authSource=askflorence", "the option authSource is not admin"),
    ],
)
def test_a_string_without_its_auth_source_is_inconclusive_and_names_it(
    cluster: Cluster, instead: str, says: str
) -> None:
    text = cluster.uri("app_read").replace("&authSource=admin", instead)
    proof = cluster.prove("app_read", text=text)
    assert (Verdict.INCONCLUSIVE, True) == (proof.verdict, says in proof.reason)


def test_collections_with_long_validators_are_not_taken_for_missing_and_leave_no_cursor(
    cluster: Cluster,
) -> None:
    """A listing of more than 16 MB comes in several batches."""
    database = cluster.root["askflorence"]
    long = {"$jsonSchema": {"description": "x" * 1_000_000}}
    names = [f"a_{number}" for number in range(20)]
    for name in names:
        database.create_collection(name, validator=long)
    try:
        proof = cluster.prove("app_write")
        cursors = cluster.root.admin.command("serverStatus")["metrics"]["cursor"]["open"]["total"]
    finally:
        for name in names:
            database.drop_collection(name)
    assert (Verdict.PROVEN, "", 0) == (proof.verdict, proof.reason, cursors)


HOST = "askflorence-staging.ab1cd.invalid"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (f"mongodb+srv://app_read:p@{HOST}/askflorence?w=majority", f"the name {HOST} could not be resolved"),
        (
            f"mongodb://app_read:p@{HOST}/askflorence?authSource=admin",
            f"the host's name could not be resolved ({HOST})",
        ),
    ],
    ids=["srv", "standard"],
)
def test_a_name_that_does_not_resolve_is_inconclusive_and_named(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, address: str, says: str
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise dns.resolver.NXDOMAIN

    monkeypatch.setattr(dns.resolver, "resolve", unknown)
    request = cluster.request("app_read", expected_hosts=(), deadline_seconds=1.5)
    proof = prove(request, Endpoints(), read_secret=lambda: address)
    assert (Verdict.INCONCLUSIVE, ()) == (proof.verdict, proof.attempts)
    assert says in proof.reason
