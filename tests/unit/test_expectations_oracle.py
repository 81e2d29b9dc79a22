"""ADR 0006 and ADR 0002 by hand: what must hold of the table, written without looking at how it is derived."""

from functools import cache
from pathlib import Path

import pytest

from atlas_access.manifest.load import load_manifest
from atlas_access.proof.expectations import expectations

ROOT = Path(__file__).resolve().parents[2]
AUDIT_LOG = "askflorence.agent_audit_log"
SCHEMA = ("agent_waitlist_submissions", "agent_survey_responses", "hubspot_sync_log")
OTHERS = (
    *(
        "plans",
        "zip_county",
        "regions",
        "plan_years",
        "audit_log",
        "agents",
        "agencies",
        "agent_sessions",
        "admins",
    ),
    *("formularies_staging", "providers_staging", "mrpuf_issuers_staging", "mrf_file_state_staging"),
)
ALL = (*OTHERS, *SCHEMA, "agent_audit_log")

READS = ("find", "aggregate $lookup", "aggregate $unionWith")
MORE_READS = ("aggregate", "aggregate $graphLookup")
INSERTS = ("insert", "insert in a transaction")
MORE_INSERTS = ("bulkWrite of inserts", "aggregate $merge append only")
CHANGES = ("update", "update in a transaction", "findAndModify update", "aggregate $merge replace/insert")
MORE_CHANGES = (
    *("update outside a transaction", "update by pipeline", "upsert", "bulkWrite of updates"),
    *("findAndModify upsert", "update bypassing validation", "aggregate $merge merge/discard"),
)
REMOVALS = ("delete", "delete in a transaction", "findAndModify remove", "aggregate $out")
MORE_REMOVALS = ("delete outside a transaction", "bulkWrite of deletes", "mapReduce out replace")
STRUCTURE = (
    "drop",
    "renameCollection",
    "collMod validation",
    "createIndexes",
    "dropIndexes",
    "convertToCapped",
)
MORE_STRUCTURE = (
    *(
        "collMod TTL",
        "createIndexes TTL",
        "renameCollection onto it",
        "create a view of it",
    ),
    *("renameCollection to another database", "compact", "dropSearchIndex", "configureQueryAnalyzer"),
)
WATCHING = ("change stream", "listIndexes")
ON_A_DATABASE = (
    *("listCollections", "create a collection", "dropDatabase", "dbStats", "dbHash", "profile"),
    *("createUser", "updateUser", "dropUser", "grantRolesToUser", "revokeRolesFromUser", "usersInfo"),
    *("createRole", "updateRole", "dropRole", "grantRolesToRole", "grantPrivilegesToRole", "rolesInfo"),
    *("dropAllUsersFromDatabase", "dropAllRolesFromDatabase", "change its own password"),
)
ON_THE_CLUSTER = (
    *("killOp", "setParameter", "fsync", "shutdown", "applyOps", "replSetReconfig", "replSetStepDown"),
    *("currentOp of all users", "getLog", "serverStatus", "listDatabases", "change stream of the cluster"),
)


@cache
def _table(user: str) -> dict[tuple[str, str], str]:
    manifest = load_manifest((ROOT / "access.yaml").read_text())
    derived = expectations(manifest, user, "staging")
    return {(cell.operation, str(cell.place)): str(cell.outcome) for cell in derived.table}


def _outcomes(user: str, operations: tuple[str, ...], places: tuple[str, ...]) -> set[str]:
    table = _table(user)
    return {table[operation, place] for operation in operations for place in places}


def _all(*names: str) -> tuple[str, ...]:
    return tuple(f"askflorence.{name}" for name in names)


def test_the_audit_writer_may_read_and_append_to_the_audit_log() -> None:
    allowed = READS + MORE_READS + INSERTS + MORE_INSERTS
    assert {"allowed"} == _outcomes("app_audit_writer", allowed, (AUDIT_LOG,))


def test_the_audit_writer_cannot_change_or_erase_anything_in_the_audit_log() -> None:
    denied = CHANGES + MORE_CHANGES + REMOVALS + MORE_REMOVALS
    assert {"denied"} == _outcomes("app_audit_writer", denied, (AUDIT_LOG,))


def test_the_audit_writer_cannot_change_the_audit_log_as_a_collection() -> None:
    denied = (*STRUCTURE, *MORE_STRUCTURE, *WATCHING, "insert bypassing validation")
    assert {"denied"} == _outcomes("app_audit_writer", denied, (AUDIT_LOG,))


