"""The commands that rows about documents are made of, aimed at an id or a name that exists nowhere.

Each is harmless only in the form that its row names: explained, in an aborted transaction, or with a random UUID. None
may be sent as it is.
"""

from atlas_access.proof.operation import Command, Target, explained


def by_id(t: Target) -> dict[str, object]:
    """Filter by an id that exists nowhere."""
    return {"_id": t.token}


def documents(t: Target) -> list[dict[str, object]]:
    """Return the one document that an insert would write."""
    return [{"_id": t.token, "_probe": True}]


def insert_one(t: Target, **options: object) -> Command:
    """Insert one document."""
    return {"insert": t.collection, "documents": documents(t), **options}


def update_one(t: Target, change: object = None, **how: object) -> Command:
    """Update by an id that exists nowhere."""
    statement = {"q": by_id(t), "u": change or {"$set": {"_probe": True}}, **how}
    return {"update": t.collection, "updates": [statement]}


def update_several(t: Target) -> Command:
    """Send several updates in one command, as a bulkWrite does, stopped by a random UUID."""
    one = {"q": by_id(t), "u": {"$set": {"_probe": True}}}
    replacement = {"q": by_id(t), "u": {"_probe": True}}
    statements = [one, {**one, "multi": True}, replacement]
    return {"update": t.collection, "updates": statements, "ordered": False, "collectionUUID": t.uuid}


def delete_some(t: Target, *limits: int) -> Command:
    """Delete by an id that exists nowhere, once for each limit (0: all that match)."""
    return {"delete": t.collection, "deletes": [{"q": by_id(t), "limit": limit} for limit in limits or (1,)]}


def find_and_modify(t: Target, **how: object) -> Command:
    """Find by an id that exists nowhere, and modify."""
    return {"findAndModify": t.collection, "query": by_id(t), **how}


def aggregate(source: str, *stages: Command) -> Command:
    """Run a pipeline."""
    return {"aggregate": source, "pipeline": list(stages), "cursor": {}}


def through(t: Target, stage: Command) -> Command:
    """Run a stage that reads the target, fed by a collection that the user may read."""
    return aggregate(t.via, {"$match": by_id(t)}, stage)


def out_to(t: Target) -> Command:
    """Explain `$out` into the target."""
    return explained(through(t, {"$out": t.collection}))


def merge_into(t: Target, matched: object, not_matched: str) -> Command:
    """Explain `$merge` into the target in one of its modes."""
    stage = {"into": t.collection, "whenMatched": matched, "whenNotMatched": not_matched}
    return explained(through(t, {"$merge": stage}))


def map_reduce(t: Target, source: str, out: Command) -> Command:
    """Explain mapReduce."""
    script = "function() {}"
    return explained({"mapReduce": source, "map": script, "reduce": script, "out": out, "query": by_id(t)})


def look_up(t: Target) -> Command:
    """Join the target."""
    return {"$lookup": {"from": t.collection, "localField": "_id", "foreignField": "_id", "as": "joined"}}


def graph_look_up(t: Target) -> Command:
    """Walk the target as a graph."""
    walk = {"startWith": "$_id", "connectFromField": "_id", "connectToField": "_id", "maxDepth": 0}
    return {"$graphLookup": {"from": t.collection, "as": "joined", **walk}}


def union_with(t: Target) -> Command:
    """Add the target's documents."""
    return {"$unionWith": {"coll": t.collection, "pipeline": [{"$match": by_id(t)}]}}
