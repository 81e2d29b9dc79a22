"""Rows of the catalogue that read and insert documents: by command, in transactions, by aggregation stage."""

from atlas_access.proof.catalogue_commands import (
    aggregate,
    by_id,
    documents,
    graph_look_up,
    insert_one,
    look_up,
    map_reduce,
    merge_into,
    through,
    union_with,
)
from atlas_access.proof.operation import (
    DUPLICATE_KEY,
    UUID_MISMATCH,
    Form,
    Need,
    On,
    Operation,
    explained,
    on_collection,
)

FIND, INSERT, UPDATE, REMOVE = Need("find"), Need("insert"), Need("update"), Need("remove")
VIA_FIND = Need("find", On.VIA)
BYPASS = Need("bypassDocumentValidation")
EXPLAIN, READ, IN_TXN, BY_UUID = Form.EXPLAIN, Form.READ, Form.ABORTED_TRANSACTION, Form.RANDOM_UUID

CRUD = "Privilege Actions: Query and Write Actions"
MISMATCH = frozenset({UUID_MISMATCH})
DUPLICATE = frozenset({DUPLICATE_KEY})

READS: tuple[Operation, ...] = (
    on_collection(
        "find",
        READ,
        (FIND,),
        CRUD,
        lambda t: {"find": t.collection, "filter": by_id(t), "limit": 1, "singleBatch": True},
        core=True,
    ),
    on_collection(
        "aggregate", READ, (FIND,), CRUD, lambda t: aggregate(t.collection, {"$match": by_id(t)}), focus=True
    ),
    on_collection(
        "count", READ, (FIND,), CRUD, lambda t: {"count": t.collection, "query": by_id(t)}, focus=True
    ),
    on_collection(
        "distinct",
        READ,
        (FIND,),
        CRUD,
        lambda t: {"distinct": t.collection, "key": "_id", "query": by_id(t)},
        focus=True,
    ),
    on_collection(
        "mapReduce inline",
        EXPLAIN,
        (FIND,),
        CRUD,
        lambda t: map_reduce(t, t.collection, {"inline": 1}),
        focus=True,
    ),
    on_collection(
        "aggregate $lookup",
        EXPLAIN,
        (VIA_FIND, FIND),
        "$lookup: Restrictions; " + CRUD,
        lambda t: explained(through(t, look_up(t))),
    ),
    on_collection(
        "aggregate $unionWith",
        EXPLAIN,
        (VIA_FIND, FIND),
        "$unionWith; " + CRUD,
        lambda t: explained(through(t, union_with(t))),
    ),
    on_collection(
        "aggregate $graphLookup",
        EXPLAIN,
        (VIA_FIND, FIND),
        "$graphLookup; " + CRUD,
        lambda t: explained(through(t, graph_look_up(t))),
        focus=True,
    ),
    on_collection(
        "change stream",
        EXPLAIN,
        (FIND, Need("changeStream")),
        "Change Streams: Access Control",
        lambda t: explained(aggregate(t.collection, {"$changeStream": {}})),
    ),
)

INSERTS: tuple[Operation, ...] = (
    on_collection("insert in a transaction", IN_TXN, (INSERT,), CRUD, insert_one, DUPLICATE),
    on_collection(
        "insert",
        BY_UUID,
        (INSERT,),
        CRUD,
        lambda t: insert_one(t, collectionUUID=t.uuid),
        MISMATCH,
        core=True,
    ),
    on_collection(
        "bulkWrite of inserts",
        BY_UUID,
        (INSERT,),
        CRUD,
        lambda t: {
            "insert": t.collection,
            "documents": documents(t) * 2,
            "ordered": False,
            "collectionUUID": t.uuid,
        },
        MISMATCH,
        focus=True,
    ),
    on_collection(
        "insert bypassing validation",
        BY_UUID,
        (INSERT, BYPASS),
        "insert: bypassDocumentValidation; " + CRUD,
        lambda t: insert_one(t, bypassDocumentValidation=True, collectionUUID=t.uuid),
        MISMATCH,
    ),
    on_collection(
        "aggregate $merge append only",
        EXPLAIN,
        (VIA_FIND, INSERT),
        "$merge: Restrictions",
        lambda t: merge_into(t, "fail", "insert"),
        focus=True,
    ),
)

ROWS = READS + INSERTS
