"""Terraform or the application's pipeline registers the old bindings again: tasks are healthy, every sign-up fails."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.replays.common import (
    DATABASE_ERROR,
    JOINED,
    ecs_content,
    log,
    plans,
    signs_up,
    version_bound,
    went,
)
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay, Start
from sandbox.replays.product import UNGATED, drift, guarded, update
from sandbox.replays.stage import Stage, image

OWNED = """resource "aws_ecs_service" "app" {
  name            = "askflorence-staging-app"
  cluster         = "askflorence-staging"
  task_definition = aws_ecs_task_definition.app.arn
  desired_count   = 2
}

resource "aws_ecs_task_definition" "app" {
  family                = "askflorence-staging-app"
  container_definitions = jsonencode([{ name = "app", image = var.image, secrets = local.secrets }])
}
"""


def happens(stage: Stage) -> Iterator[Claim]:
    """The old template with the newest image, deployed past us."""
    revision = stage.deploy(image("current"))
    yield ecs_content(stage, revision)
    yield plans(stage)
    yield signs_up(stage, "back@example.com", DATABASE_ERROR)
    yield log(stage, "/api/agent-waitlist", "MONGODB_WRITE_URI is not set")


def catches(stage: Stage) -> Iterator[Caught]:
    """In the Terraform files before it happens, on the live service the same night."""
    with TemporaryDirectory(prefix="replay-") as folder:
        Path(folder, "ecs.tf").write_text(OWNED, encoding="utf-8")
        yield from guarded(
            stage, Catcher.GUARD, "guard", "terraform-ownership", "--source", folder, "--stack", stage.stack
        )
    yield from drift(stage, "bind")


def afterwards(stage: Stage) -> Iterator[Claim]:
    """The next update binds what it finds running anew: the new image, on the proven credentials."""
    yield from went(stage, update(stage, "bind", UNGATED))
    pinned = bool(version_bound(stage, "MONGODB_WRITE_URI"))
    yield Claim("MONGODB_WRITE_URI pinned to a version", "yes", "yes" if pinned else "no")
    yield signs_up(stage, "repaired@example.com", JOINED)


REPLAY = Replay(
    name="legacy-back",
    title="a Terraform apply or an application's deploy brings legacy bindings back",
    start=Start.BOUND,
    happens=happens,
    catches=catches,
    expected=(
        Catch(Catcher.GUARD, "terraform-ownership"),
        Catch(Catcher.DRIFT, "legacy binding"),
        Catch(Catcher.DRIFT, "missing binding"),
    ),
    afterwards=afterwards,
    ends=Start.BOUND,
    unasked="the update that corrects it runs without gates, for speed",
)
