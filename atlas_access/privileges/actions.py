"""The privilege actions of Atlas custom roles, what each is called in MongoDB, and what it permits.

Sources: the enumeration of the Atlas Administration API 2.0 (custom database roles), the MongoDB manual's page on
privilege actions, and createRole on a mongod 6.0.5 (which names it knows). An action that is not in the table is
unknown.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class ActionScope(StrEnum):
    """What an action can be granted on (MongoDB manual, resource document)."""

    COLLECTION = "collection"
    DATABASE = "database"
    CLUSTER = "cluster"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class AtlasAction:
    """One action of an Atlas custom role.

    `mongo` holds the server's names (empty when no mongod knows the action, `absent_because` says why); `since` is the
    first server version that knows them; `permits` completes the phrase "can …".
    """

    name: str
    scope: ActionScope
    mongo: tuple[str, ...]
    permits: str
    since: tuple[int, ...] = (4, 4)
    absent_because: str = ""


_FEDERATION = "it belongs to Atlas Data Federation; a database cluster does not know it"
_STREAMS = "it belongs to Atlas Stream Processing; a database cluster does not know it"
_SEARCH_SINCE = (6, 0, 7)


def _collection(name: str, mongo: str, permits: str, since: tuple[int, ...] = (4, 4)) -> AtlasAction:
    return AtlasAction(name, ActionScope.COLLECTION, (mongo,), permits, since)


def _database(name: str, mongo: str, permits: str) -> AtlasAction:
    return AtlasAction(name, ActionScope.DATABASE, (mongo,), permits)


def _cluster(name: str, mongo: str, permits: str, since: tuple[int, ...] = (4, 4)) -> AtlasAction:
    return AtlasAction(name, ActionScope.CLUSTER, (mongo,), permits, since)


def _elsewhere(name: str, permits: str, because: str) -> AtlasAction:
    return AtlasAction(name, ActionScope.ELSEWHERE, (), permits, absent_because=because)


_ALL = (
    _collection("FIND", "find", "read documents"),
    _collection("INSERT", "insert", "add documents"),
    _collection("REMOVE", "remove", "erase documents"),
    _collection("UPDATE", "update", "change documents"),
    _collection(
        "BYPASS_DOCUMENT_VALIDATION", "bypassDocumentValidation", "write documents that validation refuses"
    ),
    _cluster("USE_UUID", "useUUID", "address collections by UUID instead of by name"),
    _cluster("KILL_OP", "killop", "end other users' operations"),
    _cluster(
        "BYPASS_DEFAULT_MAX_TIME_MS",
        "bypassDefaultMaxTimeMS",
        "run queries without the default time limit",
        (8, 0),
    ),
    _collection("CREATE_COLLECTION", "createCollection", "create collections and views"),
    _collection("CREATE_INDEX", "createIndex", "create indexes, also ones that expire or refuse documents"),
    _collection("DROP_COLLECTION", "dropCollection", "erase whole collections"),
    _database("ENABLE_PROFILER", "enableProfiler", "switch the profiler, which records queries"),
    _cluster("KILL_ANY_CURSOR", "killAnyCursor", "end other users' cursors"),
    _collection("ANALYZE", "analyze", "gather statistics for the query planner", (7, 0)),
    _collection("CHANGE_STREAM", "changeStream", "follow every change"),
    _collection("COLL_MOD", "collMod", "change collection options, such as expiry and validation"),
    _collection("COMPACT", "compact", "compact storage, which burdens the server"),
    _collection(
        "CONVERT_TO_CAPPED", "convertToCapped", "make a collection capped, which drops its oldest documents"
    ),
    _database("DROP_DATABASE", "dropDatabase", "erase the whole database"),
    _collection("DROP_INDEX", "dropIndex", "drop indexes"),
    _collection("RE_INDEX", "reIndex", "rebuild indexes, which blocks the collection"),
    _collection(
        "RENAME_COLLECTION_SAME_DB", "renameCollectionSameDB", "rename collections, also over existing ones"
    ),
    _cluster("SET_USER_WRITE_BLOCK", "setUserWriteBlockMode", "stop all writes by users", (6, 0)),
    _cluster("BYPASS_USER_WRITE_BLOCK", "bypassWriteBlockingMode", "write while writes are blocked", (6, 0)),
    _cluster("LIST_SESSIONS", "listSessions", "list all users' sessions"),
    _cluster("KILL_ANY_SESSION", "killAnySession", "end other users' sessions"),
    _collection("COLL_STATS", "collStats", "read collection statistics"),
    _cluster("CONN_POOL_STATS", "connPoolStats", "read connection statistics"),
    _database("DB_HASH", "dbHash", "read hashes of collections"),
    _database("DB_STATS", "dbStats", "read database statistics"),
    _cluster("GET_CMD_LINE_OPTS", "getCmdLineOpts", "read the server's options"),
    _cluster("GET_LOG", "getLog", "read the server's log"),
    _cluster("GET_PARAMETER", "getParameter", "read server parameters"),
    _cluster("GET_SHARD_MAP", "getShardMap", "read the map of shards"),
    _cluster("HOST_INFO", "hostInfo", "read facts of the server's host"),
    _cluster("IN_PROG", "inprog", "see other users' operations"),
    _cluster("LIST_DATABASES", "listDatabases", "list all databases"),
    _database("LIST_COLLECTIONS", "listCollections", "list collections"),
    _collection("LIST_INDEXES", "listIndexes", "list indexes"),
    _cluster("LIST_SHARDS", "listShards", "list shards"),
    _cluster("NET_STAT", "netstat", "read network statistics"),
    _cluster("REPL_SET_GET_CONFIG", "replSetGetConfig", "read the replica set's configuration"),
    _cluster("REPL_SET_GET_STATUS", "replSetGetStatus", "read the replica set's status"),
    _cluster("SERVER_STATUS", "serverStatus", "read the server's status"),
    _collection("VALIDATE", "validate", "check collections, which burdens the server"),
    _cluster("SHARDING_STATE", "shardingState", "read the sharding state"),
    _cluster("TOP", "top", "read usage statistics"),
    _elsewhere("SQL_GET_SCHEMA", "read SQL schemas", _FEDERATION),
    _elsewhere("SQL_SET_SCHEMA", "change SQL schemas", _FEDERATION),
    _elsewhere("VIEW_ALL_HISTORY", "read all users' query history", _FEDERATION),
    _elsewhere("OUT_TO_S3", "write query results to S3", _FEDERATION),
    _elsewhere("OUT_TO_AZURE", "write query results to Azure storage", _FEDERATION),
    _elsewhere("OUT_TO_GCS", "write query results to Google storage", _FEDERATION),
    _elsewhere("STORAGE_GET_CONFIG", "read the federated storage configuration", _FEDERATION),
    _elsewhere("STORAGE_SET_CONFIG", "change the federated storage configuration", _FEDERATION),
    _cluster("FLUSH_ROUTER_CONFIG", "flushRouterConfig", "flush the routers' metadata"),
    _collection("ENABLE_SHARDING", "enableSharding", "shard databases and collections"),
    _collection(
        "CHECK_METADATA_CONSISTENCY",
        "checkMetadataConsistency",
        "check the consistency of sharding metadata",
        (7, 0),
    ),
    _collection("MOVE_CHUNK", "moveChunk", "move data between shards"),
    _collection("SPLIT_CHUNK", "splitChunk", "split chunks"),
    _collection("ANALYZE_SHARD_KEY", "analyzeShardKey", "analyse shard keys", (7, 0)),
    _collection("REFINE_COLLECTION_SHARD_KEY", "refineCollectionShardKey", "refine shard keys"),
    _collection("CLEAR_JUMBO_FLAG", "clearJumboFlag", "clear the flag of oversized chunks"),
    _collection("RESHARD_COLLECTION", "reshardCollection", "redistribute a collection"),
    _cluster("SHARDED_DATA_DISTRIBUTION", "shardedDataDistribution", "read how data is distributed", (6, 0)),
    _elsewhere("GET_STREAM_PROCESSOR", "read stream processors", _STREAMS),
    _elsewhere("CREATE_STREAM_PROCESSOR", "create stream processors", _STREAMS),
    _elsewhere("PROCESS_STREAM_PROCESSOR", "run stream processing", _STREAMS),
    _elsewhere("MODIFY_STREAM_PROCESSOR", "change stream processors", _STREAMS),
    _elsewhere("START_STREAM_PROCESSOR", "start stream processors", _STREAMS),
    _elsewhere("STOP_STREAM_PROCESSOR", "stop stream processors", _STREAMS),
    _elsewhere("DROP_STREAM_PROCESSOR", "drop stream processors", _STREAMS),
    _elsewhere("SAMPLE_STREAM_PROCESSOR", "sample stream processors", _STREAMS),
    _elsewhere("LIST_STREAM_PROCESSORS", "list stream processors", _STREAMS),
    _elsewhere("LIST_CONNECTIONS", "list stream connections", _STREAMS),
    _elsewhere("STREAM_PROCESSOR_STATS", "read stream statistics", _STREAMS),
    _collection("CREATE_SEARCH_INDEX", "createSearchIndexes", "create search indexes", _SEARCH_SINCE),
    _collection("DROP_SEARCH_INDEX", "dropSearchIndex", "drop search indexes", _SEARCH_SINCE),
    _collection("LIST_SEARCH_INDEXES", "listSearchIndexes", "list search indexes", _SEARCH_SINCE),
    _collection("UPDATE_SEARCH_INDEX", "updateSearchIndex", "change search indexes", _SEARCH_SINCE),
)

ATLAS_ACTIONS: dict[str, AtlasAction] = {action.name: action for action in _ALL}
"""All 80 actions by their Atlas name."""

WITHOUT_COUNTERPART: dict[str, str] = {
    action.name: action.absent_because for action in _ALL if not action.mongo
}
"""Atlas actions that no MongoDB server knows, each with the reason."""

_ATLAS_NAME = {mongo: action.name for action in _ALL for mongo in action.mongo}

_OTHER_PERMITS = {
    "killCursors": "end cursors",
    "planCacheRead": "read query plans",
    "planCacheWrite": "clear query plans",
    "planCacheIndexFilter": "set index filters",
    "storageDetails": "read storage details",
    "indexStats": "read index statistics",
    "compactStructuredEncryptionData": "compact the metadata of encrypted collections",
    "cleanupStructuredEncryptionData": "clean up the metadata of encrypted collections",
    "performRawDataOperations": "address the raw form of time-series data",
    "createUser": "create users",
    "dropUser": "drop users",
    "createRole": "create roles",
    "dropRole": "drop roles",
    "grantRole": "grant any role, also to itself",
    "revokeRole": "revoke roles",
    "changePassword": "change other users' passwords",
    "changeCustomData": "change other users' data",
    "changeOwnPassword": "change its own password",
    "changeOwnCustomData": "change its own data",
    "setAuthenticationRestriction": "set where users may log in from",
    "viewUser": "see users",
    "viewRole": "see roles",
    "applyOps": "apply any operation, past all checks",
    "anyAction": "do anything",
    "internal": "act as a member of the cluster",
    "shutdown": "shut the server down",
    "setParameter": "change server parameters",
    "fsync": "lock the server against writes",
    "replSetConfigure": "reconfigure the replica set",
    "replSetStateChange": "make the primary step down",
    "configureQueryAnalyzer": "record queries",
    "startBackup": "start backups",
}


_SERVER_ACTIONS = frozenset(
    Path(__file__).with_name("server_actions.txt").read_text(encoding="utf-8").split()
)
"""The actions of MongoDB's servers from 6.0 on, granted by built-in roles of theirs or by createRole alone."""


