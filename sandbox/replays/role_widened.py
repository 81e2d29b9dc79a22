"""A role is widened in Atlas after its proof: the audit writer may change entries. Users notice nothing."""

from collections.abc import Iterator
from functools import partial

from sandbox.replays.by_hand import set_actions
from sandbox.replays.common import NEW_AUDIT, OK, home_runs, plans
from sandbox.replays.messages import caught_by
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay
from sandbox.replays.product import UNGATED, drift, update
from sandbox.replays.stage import Stage, bound

ROLE, LOG = "role_audit_writer", "agent_audit_log"
CHANGES_AN_ENTRY = (
    "import os, pymongo; log = pymongo.MongoClient(os.environ['MONGODB_AUDIT_WRITE_URI']).askflorence.agent_audit_log;"
    "made = log.insert_one({'replay': True, 'who': 'them'}).inserted_id;"
    "print(log.update_one({'_id': made}, {'$set': {'who': 'another'}}).modified_count, 'entry changed')"
)


def happens(stage: Stage) -> Iterator[Claim]:
    """Widened, bound by hand, and used by a task of the service's own."""
    stage.later(partial(set_actions, stage, ROLE, LOG, ("FIND", "INSERT")))
    set_actions(stage, ROLE, LOG, ("FIND", "INSERT", "UPDATE"))
    revision = stage.register(bound("MONGODB_AUDIT_WRITE_URI", stage.secret_arn(NEW_AUDIT)))
    _, said = stage.run_task(revision, CHANGES_AN_ENTRY)
    yield Claim("a task with MONGODB_AUDIT_WRITE_URI, on the append-only log", "1 entry changed", said)
    yield plans(stage, OK)


def catches(stage: Stage) -> Iterator[Caught]:
    """The stack's state still says proven: the rollout proves again, right before it swaps."""
    yield from caught_by(update(stage, "bind", UNGATED))
    yield from drift(stage, "provision")


REPLAY = Replay(
    name="role-widened",
    title="a role is widened in Atlas after its proof",
    happens=happens,
    catches=catches,
    expected=(
        Catch(Catcher.PREFLIGHT, "app_audit_writer refuted"),
        Catch(Catcher.DRIFT, "extra action"),
    ),
    afterwards=home_runs,
    unasked="the rollout is begun without them, for speed: the pre-flight is what this is about",
)
