"""Every row of the catalogue is whole: named once, sourced, harmless in form, and built without surprises."""

from collections import Counter
from uuid import UUID

import pytest

from atlas_access.proof.catalogue import OPERATIONS, of_scope, operation
from atlas_access.proof.operation import Form, Lock, On, Operation, Scope, Target

TARGET = Target("askflorence", "agent_audit_log", "plans", "_probe_token", UUID(int=1))
ATTEMPTED = [row for row in OPERATIONS if not row.by_equality]
# What no form of trying makes harmless: never to be sent (see the manual's page on each command).
NEVER_SENT = (
    *("shutdown", "fsync", "fsyncUnlock", "applyOps", "replSetInitiate", "replSetStepDown"),
    *("replSetFreeze", "replSetMaintenance", "logRotate", "setUserWriteBlockMode", "compact"),
    *("dropAllUsersFromDatabase", "dropAllRolesFromDatabase", "invalidateUserCache", "dropConnections"),
)


def test_names_are_unique() -> None:
    assert [] == [name for name, number in Counter(row.name for row in OPERATIONS).items() if number > 1]


def test_there_are_at_least_forty_five_operations_besides_those_decided_by_equality() -> None:
    assert len(ATTEMPTED) >= 45


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
def test_a_row_names_its_privileges_and_their_source(row: Operation) -> None:
    assert (True, True) == (bool(row.needs), bool(row.source))


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
def test_a_row_has_a_command_unless_equality_decides_it(row: Operation) -> None:
    assert row.by_equality is (row.command is None)


@pytest.mark.parametrize("name", NEVER_SENT)
def test_what_could_harm_when_allowed_is_never_sent(name: str) -> None:
    assert operation(name).by_equality


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("dropDatabase", {"dropDatabase": 2}),
        ("convertToCapped", {"convertToCapped": "agent_audit_log", "size": -1}),
        ("replSetReconfig", {"replSetReconfig": {}}),
        ("replSetResizeOplog", {"replSetResizeOplog": 1, "size": -1.0}),
        ("setFeatureCompatibilityVersion", {"setFeatureCompatibilityVersion": "1.0"}),
    ],
)
def test_what_harms_most_is_sent_with_an_argument_no_server_takes(name: str, sent: dict[str, object]) -> None:
    row = operation(name)
    assert row.command is not None
    assert (Form.IMPOSSIBLE_ARGUMENT, sent) == (row.form, row.command(TARGET))


@pytest.mark.parametrize(
    "name",
    ["dbHash", "collMod validation", "collMod TTL", "renameCollection", "convertToCapped", "dropDatabase"],
)
def test_what_was_measured_to_wait_for_every_client_says_so(name: str) -> None:
    assert Lock.EXCLUSIVE is operation(name).lock


@pytest.mark.parametrize(
    "row", [row for row in ATTEMPTED if row.form is Form.EXPLAIN], ids=lambda row: row.name
)
def test_an_explained_row_only_plans(row: Operation) -> None:
    assert row.command is not None
    assert "queryPlanner" == row.command(TARGET)["verbosity"]


@pytest.mark.parametrize(
    "row", [row for row in ATTEMPTED if row.form is Form.RANDOM_UUID], ids=lambda row: row.name
)
def test_a_row_stopped_by_a_uuid_sends_the_uuid(row: Operation) -> None:
    assert row.command is not None
    assert TARGET.uuid == row.command(TARGET)["collectionUUID"]


@pytest.mark.parametrize("row", [row for row in ATTEMPTED if row.form is Form.READ], ids=lambda row: row.name)
def test_a_reading_row_writes_nothing(row: Operation) -> None:
    assert row.command is not None
    assert not {"$out", "$merge", "insert", "update", "delete"} & set(str(row.command(TARGET)).split("'"))


@pytest.mark.parametrize("scope", list(Scope))
def test_rows_are_found_by_scope(scope: Scope) -> None:
    assert {scope} == {row.scope for row in of_scope(scope)}


@pytest.mark.parametrize("row", of_scope(Scope.CLUSTER), ids=lambda row: row.name)
def test_a_cluster_wide_row_needs_a_privilege_beyond_any_one_database(row: Operation) -> None:
    assert {need.on for need in row.needs} <= {On.CLUSTER, On.EVERY_DATABASE}


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(KeyError):
        operation("no such operation")
