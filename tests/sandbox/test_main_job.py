"""The main job, end to end, on real servers: staging then prod, provision then bind, by the embedded engine."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from world_fixture import ROOT, UNGATED, deployed, refused_logins, run_command, sandbox

from atlas_access.base.clock import advance
from atlas_access.base.connection import ConnectionString
from atlas_access.base.task_definition import secret_references
from atlas_access.manifest.load import load_manifest
from atlas_access.manifest.privileges import declared_privileges
from atlas_access.review.deployment import Deployment, Operation, Progress
from sandbox.aws.clients import client_of
from sandbox.world import World

MANIFEST = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
RUNTIME = {"MONGODB_URI", "MONGODB_REFERENCE_URI", "MONGODB_WRITE_URI", "MONGODB_AUDIT_WRITE_URI"}
SOAK_SECONDS = 31 * 60
ALIASES = {each.name for each in MANIFEST.deprecated_variables}


@dataclass
class MainJob:
    """Everything that a person or a log was shown while the job ran."""

    world: World
    runs: dict[str, Deployment]
    progress: list[Progress]

    def run(self, stack: str, phase: str, **order: Any) -> Deployment:
        events = self.world.directory / f"{stack}-{phase}-events.jsonl"
        order["settings"] = {**UNGATED, **order.get("settings", {})}
        return deployed(self.world, stack, phase, say=self.progress.append, events=events, **order)

    def aws(self, service: str, stack: str) -> Any:
        return client_of(self.world, stack, service)

    def connection(self, stack: str, secret: str) -> ConnectionString:
        value = self.aws("secretsmanager", stack).get_secret_value(SecretId=secret)["SecretString"]
        return ConnectionString.parse(value)

    def running(self, stack: str) -> dict[str, Any]:
        ecs = self.aws("ecs", stack)
        found = ecs.describe_services(cluster=f"askflorence-{stack}", services=[f"askflorence-{stack}-app"])
        revision = found["services"][0]["taskDefinition"]
        return ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainJob]:
    """The sandbox after the whole job: both stacks through provision and bind, staging first as prod reads it."""
    with sandbox(tmp_path_factory.mktemp("world"), propagation_seconds=0.2) as world:
        job = MainJob(world, {}, [])
        for stack in ("staging", "prod"):
            for phase in ("provision", "bind"):
                job.runs[f"{stack} {phase}"] = job.run(stack, phase)
            advance(world.directory, SOAK_SECONDS)
        yield job


def test_every_step_of_the_job_succeeds(job: MainJob) -> None:
    assert {name: run.failure for name, run in job.runs.items()} == dict.fromkeys(job.runs, "")


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_every_secret_version_is_proven(job: MainJob, stack: str) -> None:
    """Five secrets a stack: four users, and the reference connection."""
    proofs = job.runs[f"{stack} bind"].proofs
    assert [(proof.verdict, proof.inconclusive, proof.residue) for proof in proofs] == [("proven", 0, 0)] * 5


@pytest.mark.parametrize("stack", ["staging", "prod"])
@pytest.mark.parametrize("user", [user.name for user in MANIFEST.users])
def test_each_of_eight_users_has_exactly_its_declared_privileges(job: MainJob, stack: str, user: str) -> None:
    secret = MANIFEST.user(user).secret_name(stack)
    connection = job.connection(stack, secret)
    with MongoClient(connection.reveal(), serverSelectionTimeoutMS=5000) as client:
        status = client.admin.command("connectionStatus", showPrivileges=True)["authInfo"]
    held = {
        (entry["resource"].get("db"), entry["resource"].get("collection"), action)
        for entry in status["authenticatedUserPrivileges"]
        for action in entry["actions"]
    }
    declared = {
        (each.database, each.collection, each.action)
        for each in declared_privileges(MANIFEST, MANIFEST.user(user), "6.0.5")
    }
    assert held == declared
    assert [role["role"] for role in status["authenticatedUserRoles"]] == [MANIFEST.user(user).role.name]


def test_prods_reference_names_stagings_private_address(job: MainJob) -> None:
    """Staging's app_read, never by the public address."""
    connection = job.connection("prod", "prod/mongodb/reference-uri-v2")
    assert (connection.username, connection.hosts) == ("app_read", (job.world.private_address,))


