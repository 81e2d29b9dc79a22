"""A collection of each kind, and everything of a server that a proof could change."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bson import Binary, encode
from pymongo import MongoClient
from pymongo.database import Database

from atlas_access.proof.operation import Kind

Documents = dict[str, Any]
Client = "MongoClient[Documents]"

ROWS = [{"_id": number, "name": f"n{number}", "at": datetime(2026, 1, 1, tzinfo=UTC)} for number in range(3)]
_OPTIONS: dict[Kind, Callable[[], Documents]] = {
    Kind.CAPPED: lambda: {"capped": True, "size": 100_000},
    Kind.VIEW: lambda: {"viewOn": Kind.PLAIN, "pipeline": [{"$project": {"name": 1}}]},
    Kind.TIME_SERIES: lambda: {"timeseries": {"timeField": "at", "metaField": "name"}},
    Kind.CLUSTERED: lambda: {"clusteredIndex": {"key": {"_id": 1}, "unique": True}},
    Kind.VALIDATED: lambda: {"validator": {"$jsonSchema": {"required": ["name"]}}},
    Kind.ENCRYPTED: lambda: {
        "encryptedFields": {
            "fields": [{"path": "ssn", "bsonType": "string", "keyId": Binary.from_uuid(uuid4())}]
        }
    },
}
_INDEXES: dict[Kind, tuple[object, Documents]] = {
    Kind.PLAIN: ("name", {}),
    Kind.UNIQUE: ("name", {"unique": True}),
    Kind.TTL: ("at", {"expireAfterSeconds": 10**9}),
    Kind.TEXT: ([("name", "text")], {}),
}
# Of the server's own collections, root may read these; `system.keys` and time series' buckets it may not.
_READABLE = ("system.users", "system.roles", "system.version", "system.js")
_PASSING = ("$clusterTime", "operationTime", "localUpdateWallClockTime")


def make(database: "Database[Documents]", kind: Kind, name: str) -> None:
    """Make a collection of this kind with three rows; an absent one is none, and neither has a view rows of its own."""
    if kind is Kind.ABSENT:
        return
    database.command("create", name, **_OPTIONS.get(kind, dict)())
    if kind is not Kind.VIEW:
        database[name].insert_many(ROWS)
    if kind in _INDEXES:
        keys, options = _INDEXES[kind]
        database[name].create_index(keys, **options)  # type: ignore[arg-type]


def state(client: "MongoClient[Documents]") -> Documents:
    """Everything that a proof could have changed, as the bytes that the server keeps."""
    found: Documents = {"databases": sorted(client.list_database_names())}
    for name in set(found["databases"]) - {"local", "config"}:
        database = client[name]
        for info in database.list_collections():
            collection, place = database[info["name"]], f"{name}.{info['name']}"
            found[place] = encode(info)
            if info["name"].startswith("system.") and info["name"] not in _READABLE:
                continue
            found[f"{place} rows"] = [encode(row) for row in collection.find().sort("_id", 1)]
            if info["type"] != "view":
                found[f"{place} indexes"] = [encode(each) for each in collection.list_indexes()]
        found[f"{name} profiling"] = database.command("profile", -1)["was"]
        found[f"{name} users"] = encode(_plain(database.command("usersInfo", 1, showCredentials=True)))
        found[f"{name} roles"] = encode(_plain(database.command("rolesInfo", 1, showPrivileges=True)))
    parameters = client.admin.command("getParameter", "*")
    found["parameters"] = {
        key: value for key, value in parameters.items() if isinstance(value, bool | int | float | str)
    }
    found["default concern"] = encode(_plain(client.admin.command("getDefaultRWConcern")))
    found["replica set"] = encode(client.admin.command("replSetGetConfig")["config"])
    status = client.admin.command("serverStatus")
    found["open cursors"] = status["metrics"]["cursor"]["open"]["total"]
    found["open transactions"] = status["transactions"]["currentOpen"]
    waiting = client.admin.aggregate([{"$currentOp": {}}, {"$match": {"waitingForLock": True}}])
    found["waiting for locks"] = list(waiting)
    return found


def _plain(reply: Documents) -> Documents:
    return {key: value for key, value in reply.items() if key not in _PASSING}


def last_entry(client: "MongoClient[Documents]") -> Any:
    """The time of the oplog's newest entry."""
    newest = client.local["oplog.rs"].find_one(sort=[("$natural", -1)])
    assert newest is not None
    return newest["ts"]


def written_since(client: "MongoClient[Documents]", moment: object) -> list[tuple[str, str]]:
    """What the oplog has since a moment, but for the server's periodic no-ops and its refreshes of sessions."""
    entries = client.local["oplog.rs"].find({"ts": {"$gt": moment}})
    return [
        (each["op"], each["ns"] or each["o"]["msg"])
        for each in entries
        if each["ns"] != "config.system.sessions" and each["o"].get("msg") != "periodic noop"
    ]
