"""Credentials changed by hand: a wider role, the other environment's value, a foreign key, the schema secret."""

from collections.abc import Iterator
from functools import partial

from atlas_access.rollout import short
from sandbox.replays.by_hand import let_runtime_read, set_actions
from sandbox.replays.common import (
    JOINED,
    NEW_AUDIT,
    NEW_READER,
    NEW_WRITER,
    NOT_ROLLED_OUT,
    SCHEMA,
    ecs_content,
    home_runs,
    new_credentials,
    plans,
    signs_up,
    went,
)
from sandbox.replays.messages import caught_by
from sandbox.replays.model import Catch, Catcher, Caught, Claim, Replay
from sandbox.replays.product import UNGATED, drift, guarded, prove, refused, update
from sandbox.replays.stage import Stage, bound, image

ROLE, LOG = "role_audit_writer", "agent_audit_log"
CHANGES_AN_ENTRY = (
    "import os, pymongo; log = pymongo.MongoClient(os.environ['MONGODB_AUDIT_WRITE_URI']).askflorence.agent_audit_log;"
    "made = log.insert_one({'replay': True, 'who': 'them'}).inserted_id;"
    "print(log.update_one({'_id': made}, {'$set': {'who': 'another'}}).modified_count, 'entry changed')"
)


def _role_widened_happens(stage: Stage) -> Iterator[Claim]:
    """A role is widened in Atlas after its proof: the audit writer may change entries. Users notice nothing."""
    stage.later(partial(set_actions, stage, ROLE, LOG, ("FIND", "INSERT")))
    set_actions(stage, ROLE, LOG, ("FIND", "INSERT", "UPDATE"))
    revision = stage.register(bound("MONGODB_AUDIT_WRITE_URI", stage.secret_arn(NEW_AUDIT)))
    _, said = stage.run_task(revision, CHANGES_AN_ENTRY)
    yield Claim("a task with MONGODB_AUDIT_WRITE_URI, on the append-only log", "1 entry changed", said)
    yield plans(stage)


def _before_the_swap(stage: Stage) -> Iterator[Caught]:
    """The state still says proven, and a proof does not read as the execution role: the pre-flight asks both anew."""
    yield from caught_by(update(stage, "bind", UNGATED))
    yield from drift(stage, "provision")


ROLE_WIDENED = Replay(
    name="role-widened",
    title="a role is widened in Atlas after its proof",
    happens=_role_widened_happens,
    catches=_before_the_swap,
    expected=(Catch(Catcher.PREFLIGHT, "app_audit_writer refuted"), Catch(Catcher.DRIFT, "extra action")),
    afterwards=home_runs,
    unasked="the rollout is begun without them, for speed: the pre-flight is what this is about",
)


def _other_environment_happens(stage: Stage) -> Iterator[Claim]:
    """A secret holds the other environment's credential: staging's writer writes into prod without an error."""
    store = stage.aws("secretsmanager")
    before = store.describe_secret(SecretId=NEW_WRITER)["VersionIdsToStages"]
    proven = next(version for version, stages in before.items() if "AWSCURRENT" in stages)
    wrong = store.put_secret_value(
        SecretId=NEW_WRITER, SecretString=stage.secret_value("prod/mongodb/app-write", "prod")
    )
    back = {"MoveToVersionId": proven, "RemoveFromVersionId": wrong["VersionId"]}
    stage.later(
        lambda: store.update_secret_version_stage(SecretId=NEW_WRITER, VersionStage="AWSCURRENT", **back)
    )
    revision = stage.deploy(image("current"), *new_credentials(stage))
    yield ecs_content(stage, revision)
    yield signs_up(stage, "strayed@example.com", JOINED)
    where = _rows(stage, "strayed@example.com")
    yield Claim("the sign-up's rows (gate 8 would miss its row)", "0 in staging, 1 in prod", where)


def _rows(stage: Stage, address: str) -> str:
    return f"{stage.rows(address, 'staging')} in staging, {stage.rows(address, 'prod')} in prod"