def test_stagings_reference_names_its_own_cluster(job: MainJob) -> None:
    """A secret of its own, although the user is the reader's."""
    reference = job.connection("staging", "staging/mongodb/reference-uri-v2")
    assert reference.hosts == job.connection("staging", "staging/mongodb/app-read-v2").hosts


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_running_revision_binds_four_variables_and_only_known_aliases(job: MainJob, stack: str) -> None:
    references = secret_references(job.running(stack), "app")
    assert {name for name in references if name.startswith("MONGODB")} - ALIASES == RUNTIME
    assert all(re.search(r":::[0-9a-fA-F-]{32,36}$", references[name]) for name in RUNTIME)


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_no_alias_reads_a_legacy_secret_any_more(job: MainJob, stack: str) -> None:
    references = secret_references(job.running(stack), "app")
    successors = {each.name: each.successor for each in MANIFEST.deprecated_variables}
    aliases = {name: references[name] for name in references if name in ALIASES}
    assert aliases == {name: references[successors[name]] for name in aliases}


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_schema_family_binds_its_one_variable(job: MainJob, stack: str) -> None:
    definition = job.aws("ecs", stack).describe_task_definition(taskDefinition=f"askflorence-{stack}-schema")
    bound = [name for name in secret_references(definition["taskDefinition"]) if name.startswith("MONGODB")]
    assert bound == ["MONGODB_URI_ADMIN_SCHEMA"]


def test_everything_else_of_the_task_definition_is_kept(job: MainJob) -> None:
    ecs = job.aws("ecs", "staging")
    before = ecs.describe_task_definition(taskDefinition="askflorence-staging-app:7")["taskDefinition"]
    after = job.running("staging")
    changing = {"taskDefinitionArn", "revision", "registeredAt", "registeredBy", "deregisteredAt"}

    def rest(definition: dict[str, Any]) -> dict[str, Any]:
        containers = [
            {key: value for key, value in each.items() if key != "secrets"}
            for each in definition["containerDefinitions"]
        ]
        kept = {key: value for key, value in definition.items() if key not in changing}
        return {**kept, "containerDefinitions": containers}

    assert rest(after) == rest(before)


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_deploying_again_changes_nothing(job: MainJob, stack: str) -> None:
    before = job.running(stack)["taskDefinitionArn"]
    again = job.run(stack, "bind")
    assert (again.failure, again.changes, job.running(stack)["taskDefinitionArn"]) == ("", 0, before)


def test_no_adopted_or_legacy_secret_was_written(job: MainJob) -> None:
    secrets = [(each.environment, each.name) for legacy in MANIFEST.legacy for each in legacy.secrets]
    for stack, name in [
        *secrets,
        *((stack, f"{stack}/mongodb/admin-schema") for stack in ("staging", "prod")),
    ]:
        versions = job.aws("secretsmanager", stack).list_secret_version_ids(SecretId=name)["Versions"]
        assert {"AWSCURRENT", "AWSPREVIOUS"} == {
            label for each in versions for label in each["VersionStages"]
        }, name


def test_no_password_is_in_anything_that_was_shown_or_kept(job: MainJob) -> None:
    """Progress, reports, events, logs, and states, for every password of the new and of the legacy inventory."""
    passwords = set()
    for stack in ("staging", "prod"):
        manager = job.aws("secretsmanager", stack)
        for entry in manager.list_secrets(MaxResults=100)["SecretList"]:
            value = manager.get_secret_value(SecretId=entry["ARN"])["SecretString"]
            if value.startswith("mongodb"):
                password = ConnectionString.parse(value).password
                assert password is not None
                passwords.add(password.reveal())
    assert len(passwords) >= 14
    directory = job.world.directory
    files = [path for path in directory.rglob("*") if path.is_file() and "mongo" not in path.parts]
    shown = {str(path.relative_to(directory)): path.read_bytes().decode(errors="replace") for path in files}
    shown["progress"] = repr(job.progress)
    shown["runs"] = repr(job.runs)
    leaks = {name for name, text in shown.items() for password in passwords if password in text}
    assert leaks - {"keys.json"} == set()
    assert any(name.startswith("stacks/") for name in shown)


