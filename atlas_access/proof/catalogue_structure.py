"""Rows of the catalogue that inspect and change collections, indexes, views and whole databases."""

from atlas_access.proof.operation import (
    NOT_IN_TRANSACTION,
    UUID_MISMATCH,
    Command,
    Form,
    Need,
    On,
    Operation,
    Target,
    explained,
    on_collection,
    on_database,
)

READ, IN_TXN, BY_UUID = Form.READ, Form.ABORTED_TRANSACTION, Form.RANDOM_UUID
IMPOSSIBLE, EQUALITY = Form.IMPOSSIBLE_ARGUMENT, Form.EQUALITY
MANAGE = "Privilege Actions: Database Management Actions"
SERVER = "Privilege Actions: Server Administration Actions"
DIAGNOSE = "Privilege Actions: Diagnostic Actions"
CRUD = "Privilege Actions: Query and Write Actions"
MISMATCH = frozenset({UUID_MISMATCH})
NAMESPACE_EXISTS = frozenset({48})
BAD_VALUE = frozenset({2})
ILLEGAL_OPERATION = frozenset({20})
INVALID_OPTIONS = frozenset({72})
COLLECTION_ABSENT = frozenset({50933})
DATABASE = On.DATABASE
ELSEWHERE = On.EVERY_DATABASE


def _index(t: Target, **options: object) -> Command:
    index = {"key": {t.token: 1}, "name": t.token, **options}
    return {"createIndexes": t.collection, "indexes": [index], "collectionUUID": t.uuid}


def _rename(t: Target, source: str, to: str, **options: object) -> Command:
    return {"renameCollection": source, "to": to, "collectionUUID": t.uuid, **options}


def _expire(t: Target) -> Command:
    index = {"keyPattern": {t.token: 1}, "expireAfterSeconds": 1}
    return {"collMod": t.collection, "index": index, "collectionUUID": t.uuid}


def _stage(t: Target, *stages: Command) -> Command:
    return {"aggregate": t.collection, "pipeline": list(stages), "cursor": {}}


