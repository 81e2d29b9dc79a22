"""Rows of the catalogue that change and remove documents: by command, in transactions, by aggregation stage."""

from functools import partial

from atlas_access.proof.catalogue_commands import (
    delete_some,
    find_and_modify,
    map_reduce,
    merge_into,
    out_to,
    update_one,
    update_several,
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

SET = {"$set": {"_probe": True}}
BY_PIPELINE = [{"$set": {"_probe": True}}]

UPDATES: tuple[Operation, ...] = (
    on_collection("update", EXPLAIN, (UPDATE,), CRUD, lambda t: explained(update_one(t)), core=True),
    on_collection("update in a transaction", IN_TXN, (UPDATE,), CRUD, update_one),
    on_collection(
        "update outside a transaction",
        BY_UUID,
        (UPDATE,),
        CRUD,
        lambda t: {**update_one(t), "collectionUUID": t.uuid},
        MISMATCH,
        focus=True,
    ),
    on_collection(
        "update many",
        EXPLAIN,
        (UPDATE,),
        CRUD,
        lambda t: explained(update_one(t, multi=True)),
        focus=True,
    ),
    on_collection(
        "update by pipeline",
        EXPLAIN,
        (UPDATE,),
        CRUD,
        lambda t: explained(update_one(t, BY_PIPELINE)),
        focus=True,
    ),
    on_collection(
        "replace",
        EXPLAIN,
        (UPDATE,),
        CRUD,
        lambda t: explained(update_one(t, {"_probe": True})),
        focus=True,
    ),
    on_collection(
        "upsert",
        EXPLAIN,
        (INSERT, UPDATE),
        CRUD,
        lambda t: explained(update_one(t, upsert=True)),
        focus=True,
    ),
    on_collection(
        "upsert in a transaction",
        IN_TXN,
        (INSERT, UPDATE),
        CRUD,
        lambda t: update_one(t, upsert=True),
        DUPLICATE,
        focus=True,
    ),
    on_collection(
        "update bypassing validation",
        EXPLAIN,
        (UPDATE, BYPASS),
        "update: bypassDocumentValidation; " + CRUD,
        lambda t: explained({**update_one(t), "bypassDocumentValidation": True}),
        focus=True,
    ),
    on_collection("bulkWrite of updates", BY_UUID, (UPDATE,), CRUD, update_several, MISMATCH, focus=True),
    on_collection(
        "findAndModify update",
        EXPLAIN,
        (FIND, UPDATE),
        CRUD,
        lambda t: explained(find_and_modify(t, update=SET)),
    ),
    on_collection(
        "findAndModify upsert",
        EXPLAIN,
        (FIND, INSERT, UPDATE),
        CRUD,
        lambda t: explained(find_and_modify(t, update=SET, upsert=True)),
        focus=True,
    ),
    on_collection(
        "findAndModify replace",
        EXPLAIN,
        (FIND, UPDATE),
        CRUD,
        lambda t: explained(find_and_modify(t, update={"_probe": True})),
        focus=True,
    ),
    on_collection(
        "findAndModify update in a transaction",
        IN_TXN,
        (FIND, UPDATE),
        CRUD,
        lambda t: find_and_modify(t, update=SET),
        focus=True,
    ),
    *(
        on_collection(
            f"aggregate $merge {name}/{missing}",
            EXPLAIN,
            (VIA_FIND, UPDATE, *((INSERT,) if missing == "insert" else ())),
            "$merge: Restrictions",
            partial(merge_into, matched=matched, not_matched=missing),
            focus=(name, missing) != ("replace", "insert"),
        )
        for name, matched in (("replace", "replace"), ("merge", "merge"), ("pipeline", BY_PIPELINE))
        for missing in ("insert", "discard", "fail")
    ),
    on_collection(
        "aggregate $merge keepExisting/insert",
        EXPLAIN,
        (VIA_FIND, UPDATE, INSERT),
        "$merge: Restrictions",
        lambda t: merge_into(t, "keepExisting", "insert"),
        focus=True,
    ),
    on_collection(
        "mapReduce out merge",
        EXPLAIN,
        (VIA_FIND, INSERT, UPDATE),
        "mapReduce: out Options; " + CRUD,
        lambda t: map_reduce(t, t.via, {"merge": t.collection}),
        focus=True,
    ),
    on_collection(
        "mapReduce out reduce",
        EXPLAIN,
        (VIA_FIND, INSERT, UPDATE),
        "mapReduce: out Options; " + CRUD,
        lambda t: map_reduce(t, t.via, {"reduce": t.collection}),
        focus=True,
    ),
)

REMOVALS: tuple[Operation, ...] = (
    on_collection("delete", EXPLAIN, (REMOVE,), CRUD, lambda t: explained(delete_some(t)), core=True),
    on_collection("delete in a transaction", IN_TXN, (REMOVE,), CRUD, delete_some),
    on_collection(
        "delete outside a transaction",
        BY_UUID,
        (REMOVE,),
        CRUD,
        lambda t: {**delete_some(t), "collectionUUID": t.uuid},
        MISMATCH,
        focus=True,
    ),
    on_collection(
        "delete many", EXPLAIN, (REMOVE,), CRUD, lambda t: explained(delete_some(t, 0)), focus=True
    ),
    on_collection(
        "bulkWrite of deletes",
        BY_UUID,
        (REMOVE,),
        CRUD,
        lambda t: {**delete_some(t, 1, 0), "ordered": False, "collectionUUID": t.uuid},
        MISMATCH,
        focus=True,
    ),
    on_collection(
        "findAndModify remove",
        EXPLAIN,
        (FIND, REMOVE),
        CRUD,
        lambda t: explained(find_and_modify(t, remove=True)),
    ),
    on_collection(
        "findAndModify remove in a transaction",
        IN_TXN,
        (FIND, REMOVE),
        CRUD,
        lambda t: find_and_modify(t, remove=True),
        focus=True,
    ),
    on_collection("aggregate $out", EXPLAIN, (VIA_FIND, INSERT, REMOVE), "$out: Required Privileges", out_to),
    on_collection(
        "mapReduce out replace",
        EXPLAIN,
        (VIA_FIND, INSERT, REMOVE),
        "mapReduce: out Options; " + CRUD,
        lambda t: map_reduce(t, t.via, {"replace": t.collection}),
        focus=True,
    ),
)

ROWS = UPDATES + REMOVALS
