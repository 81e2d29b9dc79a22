"""ADR 0006 and ADR 0002 by hand: what must hold of the table, written without inspecting how it is derived."""

from functools import cache
from pathlib import Path

import pytest

from atlas_access.manifest.load import load_manifest
from atlas_access.proof.expectations import expectations

ROOT = Path(__file__).resolve().parents[2]
USERS = ("app_read", "app_write", "app_audit_writer", "app_admin_schema")
SCHEMA = ("agent_waitlist_submissions", "agent_survey_responses", "hubspot_sync_log")
OTHERS = (
    *("plans", "zip_county", "regions", "plan_years", "audit_log", "agents", "agencies", "agent_sessions"),
    *(
        "admins",
        "formularies_staging",
        "providers_staging",
        "mrpuf_issuers_staging",
        "mrf_file_state_staging",
    ),
)
ALL = (*OTHERS, *SCHEMA, "agent_audit_log")

READS = ("find",)
MORE_READS = ("aggregate", "aggregate $graphLookup", "aggregate $lookup", "aggregate $unionWith")
INSERTS = ("insert",)
MORE_INSERTS = ("insert in a transaction", "bulkWrite of inserts", "aggregate $merge append only")
CHANGES = ("update",)
MORE_CHANGES = (
    *("update in a transaction", "findAndModify update", "aggregate $merge replace/insert", "upsert"),
    *("update outside a transaction", "update by pipeline", "bulkWrite of updates"),
    *("findAndModify upsert", "update bypassing validation", "aggregate $merge merge/discard"),
)
REMOVALS = ("delete",)
MORE_REMOVALS = (
    *("delete in a transaction", "delete outside a transaction", "bulkWrite of deletes"),
    *("findAndModify remove", "aggregate $out", "mapReduce out replace"),
)
STRUCTURE = ("drop", "createIndexes", "dropIndexes")
MORE_STRUCTURE = (
    *("renameCollection", "collMod validation", "convertToCapped", "collMod TTL", "createIndexes TTL"),
    *("renameCollection onto it", "create a view of it", "renameCollection to another database", "compact"),
    *("dropSearchIndex", "configureQueryAnalyzer"),
)
WATCHING, MORE_WATCHING = ("listIndexes",), ("change stream",)
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


ELSEWHERE = READS + INSERTS + CHANGES + REMOVALS + STRUCTURE + WATCHING
BYPASS = ("insert bypassing validation",)
LOG_ALONE = _all("agent_audit_log")
DECIDED = {
    "the audit writer may read and append to the audit log": (
        "app_audit_writer", "allowed", READS + MORE_READS + INSERTS + MORE_INSERTS, LOG_ALONE),
    "the audit writer cannot change or erase anything in the audit log": (
        "app_audit_writer", "denied", CHANGES + MORE_CHANGES + REMOVALS + MORE_REMOVALS, LOG_ALONE),
    "the audit writer cannot change the audit log as a collection": (
        "app_audit_writer", "denied",
        STRUCTURE + MORE_STRUCTURE + WATCHING + BYPASS + MORE_WATCHING, LOG_ALONE),
    "the audit writer reaches no other collection": (
        "app_audit_writer", "denied", ELSEWHERE, _all(*OTHERS, *SCHEMA)),
    "the reader may read every collection": ("app_read", "allowed", READS, _all(*ALL)),
    "the reader can write nowhere": (
        "app_read", "denied", INSERTS + CHANGES + REMOVALS + STRUCTURE, _all(*ALL)),
    "the reader finds no detour on the audit log": (
        "app_read", "denied", BYPASS + MORE_INSERTS + MORE_CHANGES + MORE_REMOVALS + MORE_STRUCTURE, LOG_ALONE),
    "the schema admin may read and manage indexes on its three collections": (
        "app_admin_schema", "allowed", ("find", "createIndexes", "dropIndexes", "listIndexes"), _all(*SCHEMA)),
    "the schema admin cannot touch the data of its collections": (
        "app_admin_schema", "denied",
        (*INSERTS, *CHANGES, *REMOVALS, "drop"), _all(*SCHEMA)),
    "the schema admin cannot touch the audit log": (
        "app_admin_schema", "denied",
        ELSEWHERE + MORE_READS + MORE_INSERTS + MORE_CHANGES + MORE_REMOVALS + MORE_STRUCTURE, LOG_ALONE),
    "the schema admin reaches no other collection": ("app_admin_schema", "denied", ELSEWHERE, _all(*OTHERS)),
    "the writer may write every collection": (
        "app_write", "allowed", READS + INSERTS + CHANGES + REMOVALS, _all(*ALL)),
    "the writer can change the audit log, which the waiver says": (
        "app_write", "allowed",
        ("update", "delete", "drop", "convertToCapped", "renameCollection", "createIndexes TTL"), LOG_ALONE),
    "the writer cannot bypass validation or change collection options": (
        "app_write", "denied", (*BYPASS, "collMod validation"), LOG_ALONE),
    "the audit writer lists nothing of the database": ("app_audit_writer", "denied", ON_A_DATABASE, ("askflorence",)),
    "the schema admin lists nothing of the database": ("app_admin_schema", "denied", ON_A_DATABASE, ("askflorence",)),
}  # fmt: skip


@pytest.mark.parametrize(("user", "outcome", "operations", "places"), DECIDED.values(), ids=DECIDED)
def test_the_table_says_what_was_decided(
    user: str, outcome: str, operations: tuple[str, ...], places: tuple[str, ...]
) -> None:
    assert {outcome} == _outcomes(user, operations, places)


@pytest.mark.parametrize("user", USERS)
def test_no_user_administers_users_or_the_cluster(user: str) -> None:
    harmless = ("listCollections", "dbStats", "dbHash", "create a collection")
    administration = tuple(name for name in ON_A_DATABASE if name not in harmless)
    assert {"denied"} == _outcomes(user, administration, ("askflorence", "admin"))
    assert {"denied"} == _outcomes(user, ON_THE_CLUSTER, ("the cluster",))


@pytest.mark.parametrize("user", USERS)
def test_no_user_reaches_another_database_or_the_server_s_own_collections(user: str) -> None:
    core = ("find", "insert", "update", "delete")
    own = ("admin.system.users", "admin.system.roles", "local.oplog.rs", "config.transactions")
    assert {"denied"} == _outcomes(user, core, own)
    assert {"denied"} == _outcomes(
        user, READS + INSERTS + CHANGES + REMOVALS, ("askflorence_elsewhere.anything",)
    )
