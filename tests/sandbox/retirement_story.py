"""The retirement of both stacks in a whole sandbox, step by step, and what was observed after each step."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from world_fixture import ROOT, UNGATED, deployed, run_command

from atlas_access.base.clock import advance, advanced
from atlas_access.base.endpoints import Endpoints
from atlas_access.base.settings import check_settings
from atlas_access.clients.atlas_sign_in import sign_in_from
from atlas_access.clients.cluster_state import await_applied
from atlas_access.retirement.report import RetirementRefused
from atlas_access.retirement.wiring import leave, retire, show_gate
from atlas_access.review.deployment import Deployment
from components.settings import read_files
from sandbox.aws.clients import client_of
from sandbox.demo.play import verified
from sandbox.ecs.releases import Pipeline
from sandbox.world import World

MINUTE, HOUR = 60.0, 3600.0
CURRENT = "registry.example.com/askflorence/app:current"


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
        given = {**UNGATED, "containerImage": CURRENT, **settings}
        self.runs[name] = deployed(self.world, stack, phase, settings=given)
        self.observe(name)

    def retire(self, name: str, stack: str, step: str) -> None:
        recorded = {"acknowledged": verified(self.verified)}
        self.deploy(name, stack, "retire", retirement=step, retireConfirmation=f"retire {stack}", **recorded)

    def observe(self, name: str) -> None:
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
        self.observe(name)

    def command(self, name: str, stack: str, *arguments: str) -> None:
        self.commands[name] = run_command(self.world, stack, *arguments)
        self.observe(name)

    def aws(self, service: str, stack: str) -> Any:
        return client_of(self.world, stack, service)

    def passes(self, seconds: float) -> None:
        advance(self.world.directory, seconds)


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


def play(story: Story) -> None:
    story.observe("before")
    story.verified = (datetime.now(UTC) + timedelta(seconds=advanced(story.world.directory))).isoformat()
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
    story.observe("tombstoned")
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
    story.observe("left")
    story.command("undo", "staging", "undo", "staging", "G")
    story.command("standing", "staging", "status", "staging", "--phase", "retire", "--format", "json")
    story.command("inventory", "staging", "legacy", "staging", "--phase", "retire", "--format", "json")