def _other_environment_catches(stage: Stage) -> Iterator[Caught]:
    """By the stored value, without a rollout."""
    stage.put_back()
    yield from guarded(stage, Catcher.NIGHT_GUARD, "guard", "validate-secrets", "--stack", stage.stack)
    yield from prove(stage, "app_write")


def _other_environment_afterwards(stage: Stage) -> Iterator[Claim]:
    """A rollout in spite of it: the version that was proven is pinned, so the wrong value reaches no task."""
    stage.settled()
    yield from went(stage, update(stage, "bind", {**UNGATED, "containerImage": stage.image_of("current")}))
    yield signs_up(stage, "arrived@example.com", JOINED)
    yield Claim("the sign-up's rows", "1 in staging, 0 in prod", _rows(stage, "arrived@example.com"))


OTHER_ENVIRONMENT = Replay(
    name="other-environment",
    title="a secret holds the value of the other environment",
    happens=_other_environment_happens,
    catches=_other_environment_catches,
    expected=(
        Catch(Catcher.NIGHT_GUARD, "validate-secrets"),
        Catch(Catcher.NIGHT_PROOF, "app_write refuted"),
    ),
    afterwards=_other_environment_afterwards,
    unasked="the update that shows the pinned version runs without gates, for speed",
)


def _wrong_key_happens(stage: Stage) -> Iterator[Claim]:
    """A secret is encrypted with a key that the execution role cannot use: new tasks never start.

    ECS's circuit breaker restores the old revision silently, and the deployment reads "completed".
    """
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


WRONG_KEY = Replay(
    name="wrong-key",
    title="a secret is encrypted with a key that tasks cannot use",
    happens=_wrong_key_happens,
    catches=_before_the_swap,
    expected=(
        Catch(Catcher.PREFLIGHT, "execution role cannot decrypt"),
        Catch(Catcher.DRIFT, "secret under another key"),
    ),
    afterwards=home_runs,
    unasked="the rollout is begun without them, for speed: the pre-flight is what this is about",
)


BOUND = {
    "    MONGODB_AUDIT_WRITE_URI: {user: app_audit_writer}\n  schema_task:": (
        "    MONGODB_AUDIT_WRITE_URI: {user: app_audit_writer}\n"
        "    MONGODB_URI_ADMIN_SCHEMA: {user: app_admin_schema}\n  schema_task:"
    )
}
PAST_THE_MANIFEST = {
    "\n\nmain()\n": """

from dataclasses import replace

from atlas_access.manifest.records import (Consumer)

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


def _schema_on_runtime_happens(stage: Stage) -> Iterator[Claim]:
    """The schema secret is bound to the runtime service: every task could drop an index. Users notice nothing."""
    secret = stage.secret_arn(SCHEMA)
    let_runtime_read(stage, secret)
    revision = stage.deploy(bound("MONGODB_URI_ADMIN_SCHEMA", secret))
    yield ecs_content(stage, revision)
    _, said = stage.run_task(revision, DROPS_AN_INDEX)
    yield Claim("a task of the running revision", "an index dropped", said)
    yield plans(stage)


def _schema_on_runtime_catches(stage: Stage) -> Iterator[Caught]:
    """In the manifest, and, past the manifest, in what the program would make."""
    stage.put_back()
    yield from refused(stage, "access.yaml", BOUND)
    yield from refused(stage, "__main__.py", PAST_THE_MANIFEST)


SCHEMA_ON_RUNTIME = Replay(
    name="schema-on-runtime",
    title="the schema secret is bound to the runtime service",
    happens=_schema_on_runtime_happens,
    catches=_schema_on_runtime_catches,
    expected=(
        Catch(Catcher.MANIFEST, "bindings.service.MONGODB_URI_ADMIN_SCHEMA"),
        Catch(Catcher.POLICY, "bindings-by-law"),
    ),
    afterwards=home_runs,
    unasked=NOT_ROLLED_OUT,
)
