"""The schema secret is bound to the runtime service: every task could drop an index. Users notice nothing."""

from collections.abc import Iterator

from sandbox.replays.by_hand import let_runtime_read
from sandbox.replays.common import SCHEMA, ecs_content, home_runs, plans
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay
from sandbox.replays.product import refused
from sandbox.replays.stage import Stage, bound

BOUND = {
    "    MONGODB_AUDIT_WRITE_URI: {user: app_audit_writer}\n  schema_task:": (
        "    MONGODB_AUDIT_WRITE_URI: {user: app_audit_writer}\n"
        "    MONGODB_URI_ADMIN_SCHEMA: {user: app_admin_schema}\n  schema_task:"
    )
}
PAST_THE_MANIFEST = {
    "\n\nmain()\n": """

from dataclasses import replace

from atlas_access.manifest.model import Consumer

_args = ServiceAccess._binding_args


def _with_schema(self, consumer):
    args = _args(self, consumer)
    if consumer is not Consumer.SERVICE:
        return args
    return replace(args, secrets=[*args.secrets, *_args(self, Consumer.SCHEMA_TASK).secrets])


ServiceAccess._binding_args = _with_schema
main()
"""
}
"""A defect of the program's own: what the manifest says is right, what the program makes of it is not."""
DROPS_AN_INDEX = (
    "import os, pymongo; rows = pymongo.MongoClient(os.environ['MONGODB_URI_ADMIN_SCHEMA'])"
    ".askflorence.agent_survey_responses; rows.create_index([('replay', 1)], name='replay');"
    "rows.drop_index('replay'); print('an index dropped')"
)


def happens(stage: Stage) -> Iterator[Claim]:
    """Granted and bound by hand; a task of the service's own revision uses it."""
    secret = stage.secret_arn(SCHEMA)
    let_runtime_read(stage, secret)
    revision = stage.deploy(bound("MONGODB_URI_ADMIN_SCHEMA", secret))
    yield ecs_content(stage, revision)
    _, said = stage.run_task(revision, DROPS_AN_INDEX)
    yield Claim("a task of the running revision", "an index dropped", said)
    yield plans(stage)


def catches(stage: Stage) -> Iterator[Caught]:
    """In the manifest, and, past the manifest, in what the program would make."""
    stage.put_back()
    yield from refused(stage, "access.yaml", BOUND)
    yield from refused(stage, "__main__.py", PAST_THE_MANIFEST)


REPLAY = Replay(
    name="schema-on-runtime",
    title="the schema secret is bound to the runtime service",
    happens=happens,
    catches=catches,
    expected=(
        Catch(Catcher.MANIFEST, "bindings.service.MONGODB_URI_ADMIN_SCHEMA"),
        Catch(Catcher.POLICY, "admin-schema-only-in-run-task"),
    ),
    afterwards=home_runs,
    unasked="no gate is needed: nothing of it gets as far as a rollout",
)