STRUCTURE: tuple[Operation, ...] = (
    on_collection("createIndexes", BY_UUID, (Need("createIndex"),), MANAGE, _index, MISMATCH),
    on_collection(
        "createIndexes TTL",
        BY_UUID,
        (Need("createIndex"),),
        MANAGE,
        lambda t: _index(t, expireAfterSeconds=1),
        MISMATCH,
        focus=True,
    ),
    on_collection(
        "createIndexes unique",
        BY_UUID,
        (Need("createIndex"),),
        MANAGE,
        lambda t: _index(t, unique=True),
        MISMATCH,
        focus=True,
    ),
    on_collection(
        "dropIndexes",
        BY_UUID,
        (Need("dropIndex"),),
        MANAGE,
        lambda t: {"dropIndexes": t.collection, "index": "*", "collectionUUID": t.uuid},
        MISMATCH,
    ),
    on_collection(
        "drop",
        BY_UUID,
        (Need("dropCollection"),),
        MANAGE,
        lambda t: {"drop": t.collection, "collectionUUID": t.uuid},
        MISMATCH,
    ),
    on_collection(
        "collMod validation",
        BY_UUID,
        (Need("collMod"),),
        MANAGE,
        lambda t: {"collMod": t.collection, "validationLevel": "off", "collectionUUID": t.uuid},
        MISMATCH,
    ),
    on_collection("collMod TTL", BY_UUID, (Need("collMod"),), MANAGE, _expire, MISMATCH, focus=True),
    on_collection(
        "renameCollection",
        BY_UUID,
        (Need("renameCollectionSameDB", DATABASE),),
        MANAGE,
        lambda t: _rename(t, t.namespace, f"{t.database}.{t.token}"),
        MISMATCH,
        instead=(
            Need("find"),
            Need("dropCollection"),
            Need("insert", DATABASE),
            Need("createIndex", DATABASE),
        ),
        on_admin=True,
    ),
    on_collection(
        "renameCollection onto it",
        BY_UUID,
        (Need("renameCollectionSameDB", DATABASE), Need("dropCollection")),
        MANAGE,
        lambda t: _rename(t, f"{t.database}.{t.token}", t.namespace, dropTarget=True),
        MISMATCH,
        instead=(
            Need("find", DATABASE),
            Need("dropCollection", DATABASE),
            Need("insert"),
            Need("createIndex"),
        ),
        focus=True,
        on_admin=True,
    ),
    on_collection(
        "renameCollection to another database",
        BY_UUID,
        (Need("find"), Need("dropCollection"), Need("insert", ELSEWHERE), Need("createIndex", ELSEWHERE)),
        "renameCollection: Required Access",
        lambda t: _rename(t, t.namespace, f"{t.token}.{t.token}"),
        INVALID_OPTIONS,
        focus=True,
        on_admin=True,
    ),
    on_collection(
        "create the collection",
        IN_TXN,
        (Need("createCollection"),),
        MANAGE,
        lambda t: {"create": t.collection},
        NAMESPACE_EXISTS,
        instead=(Need("insert"),),
        focus=True,
    ),
    on_collection(
        "create a view of it",
        IN_TXN,
        (Need("createCollection", DATABASE),),
        "create: Access Control",
        lambda t: {"create": t.token, "viewOn": t.collection, "pipeline": []},
        frozenset({NOT_IN_TRANSACTION}),
        focus=True,
    ),
    on_collection("convertToCapped", EQUALITY, (Need("convertToCapped"),), SERVER),
    on_collection("compact", EQUALITY, (Need("compact"),), SERVER),
    on_collection(
        "reIndex",
        IMPOSSIBLE,
        (Need("reIndex"),),
        MANAGE,
        lambda t: {"reIndex": t.collection},
        ILLEGAL_OPERATION,
        focus=True,
    ),
    on_collection(
        "validate",
        IMPOSSIBLE,
        (Need("validate"),),
        DIAGNOSE,
        lambda t: {"validate": t.collection, "background": True, "full": True},
        INVALID_OPTIONS,
        focus=True,
    ),
    on_collection(
        "listIndexes", READ, (Need("listIndexes"),), DIAGNOSE, lambda t: {"listIndexes": t.collection}
    ),
    on_collection(
        "collStats", READ, (Need("collStats"),), DIAGNOSE, lambda t: {"collStats": t.collection}, focus=True
    ),
    on_collection(
        "aggregate $indexStats",
        READ,
        (Need("indexStats"),),
        DIAGNOSE,
        lambda t: _stage(t, {"$indexStats": {}}, {"$limit": 1}),
        focus=True,
    ),
    on_collection(
        "planCacheClear",
        IMPOSSIBLE,
        (Need("planCacheWrite"),),
        CRUD,
        lambda t: {"planCacheClear": t.collection, "query": {t.token: 1}},
        focus=True,
    ),
    on_collection(
        "planCacheSetFilter",
        IMPOSSIBLE,
        (Need("planCacheIndexFilter"),),
        CRUD,
        lambda t: {"planCacheSetFilter": t.collection, "query": {t.token: 1}, "indexes": []},
        BAD_VALUE,
        focus=True,
    ),
    on_collection(
        "planCacheListFilters",
        READ,
        (Need("planCacheIndexFilter"),),
        CRUD,
        lambda t: {"planCacheListFilters": t.collection},
        focus=True,
    ),
    on_collection(
        "aggregate $planCacheStats",
        READ,
        (Need("planCacheRead"),),
        CRUD,
        lambda t: _stage(t, {"$planCacheStats": {}}, {"$limit": 1}),
        COLLECTION_ABSENT,
        focus=True,
    ),
)

DATABASES: tuple[Operation, ...] = (
    on_database(
        "listCollections",
        READ,
        (Need("listCollections", DATABASE),),
        DIAGNOSE,
        lambda _: {"listCollections": 1, "nameOnly": True},
    ),
    on_database(
        "create a collection",
        IN_TXN,
        (Need("createCollection", DATABASE),),
        MANAGE,
        lambda t: {"create": t.token},
        instead=(Need("insert", DATABASE),),
    ),
    on_database("dbStats", READ, (Need("dbStats", DATABASE),), DIAGNOSE, lambda _: {"dbStats": 1}),
    on_database(
        "dbHash",
        READ,
        (Need("dbHash", DATABASE),),
        DIAGNOSE,
        lambda t: {"dbHash": 1, "collections": [t.token]},
    ),
    on_database(
        "change stream of a database",
        Form.EXPLAIN,
        (Need("find", DATABASE), Need("changeStream", DATABASE)),
        "Change Streams: Access Control",
        lambda _: explained({"aggregate": 1, "pipeline": [{"$changeStream": {}}], "cursor": {}}),
    ),
    on_database("profile", READ, (Need("enableProfiler", DATABASE),), SERVER, lambda _: {"profile": -1}),
    on_database("profile: change the level", EQUALITY, (Need("enableProfiler", DATABASE),), SERVER),
    on_database("dropDatabase", EQUALITY, (Need("dropDatabase", DATABASE),), MANAGE),
)

ROWS = STRUCTURE + DATABASES
