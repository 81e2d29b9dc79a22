"""The retirement of both stacks in a whole sandbox: refused, tombstoned, restored, tombstoned, deleted a day later.

One sandbox plays the story in order, each test looks at one part: fourteen legacy users become eight managed ones.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from atlas_access.base.clock import advance, advanced
from atlas_access.base.endpoints import Endpoints
from atlas_access.base.settings import check_settings
from atlas_access.clients.atlas_sign_in import sign_in_from
from atlas_access.clients.cluster_state import await_applied
from atlas_access.retirement import observe_logins as login_history
from atlas_access.retirement.model import TOMBSTONE_ROLE
from atlas_access.retirement.observed import SoakLogins
from atlas_access.retirement.report import RetirementRefused
from atlas_access.review.deployment import Deployment
from components.settings import read_files
from sandbox import lifecycle
from sandbox.aws_clients import client_of
from sandbox.demo_play import verified
from sandbox.deploy import Engine, Order, deploy
from sandbox.releases import Pipeline
from sandbox.world import Options, World

ROOT = Path(__file__).parents[2]
MINUTE, HOUR = 60.0, 3600.0
CURRENT = "registry.example.com/askflorence/app:current"
STAY = ["app_admin_schema", "app_audit_writer", "app_read", "app_write"]


@dataclass
class Story:
    """A sandbox, what each step came to, what the gate said, and who was in which project when."""

    world: World
    verified: str = ""
    runs: dict[str, Deployment] = field(default_factory=dict)
    gates: dict[str, str] = field(default_factory=dict)
    users: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    commands: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)

    def deploy(self, name: str, stack: str, phase: str, **settings: str) -> None:
        given = {"allowUngatedRollout": "true", "containerImage": CURRENT, **settings}
        order = Order(stack, phase=phase, engine=Engine.EMBEDDED, program_dir=ROOT, settings=given)
        self.runs[name] = deploy(self.world, order, lambda _: None)
        self.look(name)

    def retire(self, name: str, stack: str, step: str) -> None:
        recorded = {"acknowledged": verified(self.verified)}
        self.deploy(name, stack, "retire", retirement=step, retireConfirmation=f"retire {stack}", **recorded)

    def look(self, name: str) -> None:
        """Who holds what, as the servers say once they have taken Atlas's changes."""
        self.users[name] = {}
        for stack in ("staging", "prod"):
            here = self.world.of(stack)
            until = time.monotonic() + 60
            assert self.within(
                stack,
                lambda here=here, until=until: await_applied(
                    here.project_id,
                    here.cluster,
                    sign_in_from(os.environ),
                    Endpoints.from_environment(os.environ),
                    lambda: until - time.monotonic(),
                ),
            )
            with MongoClient[dict[str, Any]](self.world.of(stack).mongod.root_uri) as client:
                for each in client.admin.command("usersInfo", 1)["users"]:
                    if each["user"] != "root":
                        roles = sorted(role["role"] for role in each["roles"])
                        self.users[name][f"{stack}/{each['user']}"] = roles

    def props(self, stack: str, step: str, **changes: object) -> dict[str, Any]:
        given = {
            "retirement": step,
            "retireConfirmation": f"retire {stack}",
            "acknowledged": json.loads(verified(self.verified)),
            "allowUngatedRollout": True,
        }
        settings = check_settings(stack, read_files(ROOT), sandbox=True, overrides=given)
        return {
            "stack": stack,
            "region": settings.aws_region,
            "cluster": settings.ecs_cluster,
            "service": settings.ecs_service,
            "step": step,
            "settings": settings.model_copy(update=changes).to_json(),
        }

    def gate(self, name: str, stack: str, step: str = "tombstone", **changes: object) -> None:
        """Ask the gate as the resource does; "" when it is open."""
        from atlas_access.retirement.wiring import show_gate

        try:
            self.within(stack, lambda: show_gate(self.props(stack, step, **changes), ""))
            self.gates[name] = ""
        except RetirementRefused as refused:
            self.gates[name] = str(refused)

    def within(self, stack: str, do: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            for key, value in self.world.environment(stack).items():
                patch.setenv(key, value)
            return do()

    def killed(self, name: str, stack: str, step: str, at: str) -> None:
        """Carry a step out in a process of its own, and kill it for real as soon as it says that line."""
        program = (
            "import json, sys; from atlas_access.retirement.wiring import retire; "
            "retire(json.load(sys.stdin), None)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, **self.world.environment(stack)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(self.props(stack, step)))
            process.stdin.close()
            said = []
            for line in process.stdout:
                said.append(line)
                if line.startswith(at):
                    process.kill()
        assert -9 == process.returncode, said
        self.look(name)

    def command(self, name: str, stack: str, *arguments: str) -> None:
        self.commands[name] = subprocess.run(
            [sys.executable, "-m", "atlas_access.cli.main", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.world.environment(stack)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.look(name)

    def aws(self, service: str, stack: str) -> Any:
        return client_of(self.world, stack, service)

    def passes(self, seconds: float) -> None:
        advance(self.world.directory, seconds)

    def verify(self) -> None:
        now = datetime.now(UTC) + timedelta(seconds=advanced(self.world.directory))
        self.verified = now.isoformat()


def _scheduled(story: Story) -> None:
    """A nightly job and a schedule of prod that still name revisions of before."""
    arn = "arn:aws:ecs:us-east-1:222222222222:task-definition/askflorence-prod-app"
    role = "arn:aws:iam::222222222222:role/atlas-access-deployer"
    cluster = "arn:aws:ecs:us-east-1:222222222222:cluster/askflorence-prod"
    events, scheduler = story.aws("events", "prod"), story.aws("scheduler", "prod")
    events.put_rule(Name="nightly", ScheduleExpression="rate(1 day)", State="DISABLED")
    target = {"Id": "1", "Arn": cluster, "RoleArn": role, "EcsParameters": {"TaskDefinitionArn": f"{arn}:12"}}
    events.put_targets(Rule="nightly", Targets=[target])
    scheduler.create_schedule(
        Name="hourly",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": cluster, "RoleArn": role, "EcsParameters": {"TaskDefinitionArn": f"{arn}:11"}},
    )
    story.gate("scheduled", "prod")
    events.remove_targets(Rule="nightly", Ids=["1"])
    events.delete_rule(Name="nightly")
    scheduler.delete_schedule(Name="hourly")


def _play(story: Story) -> None:
    from atlas_access.retirement.wiring import leave, retire

    story.look("before")
    story.verify()
    story.deploy("staging bind", "staging", "bind")
    story.gate("prod not bound", "staging")
    story.passes(31 * MINUTE)
    story.deploy("prod bind", "prod", "bind")
    for stack in ("staging", "prod"):
        pipeline = Pipeline(story.world, stack)
        for _ in range(3):
            pipeline.again()
    story.gate("young", "prod")
    story.passes(25 * HOUR)
    story.gate("unconfirmed", "prod", retire_confirmation="retire staging")
    _scheduled(story)
    story.killed("killed tombstoning", "prod", "tombstone", "tombstone user app_writer_hubspot_sync")
    story.within("prod", lambda: retire(story.props("prod", "tombstone"), None))
    story.look("tombstoned")
    story.command("restore", "prod", "legacy", "restore", "prod", "--format", "json")
    story.retire("prod tombstone", "prod", "tombstone")
    story.deploy("prod back in bind", "prod", "bind")
    story.passes(25 * HOUR)
    story.retire("prod tombstone again", "prod", "tombstone")
    story.retire("staging tombstone", "staging", "tombstone")
    story.command("standing between", "staging", "status", "staging", "--phase", "retire", "--format", "json")
    story.passes(24 * HOUR - 30 * MINUTE)
    story.gate("too early", "prod", "delete")
    story.passes(31 * MINUTE)
    story.killed("killed deleting", "prod", "delete", "delete user app_writer_hubspot_sync")
    story.retire("prod delete", "prod", "delete")
    story.retire("staging delete", "staging", "delete")
    story.retire("again", "staging", "delete")
    story.command("no way back", "prod", "legacy", "restore", "prod")
    for stack in ("staging", "prod"):
        story.command(f"drift {stack}", stack, "drift", stack, "--phase", "retire")
    story.within("prod", lambda: leave(story.props("prod", "delete")))
    story.look("left")
    story.command("undo", "staging", "undo", "staging", "G")
    story.command("standing", "staging", "status", "staging", "--phase", "retire", "--format", "json")
    story.command("estate", "staging", "legacy", "staging", "--phase", "retire", "--format", "json")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The sandbox after the whole retirement."""
    directory = tmp_path_factory.mktemp("world")
    played = Story(lifecycle.up(directory, Options(propagation_seconds=0.2)))
    try:
        _play(played)
        yield played
    finally:
        lifecycle.down(directory, keep=False)


def test_fourteen_legacy_users_become_eight_managed_ones(story: Story) -> None:
    assert 14 == len(story.users["before"])
    assert [f"{stack}/{name}" for stack in ("prod", "staging") for name in STAY] == sorted(
        story.users["again"]
    )


def test_every_step_succeeds(story: Story) -> None:
    assert dict.fromkeys(story.runs, "") == {name: run.failure for name, run in story.runs.items()}


def test_staging_waits_for_prod_whose_reader_it_owns(story: Story) -> None:
    done = story.gates["prod not bound"]
    assert "prod: 12 idle revisions" not in done
    assert (
        "askflorence-prod-app:12 names prod/mongodb/reference-uri, used by service askflorence-prod-app"
        in done
    )
    assert "Bind prod, let it soak, and retire it first" in done
    assert "prod runs askflorence-prod-app:12, which is bound to legacy secrets" in done


def test_a_binding_of_today_is_too_young(story: Story) -> None:
    assert "staging is bound for 0 h" in story.gates["young"]


def test_the_other_stacks_confirmation_confirms_nothing(story: Story) -> None:
    assert "what was typed names another stack" in story.gates["unconfirmed"]


@pytest.mark.parametrize(
    "named", ["app:12 names", "rule default/nightly", "app:11 names", "schedule default/hourly"]
)
def test_a_scheduled_task_keeps_its_revision_even_when_it_is_disabled(story: Story, named: str) -> None:
    assert named in story.gates["scheduled"]


def test_a_tombstone_takes_the_roles_and_a_restore_gives_the_recorded_ones_back(story: Story) -> None:
    legacy = ["prod/app-read", "prod/app-write", "prod/app_writer_hubspot_sync"]
    assert {name: [TOMBSTONE_ROLE] for name in legacy} == {n: story.users["tombstoned"][n] for n in legacy}
    assert 0 == story.commands["restore"].returncode, story.commands["restore"].stderr
    assert {n: story.users["before"][n] for n in legacy} == {n: story.users["restore"][n] for n in legacy}


def test_a_stack_that_goes_back_to_bind_has_its_legacy_users_back_and_may_retire_again(story: Story) -> None:
    legacy = ["prod/app-read", "prod/app-write", "prod/app_writer_hubspot_sync"]
    back, again = story.users["prod back in bind"], story.users["prod tombstone again"]
    assert {name: [TOMBSTONE_ROLE] for name in legacy} == {
        n: story.users["prod tombstone"][n] for n in legacy
    }
    assert {n: story.users["before"][n] for n in legacy} == {name: back[name] for name in legacy}
    assert {name: [TOMBSTONE_ROLE] for name in legacy} == {name: again[name] for name in legacy}


def test_a_step_that_was_killed_for_real_is_continued_by_the_next_run(story: Story) -> None:
    """Killed while it tombstoned its last user, and again while it deleted that one."""
    early, late = story.users["killed tombstoning"], story.users["killed deleting"]
    assert [TOMBSTONE_ROLE] == early["prod/app-read"] == early["prod/app-write"]
    assert "prod/app-read" not in late
    assert "prod/app_writer_hubspot_sync" not in story.users["prod delete"]


def test_the_schema_admin_is_never_touched(story: Story) -> None:
    for name in ("staging/app_admin_schema", "prod/app_admin_schema"):
        assert [["role_admin_schema"]] * len(story.users) == [users[name] for users in story.users.values()]


def test_a_deletion_is_refused_before_its_day_is_over(story: Story) -> None:
    assert "unmet   tombstone_soaked: 23 h" in story.gates["too early"]
    assert story.gates["too early"].startswith("NOT DELETED  prod: 1 reason")


def test_once_deleted_there_is_nothing_to_do_and_no_way_back(story: Story) -> None:
    assert 0 == story.runs["again"].changes
    assert 1 == story.commands["no way back"].returncode
    assert "a new user with a new password" in story.commands["no way back"].stderr
    assert story.users["again"] == story.users["left"]


def standing(story: Story, name: str) -> dict[str, tuple[str, str]]:
    answer = json.loads(story.commands[name].stdout)
    return {each["phase"]: (each["state"], each["evidence"]) for each in answer["phases"]}


def test_the_standing_tells_tombstones_and_then_that_the_retirement_is_done(story: Story) -> None:
    state, evidence = standing(story, "standing between")["G"]
    assert "blocked" == state
    assert "9 of 9 legacy users left (9 tombstoned)" in evidence
    assert "the service's record: tombstoned since" in evidence
    found = standing(story, "standing")
    assert (
        dict.fromkeys(("B", "C", "D.0", "D.1", "G", "H"), "done").items()
        <= {phase: state for phase, (state, _) in found.items()}.items()
    )
    assert found["G"][1].startswith("0 of 9 legacy users left, 0 roles, 0 readable secrets")


def test_nothing_legacy_is_listed_as_left_and_none_of_it_is_a_surprise(story: Story) -> None:
    answer = json.loads(story.commands["estate"].stdout)
    assert (0, [], []) == (story.commands["estate"].returncode, answer["left"], answer["surprises"])


def test_the_way_back_from_the_deletion_is_closed_and_says_what_re_creation_takes(story: Story) -> None:
    done = story.commands["undo"]
    assert (1, True) == (done.returncode, done.stdout.startswith("CLOSED"))
    assert "NOT REVERSIBLE" in done.stdout


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_drift_check_is_clean_without_the_legacy_estate(story: Story, stack: str) -> None:
    done = story.commands[f"drift {stack}"]
    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize(("stack", "count"), [("staging", 9), ("prod", 4)])
def test_legacy_secrets_can_be_restored_for_thirty_days(story: Story, stack: str, count: int) -> None:
    listed = story.aws("secretsmanager", stack).list_secrets(IncludePlannedDeletion=True)["SecretList"]
    scheduled = [each for each in listed if each.get("DeletedDate")]
    assert count == len(scheduled)
    assert f"{stack}/mongodb/admin-schema" not in {each["Name"] for each in scheduled}


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_no_active_revision_names_a_deprecated_variable(story: Story, stack: str) -> None:
    """Legacy-bound revisions are deregistered, and only they."""
    ecs = story.aws("ecs", stack)
    inactive = ecs.list_task_definitions(familyPrefix=f"askflorence-{stack}-app", status="INACTIVE")
    assert {"staging": 7, "prod": 12}[stack] == len(inactive["taskDefinitionArns"])
    service = ecs.describe_services(cluster=f"askflorence-{stack}", services=[f"askflorence-{stack}-app"])
    running = ecs.describe_task_definition(taskDefinition=service["services"][0]["taskDefinition"])
    bound = {each["name"] for each in running["taskDefinition"]["containerDefinitions"][0]["secrets"]}
    assert not [name for name in bound if name.startswith("MONGODB_URI_")]


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_no_legacy_role_is_left(story: Story, stack: str) -> None:
    with MongoClient[dict[str, Any]](story.world.of(stack).mongod.root_uri) as client:
        roles = {each["role"] for each in client.admin.command("rolesInfo", 1)["roles"]}
    assert {"role_admin_schema", "role_audit_writer"} == roles


def test_the_access_history_tells_who_logged_in(story: Story) -> None:
    """The probe that looks for legacy logins sees those of a managed user."""
    here: Mapping[str, str] = story.world.environment("staging")
    settings = check_settings("staging", read_files(ROOT), sandbox=True)
    found = login_history.look(
        settings.atlas_project_id,
        settings.atlas_cluster,
        ["app_read", "nobody"],
        0.0,
        datetime.now(UTC).timestamp(),
        sign_in_from(here),
        Endpoints.from_environment(here),
    )
    assert isinstance(found, SoakLogins)
    assert ["app_read"] == [each.user for each in found.legacy]
