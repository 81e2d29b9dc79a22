"""ENG-279: the new code reads four variables, but the task has three; only a sign-up fails."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.replays.common import DATABASE_ERROR, ecs_content, home_runs, log, new_credentials, plans
from sandbox.replays.eng_272 import VARIABLES
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay
from sandbox.replays.product import check_env, refused
from sandbox.replays.stage import Stage, image

MISSED = {
    "    MONGODB_WRITE_URI: {user: app_write}\n    MONGODB_AUDIT_WRITE_URI: {user: app_audit_writer}\n  schema_task:": (
        "    MONGODB_AUDIT_WRITE_URI: {user: app_audit_writer}\n  schema_task:"
    ),
    # The manifest asks for it: without the binding this waiver permits nothing any more.
    """  W2:
    user: app_write
    on: database
    permits: [CREATE_INDEX, DROP_INDEX]
    adr: ADR 0006
    reason: readWrite includes index management on every collection, which ADR 0006 describes as held apart.
""": "",
}


def happens(stage: Stage) -> Iterator[Claim]:
    """Three of the four by hand."""
    revision = stage.deploy(image("current"), *new_credentials(stage, writer=False))
    yield ecs_content(stage, revision)
    yield plans(stage)
    yield Claim(
        "POST /api/agent-waitlist (asked by gate 8)", DATABASE_ERROR, str(stage.sign_up("missed@example.com"))
    )
    yield log(stage, "/api/agent-waitlist", "MONGODB_WRITE_URI is not set")


def catches(stage: Stage) -> Iterator[Caught]:
    """Missed in the manifest, and missed in the developer's file, which is where it was found then."""
    stage.put_back()
    yield from refused(stage, "access.yaml", MISSED)
    with TemporaryDirectory(prefix="replay-") as folder:
        file = Path(folder, ".env.local")
        file.touch(mode=0o600)
        names = {**VARIABLES, "MONGODB_URI": "staging/mongodb/app-read-v2"}
        del names["MONGODB_WRITE_URI"]
        lines = [f"{variable}={stage.secret_value(name)}" for variable, name in names.items()]
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")
        yield from check_env(stage, file)


REPLAY = Replay(
    name="eng-279",
    title="a binding is missed: the code reads MONGODB_WRITE_URI, the task has none",
    happens=happens,
    catches=catches,
    expected=(
        Catch(Catcher.POLICY, "four-runtime-bindings"),
        Catch(Catcher.ENV_CHECK, "local-file"),
    ),
    afterwards=home_runs,
    unasked="no gate is needed: nothing of it gets as far as a rollout",
)
