"""ENG-271: without the reference variable the code falls back to a reader that lacks FIND.

Users got HTTP 500 from the provider and drug checks while every health check stayed green.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.replays.common import DATABASE_ERROR, ecs_content, home_runs, log, plans
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay
from sandbox.replays.product import failing_gates, guard, refused
from sandbox.replays.stage import Stage, unbound

NARROWED = {
    "  service:\n    MONGODB_URI: {user: app_read}": "  service:\n    MONGODB_URI: {user: app_audit_writer}"
}
UNREFERENCED = {
    """    MONGODB_REFERENCE_URI:
      user: app_read
      secret: "{env}/mongodb/reference-uri-v2"
      prod: {cluster: staging, address: private}
""": ""
}
FALLS_BACK = """export function getReferenceDb() {
  return connect(process.env.MONGODB_REFERENCE_URI ?? process.env.MONGODB_URI);
}
"""


def happens(stage: Stage) -> Iterator[Claim]:
    """The legacy reader has no FIND on providers_staging and formularies_staging."""
    offered = stage.plan_ids()
    revision = stage.deploy(unbound("MONGODB_REFERENCE_URI"))
    yield ecs_content(stage, revision)
    yield plans(stage)
    yield Claim("POST /api/providers/covered", DATABASE_ERROR, str(stage.providers(offered)))
    yield log(stage, "/api/providers/covered", "not authorized (find providers_staging, code 13)")
    yield Claim("gates that would fail", "gate 3, gate 4, gate 5", ", ".join(failing_gates(stage)))


def catches(stage: Stage) -> Iterator[Caught]:
    """The code that falls back, the narrowed user and the missing variable: each by a catcher of its own."""
    stage.put_back()
    with TemporaryDirectory(prefix="replay-") as folder:
        Path(folder, "db.ts").write_text(FALLS_BACK, encoding="utf-8")
        yield from guard(stage, "silent-fall-back", Path(folder))
    yield from refused(stage, "access.yaml", NARROWED)
    yield from refused(stage, "access.yaml", UNREFERENCED)


REPLAY = Replay(
    name="eng-271",
    title="the reference variable is gone and the code falls back to a user without FIND",
    happens=happens,
    catches=catches,
    expected=(
        Catch(Catcher.GUARD, "silent-fall-back"),
        Catch(Catcher.MANIFEST, "bindings.local.MONGODB_URI"),
        Catch(Catcher.POLICY, "reference-uri-explicit"),
    ),
    afterwards=home_runs,
    unasked="no gate is needed: nothing of it gets as far as a rollout",
)