def test_the_states_secrets_are_encrypted(job: MainJob) -> None:
    state = json.loads(job.world.state_file("staging").read_text())
    resources = state["deployment"]["resources"]
    version = next(each for each in resources if each["type"].endswith(":SecretVersion"))
    assert {"4dabf18193072939515e22adb298388d", "ciphertext"} == set(version["inputs"]["secretString"])


def test_a_phase_back_to_provision_runs_the_recorded_revision_again(job: MainJob) -> None:
    back = job.run("staging", "provision")
    assert (back.failure, job.running("staging")["revision"]) == ("", 7)
    forward = job.run("staging", "bind")
    assert (forward.failure, job.running("staging")["revision"] > 7) == ("", True)


def test_a_preview_changes_nothing(job: MainJob) -> None:
    before = job.world.state_file("staging").read_bytes()
    job.run("staging", "provision", operation=Operation.PREVIEW)
    assert job.world.state_file("staging").read_bytes() == before


def test_a_rotation_moves_both_stacks_and_the_old_login_goes_when_nothing_uses_it(job: MainJob) -> None:
    """As docs/runbooks/rotate.md has it, for the credential that prod reads too."""
    rotation = {"generations": '{"app_read": 2}', "rotating": "app_read"}
    old = job.connection("staging", "staging/mongodb/app-read-v2")
    moved = job.run("staging", "bind", settings=rotation)
    assert moved.failure == ""
    assert Counter(step.type.rpartition(":")[2] for step in moved.steps if step.changing) == {
        "RandomPassword": 1,
        "DatabaseUser": 1,
        "SecretVersion": 2,
        "PrivilegeProof": 2,
        "PriorRevision": 1,
        "TaskDefinition": 1,
        "Rollout": 1,
        "ServiceGates": 1,
        "CurrentVersions": 1,
        "RecordedWayBack": 1,
        "LeavingUser": 1,
    }
    assert job.connection("staging", "staging/mongodb/app-read-v2").username == "app_read_b"
    followed = job.run("prod", "bind")
    assert (followed.failure, followed.changes > 0) == ("", True)
    assert job.connection("prod", "prod/mongodb/reference-uri-v2").username == "app_read_b"
    finish = {**rotation, "rotationStep": "finish"}
    kept = job.run("staging", "bind", settings=finish)
    assert kept.failure == ""
    assert "app_read stays for now: unmet   soaked" in repr(job.progress)
    managed = {"app_write", "app_audit_writer", "app_admin_schema"}
    assert {"app_read", *managed} == _users_left(job.world, expected={"app_read", *managed})
    advance(job.world.directory, SOAK_SECONDS)
    assert job.run("prod", "bind").failure == ""
    ended = job.run("staging", "bind", settings=finish)
    assert ended.failure == ""
    deleted = {step.name for step in ended.steps if step.operation == "delete"}
    assert {"app_read", "app-read-v2", "reference-uri-v2"} == deleted
    assert managed == _users_left(job.world, expected=managed)
    assert {} == refused_logins(job.world, "staging")
    with pytest.raises(OperationFailure), MongoClient(old.reveal()) as client:
        client.admin.command("ping")
    again = job.run("staging", "bind", settings=finish)
    assert (again.failure, again.changes) == ("", 0)


def test_a_generation_that_is_not_one_step_away_is_refused_in_the_preview(job: MainJob) -> None:
    jump = {"generations": '{"app_read": 4}', "rotating": "app_read"}
    run = job.run("staging", "bind", operation=Operation.PREVIEW, settings=jump)
    assert "app_read: generation 4 is wanted and 2 is current: only one step at a time" in run.failure


