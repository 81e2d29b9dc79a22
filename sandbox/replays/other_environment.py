"""A secret holds the other environment's credential: staging's writer writes into prod without an error."""

from collections.abc import Iterator

from sandbox.replays.common import JOINED, NEW_WRITER, ecs_content, new_credentials, went
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay
from sandbox.replays.product import UNGATED, prove, stored_values, update
from sandbox.replays.stage import Stage, image

PRODS = "prod/mongodb/app-write"


def happens(stage: Stage) -> Iterator[Claim]:
    """Prod's connection string in staging's secret, bound by its name as tasks were bound so far."""
    store = stage.aws("secretsmanager")
    before = store.describe_secret(SecretId=NEW_WRITER)["VersionIdsToStages"]
    proven = next(version for version, stages in before.items() if "AWSCURRENT" in stages)
    wrong = store.put_secret_value(SecretId=NEW_WRITER, SecretString=stage.secret_value(PRODS, "prod"))
    stage.later(
        lambda: store.update_secret_version_stage(
            SecretId=NEW_WRITER,
            VersionStage="AWSCURRENT",
            MoveToVersionId=proven,
            RemoveFromVersionId=wrong["VersionId"],
        )
    )
    revision = stage.deploy(image("current"), *new_credentials(stage))
    yield ecs_content(stage, revision)
    address = "strayed@example.com"
    yield Claim("POST /api/agent-waitlist (asked by gate 8)", JOINED, str(stage.sign_up(address)))
    where = f"{stage.rows(address, 'staging')} in staging, {stage.rows(address, 'prod')} in prod"
    yield Claim("the sign-up's rows (gate 8 would miss its row)", "0 in staging, 1 in prod", where)


def catches(stage: Stage) -> Iterator[Caught]:
    """By the stored value, without a rollout."""
    stage.put_back()
    yield from stored_values(stage)
    yield from prove(stage, "app_write")


def afterwards(stage: Stage) -> Iterator[Claim]:
    """A rollout in spite of it: the version that was proven is pinned, so the wrong value reaches no task."""
    stage.settled()
    yield from went(stage, update(stage, "bind", {**UNGATED, "containerImage": stage.image_of("current")}))
    address = "arrived@example.com"
    yield Claim("POST /api/agent-waitlist", JOINED, str(stage.sign_up(address)))
    where = f"{stage.rows(address, 'staging')} in staging, {stage.rows(address, 'prod')} in prod"
    yield Claim("the sign-up's rows", "1 in staging, 0 in prod", where)


REPLAY = Replay(
    name="other-environment",
    title="a secret holds the value of the other environment",
    happens=happens,
    catches=catches,
    expected=(
        Catch(Catcher.NIGHT_GUARD, "validate-secrets"),
        Catch(Catcher.NIGHT_PROOF, "app_write refuted"),
    ),
    afterwards=afterwards,
    unasked="the update that shows the pinned version runs without gates, for speed",
)
