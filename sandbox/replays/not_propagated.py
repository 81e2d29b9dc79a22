"""Tasks receive a new user before the cluster knows it: Atlas answered "created", and logins fail."""

from collections.abc import Iterator
from secrets import token_hex

from sandbox.replays.by_hand import atlas, let_runtime_read, propagate
from sandbox.replays.common import DATABASE_ERROR, ecs_content, log
from sandbox.replays.messages import caught_by
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay, Start
from sandbox.replays.product import update
from sandbox.replays.stage import COUPLE, Stage, bound

USER, SECRET = "app_read_by_hand", "staging/mongodb/by-hand"
_SLOW, _USUAL = 300.0, 0.2
_DEADLINE = "6"


def happens(stage: Stage) -> Iterator[Claim]:
    """Made and deployed in one go, while Atlas still has it in its queue."""
    stage.later(lambda: propagate(stage, _USUAL))
    propagate(stage, _SLOW)
    password = token_hex(16)
    role = {"roleName": "read", "databaseName": "askflorence"}
    project = stage.world.of(stage.stack).project_id
    user = {"username": USER, "databaseName": "admin", "groupId": project, "password": password}
    atlas(stage, "POST", "databaseUsers", {**user, "roles": [role]})
    address = stage.world.of(stage.stack).mongod.address
    value = f"mongodb://{USER}:{password}@{address}/askflorence?authSource=admin&directConnection=true"
    store = stage.aws("secretsmanager")
    arn = store.create_secret(Name=SECRET, SecretString=value)["ARN"]
    stage.later(lambda: store.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True))
    stage.later(lambda: atlas(stage, "DELETE", f"databaseUsers/admin/{USER}"))
    let_runtime_read(stage, arn)
    revision = stage.deploy(bound("MONGODB_URI", arn))
    yield ecs_content(stage, revision)
    yield Claim("POST /api/plans", DATABASE_ERROR, str(stage.ask("/api/plans", COUPLE)))
    yield log(stage, "/api/plans", "the database refused the login (code 18)")


def catches(stage: Stage) -> Iterator[Caught]:
    """The whole way to bind in one update: the proofs wait, and without an answer nothing after them is touched."""
    stage.put_back()
    stage.settled()
    yield from caught_by(update(stage, "bind", {"proofDeadlineSeconds": _DEADLINE}))


def afterwards(stage: Stage) -> Iterator[Claim]:
    """Nothing was swapped; and after the propagation, the same proofs pass."""
    yield Claim("runs afterwards", f"{stage.family}:7 2/2", stage.runs())
    stage.clear_up()
    propagate(stage, 0)
    propagate(stage, _USUAL)
    done = update(stage, "provision")
    proven = sum(each.verdict == "proven" for each in done.proofs)
    result = f"{proven} of {len(done.proofs)} proven"
    yield Claim("the proofs, after the propagation", "5 of 5 proven", result)


REPLAY = Replay(
    name="not-propagated",
    title="a new user that the cluster does not know yet",
    start=Start.LEGACY,
    happens=happens,
    catches=catches,
    expected=tuple(
        Catch(Catcher.PROOF, f"{user} inconclusive") for user in ("app_read", "app_write", "app_audit_writer")
    ),
    afterwards=afterwards,
    unasked="no gate is reached: the proofs come first",
)
