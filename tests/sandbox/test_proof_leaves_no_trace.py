"""With every credential widened to root, a whole proof leaves the server byte for byte as it was."""

from typing import Any

import pytest
from bson import encode
from mongod_fixture import Cluster, cluster

from atlas_access.proof.verdict import Outcome, Verdict

__all__ = ["cluster"]

# Of the server's own collections, root may read these; `system.keys` it may not.
READABLE = ("system.users", "system.roles", "system.version", "system.js")
ROOT = [{"role": "root", "db": "admin"}]
USERS = ("app_read", "app_write", "app_audit_writer", "app_admin_schema")


def _dump(cluster: Cluster) -> dict[str, Any]:
    """Everything that a proof could have changed, as the bytes that the server keeps."""
    client = cluster.root
    names = sorted(set(client.list_database_names()) - {"local", "config"})
    dump: dict[str, Any] = {"databases": sorted(client.list_database_names())}
    for name in names:
        for info in sorted(client[name].list_collections(), key=lambda each: each["name"]):
            place = f"{name}.{info['name']}"
            dump[f"{place} itself"] = encode(info)
            if info["name"].startswith("system.") and info["name"] not in READABLE:
                continue
            dump[f"{place} rows"] = [encode(row) for row in client[name][info["name"]].find().sort("_id", 1)]
            dump[f"{place} indexes"] = [encode(each) for each in client[name][info["name"]].list_indexes()]
        dump[f"{name} profiling"] = client[name].command("profile", -1)["was"]
        dump[f"{name} users"] = encode(_plain(client[name].command("usersInfo", 1, showCredentials=True)))
        dump[f"{name} roles"] = encode(_plain(client[name].command("rolesInfo", 1, showPrivileges=True)))
    dump["parameters"] = {
        key: value for key, value in client.admin.command("getParameter", "*").items() if _steady(key, value)
    }
    dump["default concern"] = encode(
        _plain(client.admin.command("getDefaultRWConcern"), ("localUpdateWallClockTime",))
    )
    dump["replica set"] = encode(client.admin.command("replSetGetConfig")["config"])
    return dump


def _plain(reply: dict[str, Any], besides: tuple[str, ...] = ()) -> dict[str, Any]:
    return {key: reply[key] for key in reply if key not in ("$clusterTime", "operationTime", *besides)}


def _steady(key: str, value: object) -> bool:
    return isinstance(value, bool | int | float | str) and key not in ("ok",)


def _writes_since(cluster: Cluster, moment: object) -> list[dict[str, Any]]:
    """What the oplog holds since a moment, without the server's own heartbeats and session book-keeping."""
    entries = cluster.root.local["oplog.rs"].find({"ts": {"$gt": moment}})
    return [
        each
        for each in entries
        if each["op"] != "n" and each["ns"] != "config.system.sessions" and not _aborted(each)
    ]


def _aborted(entry: dict[str, Any]) -> bool:
    return "abortTransaction" in entry.get("o", {})


def _last(cluster: Cluster) -> object:
    newest = cluster.root.local["oplog.rs"].find_one(sort=[("$natural", -1)])
    assert newest is not None
    return newest["ts"]


@pytest.mark.parametrize("user", USERS)
def test_a_proof_of_a_user_widened_to_root_leaves_no_trace(cluster: Cluster, user: str) -> None:
    declared = cluster.declared_roles(user)
    cluster.set_user(user, ROOT)
    before, moment = _dump(cluster), _last(cluster)
    proof = cluster.prove(user)
    after, written = _dump(cluster), _writes_since(cluster, moment)
    cluster.set_user(user, declared)
    assert before == after
    assert [] == written
    assert (Verdict.REFUTED, ()) == (proof.verdict, proof.residue)


@pytest.mark.parametrize("user", USERS)
def test_a_proof_of_a_user_as_declared_leaves_no_trace(cluster: Cluster, user: str) -> None:
    before, moment = _dump(cluster), _last(cluster)
    proof = cluster.prove(user)
    assert before == _dump(cluster)
    assert [] == _writes_since(cluster, moment)
    assert () == proof.residue


def test_root_is_allowed_nearly_everything_so_that_the_traceless_run_means_something(
    cluster: Cluster,
) -> None:
    declared = cluster.declared_roles("app_audit_writer")
    cluster.set_user("app_audit_writer", ROOT)
    try:
        proof = cluster.prove("app_audit_writer")
    finally:
        cluster.set_user("app_audit_writer", declared)
    on_audit_log = [each for each in proof.attempts if each.namespace == "askflorence.agent_audit_log"]
    assert {Outcome.ALLOWED} == {each.outcome for each in on_audit_log if each.tried}
