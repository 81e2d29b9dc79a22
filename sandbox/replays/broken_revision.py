"""The application is broken in the new revision only: every answer is HTTP 200, and no plan covers the doctor."""

from collections.abc import Iterator

from sandbox.replays.common import ecs_content, home_runs, new_credentials, plans
from sandbox.replays.messages import caught_by
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay
from sandbox.replays.product import failing_gates, update
from sandbox.replays.stage import Stage, image


def happens(stage: Stage) -> Iterator[Claim]:
    """Deployed by hand: no error, no line in the log, a wrong answer."""
    offered = stage.plan_ids()
    revision = stage.deploy(image("broken"), *new_credentials(stage))
    yield ecs_content(stage, revision)
    yield plans(stage)
    answer = stage.providers(offered)
    covered = sum(bool(each["covered"]) for each in answer.body.get("plans", ()))
    yield Claim(
        "POST /api/providers/covered",
        f"HTTP 200, covered on 0 of {len(offered)} plans",
        f"{answer}, covered on {covered} of {len(offered)} plans",
    )
    yield Claim("error lines in the log", "none", stage.log_line("ERROR", 0.5) or "none")
    yield Claim("gates that would fail", "gate 3", ", ".join(failing_gates(stage)))


def catches(stage: Stage) -> Iterator[Caught]:
    """All eight gates before the swap, and on the new revision until one fails."""
    stage.put_back()
    stage.settled()
    yield from caught_by(update(stage, "bind", {"containerImage": stage.image_of("broken")}))


REPLAY = Replay(
    name="broken-revision",
    title="the application is broken on the new revision only",
    happens=happens,
    catches=catches,
    expected=(Catch(Catcher.GATE, "gate 3"),),
    afterwards=home_runs,
    gated=True,
)
