"""Claims that several replays share: what ECS reports, what users receive, what runs afterwards."""

from collections.abc import Iterator

from atlas_access.review import Deployment
from atlas_access.rollout import short
from sandbox.replays.model import Claim
from sandbox.replays.stage import COUPLE, Change, Stage, bound

NEW_READER = "staging/mongodb/app-read-v2"
NEW_REFERENCE = "staging/mongodb/reference-uri-v2"
NEW_WRITER = "staging/mongodb/app-write-v2"
NEW_AUDIT = "staging/mongodb/audit-write"
SCHEMA = "staging/mongodb/admin-schema"
DATABASE_ERROR = 'HTTP 500 {"error": "database error"}'
OK = "HTTP 200"
JOINED = "HTTP 201"
NOT_ROLLED_OUT = "no gate is needed: nothing of it gets as far as a rollout"


def ecs_content(stage: Stage, revision: str) -> Claim:
    """ECS is content with a revision: complete, every task running, every health check green."""
    return Claim("ECS says complete, every health check green", f"{revision} 2/2", stage.runs())


def plans(stage: Stage, expected: str = OK) -> Claim:
    """The question of gate 2."""
    return Claim("POST /api/plans", expected, str(stage.ask("/api/plans", COUPLE)))


def signs_up(stage: Stage, address: str, expected: str) -> Claim:
    """The question of gate 8."""
    return Claim("POST /api/agent-waitlist (asked by gate 8)", expected, str(stage.sign_up(address)))


def log(stage: Stage, path: str, why: str) -> Claim:
    """The application's own line in CloudWatch."""
    line = f"ERROR POST {path} 500: {why}"
    return Claim("log", line, stage.log_line(f"POST {path} 500"))


def home_runs(stage: Stage) -> Iterator[Claim]:
    """The revision from before anybody touched anything serves, whole."""
    stage.settled()
    yield Claim("runs afterwards", f"{short(stage.home)} 2/2", stage.runs())


def new_credentials(stage: Stage, *, writer: bool = True) -> tuple[Change, ...]:
    """The new secrets bound by hand: by their names' ARNs, pinned to no version."""
    names = {"MONGODB_URI": NEW_READER, "MONGODB_REFERENCE_URI": NEW_REFERENCE}
    names |= {"MONGODB_WRITE_URI": NEW_WRITER} if writer else {}
    return tuple(bound(variable, stage.secret_arn(name)) for variable, name in names.items())


def version_bound(stage: Stage, variable: str) -> str:
    """The secret's version that the running revision pins for a variable; "" when it pins none."""
    running = stage.service()["taskDefinition"]
    definition = stage.ecs.describe_task_definition(taskDefinition=running)["taskDefinition"]
    secrets = definition["containerDefinitions"][0]["secrets"]
    reference = next((each["valueFrom"] for each in secrets if each["name"] == variable), "")
    return str(reference).rpartition(":::")[2] if ":::" in str(reference) else ""


def went(stage: Stage, done: Deployment) -> Iterator[Claim]:
    """An update that should succeed: it does, and what it brought serves, whole."""
    why = " ".join(done.failure.split()) or "done"
    revision = done.swap.after if done.swap else "no revision of the update's"
    yield Claim("an update", "done", why)
    yield Claim("runs afterwards", f"{revision} 2/2", stage.runs())
