"""ENG-272: the deployed service was fixed, but the developer's env file still names the cross-cluster reader."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.replays.common import DATABASE_ERROR, home_runs, plans
from sandbox.replays.local_copy import running_from
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay
from sandbox.replays.product import check_env
from sandbox.replays.stage import COUPLE, Stage

READER = "staging/mongodb/reference-uri"
VARIABLES = {
    "MONGODB_URI": READER,
    "MONGODB_REFERENCE_URI": "staging/mongodb/reference-uri-v2",
    "MONGODB_WRITE_URI": "staging/mongodb/app-write-v2",
    "MONGODB_AUDIT_WRITE_URI": "staging/mongodb/audit-write",
}
"""The file: three variables as they should be, the first one the cross-cluster reader's."""


def written(stage: Stage, folder: str) -> Path:
    """The forgotten file, for its owner alone."""
    file = Path(folder, ".env.local")
    file.touch(mode=0o600)
    lines = [f"{variable}={stage.secret_value(name)}" for variable, name in VARIABLES.items()]
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return file


def happens(stage: Stage) -> Iterator[Claim]:
    """The reader of the reference collections has no FIND on zip_county."""
    with (
        TemporaryDirectory(prefix="replay-") as folder,
        running_from(stage, written(stage, folder), "current") as copy,
    ):
        yield plans(stage)
        yield Claim(
            "POST /api/plans on the developer's machine", DATABASE_ERROR, str(copy.ask("/api/plans", COUPLE))
        )
        line = "ERROR POST /api/plans 500: not authorized (find zip_county, code 13)"
        yield Claim("its output", line, copy.line("/api/plans 500"))


def catches(stage: Stage) -> Iterator[Caught]:
    """The file is judged by itself: no network, no value shown."""
    with TemporaryDirectory(prefix="replay-") as folder:
        yield from check_env(stage, written(stage, folder))


REPLAY = Replay(
    name="eng-272",
    title="a developer's env file is bound to the cross-cluster reader",
    happens=happens,
    catches=catches,
    expected=(Catch(Catcher.ENV_CHECK, "local-file"),),
    afterwards=home_runs,
    unasked="no gate can see it: it is not deployed",
)
