"""A secret is encrypted with a key that the execution role cannot use: new tasks never start.

ECS's circuit breaker restores the old revision silently, and the deployment reads "completed".
"""

from collections.abc import Iterator

from atlas_access.rollout import short
from sandbox.replays.common import NEW_READER, home_runs
from sandbox.replays.messages import caught_by
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay
from sandbox.replays.product import UNGATED, drift, update
from sandbox.replays.stage import Stage, bound


def happens(stage: Stage) -> Iterator[Claim]:
    """Encrypted anew by hand, with a key of somebody else's, and deployed."""
    store = stage.aws("secretsmanager")
    ours = store.describe_secret(SecretId=NEW_READER)["KmsKeyId"]
    theirs = stage.aws("kms").create_key(Description="somebody else's")["KeyMetadata"]["Arn"]
    stage.later(lambda: store.update_secret(SecretId=NEW_READER, KmsKeyId=ours))
    store.update_secret(SecretId=NEW_READER, KmsKeyId=theirs)
    wanted = stage.deploy(bound("MONGODB_URI", stage.secret_arn(NEW_READER)))
    reason = stage.stop_reason(wanted)
    shown = reason.rpartition(": ")[2] if "ResourceInitializationError" in reason else reason
    yield Claim("why the new tasks stopped", "Access to KMS is not allowed", shown)
    states = ", ".join(each["rolloutState"] for each in stage.service()["deployments"])
    yield Claim("what ECS calls the deployment", "COMPLETED", states)
    yield Claim("who answers users", short(stage.home), stage.answered_by())


def catches(stage: Stage) -> Iterator[Caught]:
    """The proof itself passes: it does not read as the execution role. The pre-flight asks for that role."""
    yield from caught_by(update(stage, "bind", UNGATED))
    yield from drift(stage, "provision")


REPLAY = Replay(
    name="wrong-key",
    title="a secret is encrypted with a key that tasks cannot use",
    happens=happens,
    catches=catches,
    expected=(
        Catch(Catcher.PREFLIGHT, "execution role cannot decrypt"),
        Catch(Catcher.DRIFT, "secret under another key"),
    ),
    afterwards=home_runs,
    unasked="the rollout is begun without them, for speed: the pre-flight is what this is about",
)
