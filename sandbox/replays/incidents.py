"""The three incidents that this project answers: ENG-271, ENG-272 and ENG-279."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.replays.local_copy import running_from
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay
from sandbox.replays.product import failing_gates, guarded, refused
from sandbox.replays.stage import COUPLE, Change, Stage, bound, image, unbound
from sandbox.world import SandboxError

NEW_READER = "staging/mongodb/app-read-v2"
NEW_REFERENCE = "staging/mongodb/reference-uri-v2"
NEW_WRITER = "staging/mongodb/app-write-v2"
NEW_AUDIT = "staging/mongodb/audit-write"
DATABASE_ERROR = 'HTTP 500 {"error": "database error"}'
NOT_ROLLED_OUT = "no gate is needed: nothing of it gets as far as a rollout"

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


def ecs_content(stage: Stage, revision: str) -> Claim:
    """ECS is content with a revision: complete, every task running, every health check green."""
    return Claim("ECS says complete, every health check green", f"{revision} 2/2", stage.runs())


def plans(stage: Stage) -> Claim:
    """The question of gate 2."""
    return Claim("POST /api/plans", "HTTP 200", str(stage.ask("/api/plans", COUPLE)))


def log(stage: Stage, path: str, why: str) -> Claim:
    """The application's own line in CloudWatch."""
    return Claim("log", f"ERROR POST {path} 500: {why}", stage.log_line(f"POST {path} 500"))


def _eng_271_happens(stage: Stage) -> Iterator[Claim]:
    """ENG-271: without the reference variable the code falls back to a reader that lacks FIND.

    Users got HTTP 500 from the provider and drug checks while every health check stayed green.
    """
    offered = stage.plan_ids()
    revision = stage.deploy(unbound("MONGODB_REFERENCE_URI"))
    yield ecs_content(stage, revision)
    yield plans(stage)
    yield Claim("POST /api/providers/covered", DATABASE_ERROR, str(stage.providers(offered)))
    yield log(stage, "/api/providers/covered", "not authorized (find providers_staging, code 13)")
    yield Claim("gates that would fail", "gate 3, gate 4, gate 5", ", ".join(failing_gates(stage)))


def _eng_271_catches(stage: Stage) -> Iterator[Caught]:
    """The code that falls back, the narrowed user and the missing variable: each by a catcher of its own."""
    with TemporaryDirectory(prefix="replay-") as folder:
        Path(folder, "db.ts").write_text(FALLS_BACK, encoding="utf-8")
        yield from guarded(stage, Catcher.GUARD, "guard", "silent-fall-back", "--source", folder)
    yield from refused(stage, "access.yaml", NARROWED)
    yield from refused(stage, "access.yaml", UNREFERENCED)


ENG_271 = Replay(
    name="eng-271",
    title="the reference variable is gone and the code falls back to a user without FIND",
    happens=_eng_271_happens,
    catches=_eng_271_catches,
    expected=(
        Catch(Catcher.GUARD, "silent-fall-back"),
        Catch(Catcher.MANIFEST, "bindings.local.MONGODB_URI"),
        Catch(Catcher.POLICY, "bindings-by-law"),
    ),
    unasked=NOT_ROLLED_OUT,
)


WRITER = {"MONGODB_WRITE_URI": NEW_WRITER}
OTHERS = {"MONGODB_REFERENCE_URI": NEW_REFERENCE, "MONGODB_AUDIT_WRITE_URI": NEW_AUDIT}


FORGOTTEN = {"MONGODB_URI": "staging/mongodb/reference-uri", **OTHERS, **WRITER}  # the cross-cluster reader's


def _env_file(stage: Stage, folder: str, secrets: Mapping[str, str]) -> Path:
    """A developer's file with these variables' secrets, for its owner alone."""
    file = Path(folder, ".env.local")
    file.touch(mode=0o600)
    lines = [f"{variable}={stage.secret_value(name)}" for variable, name in secrets.items()]
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return file


def _checked(stage: Stage, file: Path) -> tuple[Caught, ...]:
    return guarded(stage, Catcher.ENV_CHECK, "env", "--check", str(file))


def _eng_272_happens(stage: Stage) -> Iterator[Claim]:
    """ENG-272: the deployed service was fixed, but the developer's env file still names the cross-cluster reader."""
    with (
        TemporaryDirectory(prefix="replay-") as folder,
        running_from(stage, _env_file(stage, folder, FORGOTTEN), "current") as copy,
    ):
        yield plans(stage)
        yield Claim(
            "POST /api/plans on the developer's machine", DATABASE_ERROR, str(copy.ask("/api/plans", COUPLE))
        )
        line = "ERROR POST /api/plans 500: not authorized (find zip_county, code 13)"
        yield Claim("its output", line, copy.line("/api/plans 500"))


def _eng_272_catches(stage: Stage) -> Iterator[Caught]:
    """The file is judged by itself: no network, no value shown."""
    with TemporaryDirectory(prefix="replay-") as folder:
        yield from _checked(stage, _env_file(stage, folder, FORGOTTEN))


ENG_272 = Replay(
    name="eng-272",
    title="a developer's env file is bound to the cross-cluster reader",
    happens=_eng_272_happens,
    catches=_eng_272_catches,
    expected=(Catch(Catcher.ENV_CHECK, "local-file"),),
    unasked="no gate can see it: it is not deployed",
)


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


def _three_credentials(stage: Stage) -> tuple[Change, ...]:
    """New secrets bound by hand, by their names' ARNs, pinned to no version; the writer's is forgotten."""
    names = {"MONGODB_URI": NEW_READER, "MONGODB_REFERENCE_URI": NEW_REFERENCE}
    return tuple(bound(variable, stage.secret_arn(name)) for variable, name in names.items())


def _eng_279_happens(stage: Stage) -> Iterator[Claim]:
    """ENG-279: the new code reads four variables, but the task has three; only a sign-up fails."""
    revision = stage.deploy(image("current"), *_three_credentials(stage))
    yield ecs_content(stage, revision)
    yield plans(stage)
    answer = str(stage.sign_up("missed@example.com"))
    yield Claim("POST /api/agent-waitlist (asked by gate 8)", DATABASE_ERROR, answer)
    yield log(stage, "/api/agent-waitlist", "MONGODB_WRITE_URI is not set")


def _eng_279_catches(stage: Stage) -> Iterator[Caught]:
    """Missed in the manifest, and missed in the developer's file, which is where it was found then."""
    yield from refused(stage, "access.yaml", MISSED)
    with TemporaryDirectory(prefix="replay-") as folder:
        yield from _checked(stage, _env_file(stage, folder, {"MONGODB_URI": NEW_READER, **OTHERS}))


ENG_279 = Replay(
    name="eng-279",
    title="a binding is missed: the code reads MONGODB_WRITE_URI, the task has none",
    happens=_eng_279_happens,
    catches=_eng_279_catches,
    expected=(Catch(Catcher.POLICY, "bindings-by-law"), Catch(Catcher.ENV_CHECK, "local-file")),
    unasked=NOT_ROLLED_OUT,
)


REPLAYS = (ENG_271, ENG_272, ENG_279)


def chosen(name: str) -> tuple[Replay, ...]:
    """The replay of that name, or every one for "". Raises `SandboxError` for an unknown name."""
    found = tuple(each for each in REPLAYS if name in ("", each.name))
    if not found:
        known = ", ".join(each.name for each in REPLAYS)
        raise SandboxError(f"there is no replay {name!r}: there are {known}")
    return found