class UnknownAction(KeyError):
    """The name is no Atlas action."""

    def __str__(self) -> str:
        return (
            f"{self.args[0]} is no Atlas action. "
            "See atlas_access.privileges.actions.ATLAS_ACTIONS for the 80 that exist."
        )


def atlas_action(name: str) -> AtlasAction:
    """Return the action of this Atlas name; raises UnknownAction."""
    try:
        return ATLAS_ACTIONS[name]
    except KeyError:
        raise UnknownAction(name) from None


def version_numbers(version: str) -> tuple[int, ...]:
    """Return "6.0.5" as (6, 0, 5); raises ValueError for anything that is not a server version."""
    parts = version.split("-")[0].split(".")
    if not 1 <= len(parts) <= 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError("not a MongoDB server version: write it like 6.0 or 6.0.5")
    return tuple(int(part) for part in parts)


def mongo_actions(name: str, version: str | None = None) -> tuple[str, ...]:
    """Return what the server calls an Atlas action, () when it has no counterpart.

    With a server version, () also when that version does not know the action yet. Raises UnknownAction.
    """
    action = atlas_action(name)
    return () if version is not None and version_numbers(version) < action.since else action.mongo


def is_known(mongo_action: str) -> bool:
    """Whether a table of this project names a server's action."""
    return mongo_action in _ATLAS_NAME or mongo_action in _OTHER_PERMITS or mongo_action in _SERVER_ACTIONS


def atlas_name(mongo_action: str) -> str | None:
    """Return the Atlas name of a server's action, None for actions that a custom role of Atlas cannot grant."""
    return _ATLAS_NAME.get(mongo_action)


def display_name(mongo_action: str) -> str:
    """Return the name to print: Atlas's where there is one, as the manifest writes it, else the server's."""
    return _ATLAS_NAME.get(mongo_action, mongo_action)


def permits(mongo_action: str) -> str:
    """Return what a server's action permits, to complete "can …"; an unknown action is named as such."""
    name = _ATLAS_NAME.get(mongo_action)
    if name is not None:
        return ATLAS_ACTIONS[name].permits
    return _OTHER_PERMITS.get(mongo_action, f"do what the server calls {mongo_action}")
