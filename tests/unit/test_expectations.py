"""Expectations are derived from the manifest alone: complete, deterministic, and read back as written."""

from pathlib import Path

import pytest

from atlas_access.manifest.load import Manifest, load_manifest
from atlas_access.proof.catalogue import OPERATIONS
from atlas_access.proof.expectations import Expectations, Place, expectations
from atlas_access.proof.operation import Reach, Scope
from atlas_access.proof.verdict import Outcome

USERS = ("app_read", "app_write", "app_audit_writer", "app_admin_schema")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest((ROOT / "access.yaml").read_text())


@pytest.fixture(params=USERS)
def derived(manifest: Manifest, request: pytest.FixtureRequest) -> Expectations:
    return expectations(manifest, request.param, "staging")


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("cluster", ["staging", "prod"])
def test_expectations_read_back_as_they_were_written(manifest: Manifest, user: str, cluster: str) -> None:
    derived = expectations(manifest, user, cluster)
    assert derived == Expectations.from_json(derived.to_json())


@pytest.mark.parametrize("user", USERS)
def test_deriving_twice_gives_the_same_text_and_digest(manifest: Manifest, user: str) -> None:
    first, second = (expectations(manifest, user, "staging") for _ in range(2))
    assert (first.to_json(), first.digest) == (second.to_json(), second.digest)


def test_digests_differ_between_users_and_between_clusters(manifest: Manifest) -> None:
    digests = {
        expectations(manifest, user, cluster).digest for user in USERS for cluster in ("staging", "prod")
    }
    assert 8 == len(digests)


def test_every_collection_of_the_cluster_meets_every_operation_that_reaches_everywhere(
    manifest: Manifest, derived: Expectations
) -> None:
    wanted = {
        (row.name, Place(each.database, each.name))
        for row in OPERATIONS
        if row.scope is Scope.COLLECTION and row.reach is Reach.EVERYWHERE
        for each in manifest.collections_on("staging")
    }
    assert set() == wanted - {(cell.operation, cell.place) for cell in derived.table}


def test_every_operation_is_expected_and_each_of_a_collection_on_the_audit_log(derived: Expectations) -> None:
    assert {row.name for row in OPERATIONS} == {cell.operation for cell in derived.table}
    tried = {cell.operation for cell in derived.table if cell.place == derived.audit}
    assert {row.name for row in OPERATIONS if row.scope is Scope.COLLECTION} == tried


def test_a_collection_of_the_other_cluster_is_not_expected(manifest: Manifest) -> None:
    derived = expectations(manifest, "app_read", "prod")
    assert [] == [cell for cell in derived.table if cell.place.collection == "providers_staging"]


def test_collections_that_may_be_absent_are_declared_so(manifest: Manifest) -> None:
    derived = expectations(manifest, "app_read", "staging")
    absent = {each.place.collection for each in derived.collections if each.may_be_absent}
    assert {"agents", "agencies", "agent_sessions", "admins", "mrf_file_state_staging"} == absent


def test_the_two_audit_logs_are_two(manifest: Manifest) -> None:
    outcomes = {
        cell.place.collection: cell.outcome
        for cell in expectations(manifest, "app_audit_writer", "staging").table
        if cell.operation == "insert" and cell.place.collection in ("audit_log", "agent_audit_log")
    }
    assert {"audit_log": Outcome.DENIED, "agent_audit_log": Outcome.ALLOWED} == outcomes


def test_system_collections_other_databases_and_the_cluster_are_in_the_table(derived: Expectations) -> None:
    places = {
        *(Place("admin", "system.users"), Place("askflorence", "system.js"), Place("local", "oplog.rs")),
        *(Place("askflorence_elsewhere", "anything"), Place("admin"), Place("")),
    }
    assert set() == places - {cell.place for cell in derived.table}


def test_an_audit_log_in_a_database_of_its_own_takes_its_writes_from_the_writer(manifest: Manifest) -> None:
    moved = manifest.model_copy(
        update={
            "audit": manifest.audit.model_copy(update={"database": "askflorence_audit"}),
            "collections": tuple(
                each.model_copy(update={"database": "askflorence_audit"})
                if each.name == "agent_audit_log"
                else each
                for each in manifest.collections
            ),
        }
    )
    audit = Place("askflorence_audit", "agent_audit_log")
    of_writer = {
        cell.outcome for cell in expectations(moved, "app_write", "staging").table if cell.place == audit
    }
    table = expectations(moved, "app_audit_writer", "staging").table
    of_audit_writer = {cell.operation: cell.outcome for cell in table if cell.place == audit}
    assert {Outcome.DENIED} == of_writer
    assert (Outcome.ALLOWED, Outcome.DENIED) == (of_audit_writer["insert"], of_audit_writer["update"])


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"format": 1}', '{"format": 99}', "\x00"])
def test_a_text_that_is_no_expectations_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Expectations.from_json(text)


def test_an_unknown_user_is_refused(manifest: Manifest) -> None:
    with pytest.raises(KeyError):
        expectations(manifest, "app_nobody", "staging")


@pytest.mark.parametrize("user", ["app_read", "app_audit_writer"])
def test_the_declared_privileges_of_an_older_server_are_refused(manifest: Manifest, user: str) -> None:
    with pytest.raises(ValueError, match="no documented privileges"):
        expectations(manifest, user, "staging").declared("5.0.9")
