"""Without the waiver: an audit log in a database of its own, which its writer alone reaches, and only to add."""

from collections.abc import Iterator

import pytest
from mongod_fixture import ROOT, Cluster
from pymongo.errors import OperationFailure

from atlas_access.manifest.load import load_manifest
from atlas_access.proof.evidence import Attempt
from atlas_access.proof.verdict import Outcome, Verdict
from sandbox.mongod.process import MongodProcess

LOG = "askflorence_audit.agent_audit_log"
READING = ("find", "aggregate")
ADDING = ("insert in a transaction", "insert", "bulkWrite of inserts", "aggregate $merge append only")
USERS = ("app_read", "app_write", "app_audit_writer", "app_admin_schema")


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    manifest = load_manifest((ROOT / "examples/audit-database/access.yaml").read_text())
    server = MongodProcess.start(tmp_path_factory.mktemp("apart"), root_password="root")
    try:
        with server.client() as root:
            made = Cluster(server, root, manifest)
            made.seed()
            yield made
    finally:
        server.kill()


def allowed_on_the_log(cluster: Cluster, user: str) -> set[str]:
    attempts: tuple[Attempt, ...] = cluster.prove(user).attempts
    return {each.operation for each in attempts if each.namespace == LOG and each.outcome is Outcome.ALLOWED}


@pytest.mark.parametrize("user", USERS)
def test_every_user_is_proven_against_the_two_databases(apart: Cluster, user: str) -> None:
    proof = apart.prove(user)
    assert (Verdict.PROVEN, "", ()) == (proof.verdict, proof.reason, proof.residue)


@pytest.mark.parametrize("user", ["app_write", "app_admin_schema"])
def test_nobody_else_of_the_application_reaches_the_log(apart: Cluster, user: str) -> None:
    assert set() == allowed_on_the_log(apart, user)


def test_the_reader_looks_at_the_log_and_changes_nothing(apart: Cluster) -> None:
    allowed = allowed_on_the_log(apart, "app_read")
    changes = {
        name for name in allowed if name.startswith(("insert", "update", "delete", "drop", "create", "coll"))
    }
    assert set(READING) <= allowed
    assert set() == changes - {"collStats"}


def test_the_writer_may_read_and_add_and_nothing_more(apart: Cluster) -> None:
    """A plain `create` needs INSERT alone, which is why the collection has to be there before."""
    besides = {"aggregate $lookup", "aggregate $unionWith", "aggregate $graphLookup", "create the collection"}
    assert {*READING, *ADDING, *besides} == allowed_on_the_log(apart, "app_audit_writer")


@pytest.mark.parametrize("user", USERS)
def test_the_servers_refuse_a_real_change_by_anyone(apart: Cluster, user: str) -> None:
    from pymongo import MongoClient

    with MongoClient(apart.uri(user), directConnection=True) as client:
        log = client["askflorence_audit"]["agent_audit_log"]
        for change in (
            lambda: log.update_one({}, {"$set": {"name": "changed"}}),
            lambda: log.delete_one({}),
            log.drop,
            lambda: log.create_index("name", expireAfterSeconds=1),
            lambda: client["askflorence_audit"].command("convertToCapped", "agent_audit_log", size=4096),
        ):
            with pytest.raises(OperationFailure) as refused:
                change()
            assert 13 == refused.value.code


def test_a_writer_with_the_old_reach_is_refuted(apart: Cluster) -> None:
    with apart.holding("app_write", {"role": "readWrite", "db": "askflorence_audit"}):
        proof = apart.prove("app_write")
    assert Verdict.REFUTED is proof.verdict
    assert "readWrite@askflorence_audit" in proof.reason