def test_the_audit_writer_reaches_no_other_collection() -> None:
    denied = READS + INSERTS + CHANGES + REMOVALS + STRUCTURE + WATCHING
    assert {"denied"} == _outcomes("app_audit_writer", denied, _all(*OTHERS, *SCHEMA))


def test_the_reader_may_read_every_collection() -> None:
    assert {"allowed"} == _outcomes("app_read", READS, _all(*ALL))


def test_the_reader_can_write_nowhere() -> None:
    denied = (*INSERTS, *CHANGES, *REMOVALS, *STRUCTURE, "insert bypassing validation")
    assert {"denied"} == _outcomes("app_read", denied, _all(*ALL))


def test_the_reader_finds_no_way_around_on_the_audit_log() -> None:
    denied = MORE_INSERTS + MORE_CHANGES + MORE_REMOVALS + MORE_STRUCTURE
    assert {"denied"} == _outcomes("app_read", denied, (AUDIT_LOG,))


def test_the_schema_admin_may_read_and_manage_indexes_on_its_three_collections() -> None:
    allowed = ("find", "createIndexes", "dropIndexes", "listIndexes")
    assert {"allowed"} == _outcomes("app_admin_schema", allowed, _all(*SCHEMA))


def test_the_schema_admin_cannot_touch_the_data_of_its_collections() -> None:
    denied = (
        *INSERTS,
        *CHANGES,
        *REMOVALS,
        "drop",
        "renameCollection",
        "collMod validation",
        "convertToCapped",
    )
    assert {"denied"} == _outcomes("app_admin_schema", denied, _all(*SCHEMA))


def test_the_schema_admin_cannot_touch_the_audit_log() -> None:
    everything = (
        *READS, *MORE_READS, *INSERTS, *MORE_INSERTS, *CHANGES, *MORE_CHANGES, *REMOVALS, *MORE_REMOVALS,
        *STRUCTURE, *MORE_STRUCTURE, *WATCHING,
    )  # fmt: skip
    assert {"denied"} == _outcomes("app_admin_schema", everything, (AUDIT_LOG,))


def test_the_schema_admin_reaches_no_other_collection() -> None:
    denied = READS + INSERTS + CHANGES + REMOVALS + STRUCTURE + WATCHING
    assert {"denied"} == _outcomes("app_admin_schema", denied, _all(*OTHERS))


def test_the_writer_may_write_every_collection() -> None:
    assert {"allowed"} == _outcomes("app_write", READS + INSERTS + CHANGES + REMOVALS, _all(*ALL))


def test_the_writer_can_change_the_audit_log_which_the_waiver_says() -> None:
    accepted = ("update", "delete", "drop", "convertToCapped", "renameCollection", "createIndexes TTL")
    assert {"allowed"} == _outcomes("app_write", accepted, (AUDIT_LOG,))


def test_the_writer_cannot_bypass_validation_or_change_collection_options() -> None:
    denied = ("insert bypassing validation", "collMod validation")
    assert {"denied"} == _outcomes("app_write", denied, _all(*ALL))


@pytest.mark.parametrize("user", ["app_read", "app_write", "app_audit_writer", "app_admin_schema"])
def test_no_user_administers_users_or_the_cluster(user: str) -> None:
    administration = tuple(
        name for name in ON_A_DATABASE if name not in ("listCollections", "dbStats", "dbHash")
    )
    administration = tuple(name for name in administration if name != "create a collection")
    assert {"denied"} == _outcomes(user, administration, ("askflorence", "admin"))
    assert {"denied"} == _outcomes(user, ON_THE_CLUSTER, ("the cluster",))


@pytest.mark.parametrize("user", ["app_read", "app_write", "app_audit_writer", "app_admin_schema"])
def test_no_user_reaches_another_database_or_the_server_s_own_collections(user: str) -> None:
    core = ("find", "insert", "update", "delete")
    own = ("admin.system.users", "admin.system.roles", "local.oplog.rs", "config.transactions")
    assert {"denied"} == _outcomes(user, core, own)
    assert {"denied"} == _outcomes(
        user, READS + INSERTS + CHANGES + REMOVALS, ("askflorence_elsewhere.anything",)
    )


@pytest.mark.parametrize("user", ["app_audit_writer", "app_admin_schema"])
def test_a_narrow_user_lists_nothing_of_the_database(user: str) -> None:
    assert {"denied"} == _outcomes(user, ON_A_DATABASE, ("askflorence",))