def test_a_leaked_password_is_replaced_in_place_by_one_update(job: MainJob) -> None:
    old = job.connection("staging", "staging/mongodb/app-write-v2")
    ended = {"generations": '{"app_read": 2}', "rotating": "app_read", "rotationStep": "finish"}
    leaked = {"passwords": '{"app_write": 1}', "repair": "password 1 of app_write, replaced in place"}
    run = job.run("staging", "bind", settings={**ended, **leaked})
    assert run.failure == ""
    assert job.connection("staging", "staging/mongodb/app-write-v2").password != old.password
    with pytest.raises(OperationFailure), MongoClient(old.reveal()) as client:
        client.admin.command("ping")


def test_a_role_widened_before_its_first_proof_is_refuted_and_no_task_changes(tmp_path: Path) -> None:
    with sandbox(tmp_path, propagation_seconds=1.0) as world:
        job = MainJob(world, {}, [])
        widening = threading.Thread(target=_widen_once_made, args=(world,))
        widening.start()
        run = job.run("staging", "bind")
        widening.join()
        assert "REFUTED  app_audit_writer" in run.failure
        assert "askflorence.agent_audit_log" in run.failure
        assert run.keeps_running == "askflorence-staging-app:7"
        assert job.running("staging")["revision"] == 7
        families = job.aws("ecs", "staging").list_task_definitions(familyPrefix="askflorence-staging-app")
        assert not any(arn.endswith(":8") for arn in families["taskDefinitionArns"])
        assert {proof.user: proof.verdict for proof in run.proofs}["app_audit_writer"] == "refuted"


def _users_left(world: World, expected: set[str]) -> set[str]:
    """The managed users that the server still has; a deletion takes a propagation delay to arrive."""
    managed = {user.name for user in MANIFEST.users}
    deadline = time.monotonic() + 20
    with MongoClient(world.of("staging").mongod.root_uri) as root:
        while True:
            left = {each["user"] for each in root.admin.command("usersInfo", 1)["users"]} & managed
            if left == expected or time.monotonic() > deadline:
                return left


def _widen_once_made(world: World) -> None:
    """Grant `update` on the audit log by hand, as soon as the role is there."""
    privilege = {"resource": {"db": "askflorence", "collection": "agent_audit_log"}, "actions": ["update"]}
    deadline = time.monotonic() + 60
    with MongoClient(world.of("staging").mongod.root_uri) as root:
        while time.monotonic() < deadline:
            if root.admin.command("rolesInfo", "role_audit_writer")["roles"]:
                root.admin.command("grantPrivilegesToRole", "role_audit_writer", privileges=[privilege])
                return


def test_a_stack_that_was_unprotected_is_destroyed_and_what_was_adopted_stays(tmp_path: Path) -> None:
    with sandbox(tmp_path, propagation_seconds=0.2) as world:
        job = MainJob(world, {}, [])
        job.run("staging", "provision")
        refused = job.run("staging", "provision", operation=Operation.DESTROY)
        assert "protect" in refused.failure
        job.run("staging", "provision", settings={"unprotect": "true"})
        unprotected = {"unprotect": "true"}
        destroyed = job.run("staging", "provision", operation=Operation.DESTROY, settings=unprotected)
        assert destroyed.failure == ""
        assert _users_left(world, expected={"app_admin_schema"}) == {"app_admin_schema"}
        listed = job.aws("secretsmanager", "staging").list_secrets(MaxResults=100)["SecretList"]
        names = {entry["Name"] for entry in listed}
        assert "staging/mongodb/admin-schema" in names
        assert "staging/mongodb/app-read-v2" not in names
        refused = job.run("staging", "provision")
        assert "Take back with: atlas-access secrets restore staging, and" in refused.failure
        restored = run_command(world, "staging", "secrets", "restore", "staging")
        assert (0, True) == (restored.returncode, "set atlas-access:takeOver: true" in restored.stdout), (
            restored.stdout
        )
        again = job.run("staging", "provision", settings={"takeOver": "true"})
        assert again.failure == ""
        steps = {step.operation for step in again.steps if step.type == "aws:secretsmanager/secret:Secret"}
        assert {"import"} == {str(each) for each in steps}
        after = job.run("staging", "provision")
        assert after.failure == ""
