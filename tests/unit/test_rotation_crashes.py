"""A rotation's own effects, with a crash at every boundary: run again, they end where they would have ended."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from atlas_access.base import secret_references
from atlas_access.retirement import BoundRevision, ObservedAccount
from atlas_access.rollout import Service
from atlas_access.rotation import keep_way_back, make_current
from sandbox.aws.grants import AwsRefusal
from sandbox.aws.stages import move_stage

run = import_module("atlas_access.rotation.run")
ARN = "arn:aws:secretsmanager:us-east-1:111111111111:secret:staging/mongodb/app-read-v2-AbCdEf"
APP = "arn:aws:ecs:us-east-1:111111111111:task-definition/app"
SERVICE = "arn:aws:ecs:us-east-1:111111111111:service/c/s"
OLD, NEW = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


class Killed(BaseException):
    """The process ends here."""


@dataclass
class World:
    """A secret with two versions and a service with its revisions; each effect can be the last one."""

    versions: dict[str, dict[str, Any]]
    revisions: dict[str, dict[str, Any]]
    tags: dict[str, str]
    left: int = -1
    effects: int = 0
    deleted: set[str] = field(default_factory=set)

    def effect(self, act: Callable[[], Any]) -> Any:
        """Kill before an effect or after it: an answer can be lost."""
        for moment in (lambda: None, act):
            if self.left == 0:
                raise Killed
            self.left -= 1
            done = moment()
        self.effects += 1
        return done

    # Secrets Manager
    def describe_secret(self, **_: Any) -> dict[str, Any]:
        return {
            "VersionIdsToStages": {
                key: each["version_stages"] for key, each in self.versions.items() if each["version_stages"]
            }
        }

    def list_secret_version_ids(self, **_: Any) -> dict[str, Any]:
        return {"Versions": [{"VersionId": each} for each in self.versions]}

    def update_secret_version_stage(self, **asked: Any) -> None:
        secret = SimpleNamespace(versions=self.versions, set_default_version_id=lambda _: None)
        taken, to = asked.get("RemoveFromVersionId"), asked.get("MoveToVersionId")
        self.effect(lambda: move_stage(secret, asked["VersionStage"], taken, to))

    # ECS
    def describe_services(self, **_: Any) -> dict[str, Any]:
        tags = [{"key": key, "value": value} for key, value in self.tags.items()]
        deployment = {
            "taskDefinition": f"{APP}:2",
            "status": "PRIMARY",
            "runningCount": 1,
            "desiredCount": 1,
            "rolloutState": "COMPLETED",
        }
        return {
            "services": [
                {
                    "serviceArn": SERVICE,
                    "status": "ACTIVE",
                    "taskDefinition": f"{APP}:2",
                    "desiredCount": 1,
                    "deployments": [deployment],
                    "tags": tags,
                }
            ]
        }

    def describe_task_definition(self, **asked: Any) -> dict[str, Any]:
        return {"taskDefinition": self.revisions[asked["taskDefinition"]], "tags": []}

    def register_task_definition(self, **asked: Any) -> dict[str, Any]:
        arn = f"{APP}:{len(self.revisions) + 1}"
        self.effect(
            lambda: self.revisions.update({arn: {**asked, "taskDefinitionArn": arn, "status": "ACTIVE"}})
        )
        return {"taskDefinition": self.revisions[arn]}

    def deregister_task_definition(self, **asked: Any) -> None:
        self.effect(lambda: self.revisions[asked["taskDefinition"]].update(status="INACTIVE"))

    def tag_resource(self, **asked: Any) -> None:
        self.effect(lambda: self.tags.update({each["key"]: each["value"] for each in asked["tags"]}))

    def bound(self) -> Iterator[BoundRevision]:
        """The ACTIVE revisions that name the old version."""
        for arn, each in self.revisions.items():
            used = ("service s",) if arn == f"{APP}:2" else ()
            if each["status"] == "ACTIVE" and OLD in json.dumps(each):
                yield BoundRevision(arn, True, (OLD,), used)

    def answer(self) -> dict[str, Any]:
        """What decides where the rotation ended."""
        prior = self.tags["atlas-access/bound-prior"]
        return {
            "stages": {key: sorted(each["version_stages"]) for key, each in self.versions.items()},
            "way back": secret_references(self.revisions[prior]),
            "way back is": self.revisions[prior]["status"],
            "active on the old": [each.arn for each in self.bound()],
        }


def definition(number: int, version: str) -> dict[str, Any]:
    secrets = [
        {"name": "MONGODB_URI", "valueFrom": f"{ARN}:::{version}"},
        {"name": "OTHER", "valueFrom": f"{ARN[:-10]}other-AbCdEf:::{OLD}"},
    ]
    return {
        "taskDefinitionArn": f"{APP}:{number}",
        "family": "app",
        "status": "ACTIVE",
        "containerDefinitions": [{"name": "app", "image": "i", "secrets": secrets[:1]}],
    }


def world(left: int = -1) -> World:
    ours = "atlas-access.staging.app_read"
    versions = {
        OLD: {"version_stages": [f"{ours}.1.1", "AWSCURRENT"]},
        NEW: {"version_stages": ["atlas-access.created"]},
    }
    tags = {
        "atlas-access/bound": f"{APP}:2",
        "atlas-access/bound-prior": f"{APP}:1",
        "atlas-access/bound-since": "1.0",
        "atlas-access/bound-release": "0",
    }
    return World(versions, {f"{APP}:1": definition(1, OLD), f"{APP}:2": definition(2, NEW)}, tags, left)


PROPS = {
    "stack": "staging",
    "region": "us-east-1",
    "cluster": "c",
    "service": "s",
    "settings": "",
    "leaving": "",
}
MOVE = {
    **PROPS,
    "secrets": json.dumps(
        [{"arn": ARN, "version": NEW, "cluster": "staging", "user": "app_read", "generation": 2}]
    ),
}
END = {**PROPS, "secrets": {ARN: NEW}}


def play(there: World, monkeypatch: pytest.MonkeyPatch, parts: tuple[str, ...] = ("move", "end")) -> None:
    monkeypatch.setattr(run, "client", lambda *_, **__: there)
    monkeypatch.setattr(run, "service_of", lambda *_: Service(there, "c", "s"))
    monkeypatch.setattr(run, "own_settings", lambda *_: None)
    monkeypatch.setattr(run, "AccountTarget", SimpleNamespace(of=lambda *_: None))
    monkeypatch.setattr(
        run.observe_bindings, "observe", lambda *_: ObservedAccount("staging", 2, tuple(there.bound()))
    )
    monkeypatch.setattr(run, "say", lambda _: None)
    if "move" in parts:
        make_current(MOVE)
    if "end" in parts:
        keep_way_back(END)


def test_a_move_and_its_end_leave_the_new_version_current_and_a_way_back_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = world()
    play(there, monkeypatch)
    assert {
        "stages": {
            OLD: ["AWSPREVIOUS", "atlas-access.staging.app_read.1.1"],
            NEW: ["AWSCURRENT", "atlas-access.staging.app_read.2.1"],
        },
        "way back": {"MONGODB_URI": f"{ARN}:::{NEW}"},
        "way back is": "ACTIVE",
        "active on the old": [],
    } == there.answer()


def test_a_rotation_converges_after_a_crash_at_every_boundary(
    monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    whole = world()
    play(whole, monkeypatch)
    boundaries = 2 * whole.effects
    for left in range(boundaries):
        there = world(left)
        with pytest.raises(Killed):
            play(there, monkeypatch)
        assert "ACTIVE" == there.revisions[there.tags["atlas-access/bound-prior"]]["status"]
        assert any("AWSCURRENT" in each["version_stages"] for each in there.versions.values())
        there.left = -1
        play(there, monkeypatch)
        assert whole.answer() == there.answer(), left
    record_property("says", f"rotation: converged after a crash at {boundaries} of {boundaries} boundaries")


def test_done_again_it_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    there = world()
    play(there, monkeypatch)
    before, answer = there.effects, there.answer()
    play(there, monkeypatch)
    assert (before, answer) == (there.effects, there.answer())


def test_an_abort_gives_the_label_back_and_keeps_both(monkeypatch: pytest.MonkeyPatch) -> None:
    there = world()
    play(there, monkeypatch, ("move",))
    back = {"arn": ARN, "version": OLD, "cluster": "staging", "user": "app_read", "generation": 1}
    make_current({**MOVE, "secrets": json.dumps([back])})
    ours = "atlas-access.staging.app_read"
    assert {OLD: ["AWSCURRENT", f"{ours}.1.1"], NEW: ["AWSPREVIOUS", f"{ours}.2.1"]} == there.answer()[
        "stages"
    ]


def test_a_lease_on_the_service_stops_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    there = world()
    lease = {
        "run": "r",
        "prior": f"{APP}:1",
        "wanted": f"{APP}:2",
        "heartbeat": "1.0",
        "release": "0",
        "undo": "",
    }
    there.tags |= {f"atlas-access/lease-{key}": value for key, value in lease.items()}
    with pytest.raises(run.StillUsed, match="run r moves the service"):
        play(there, monkeypatch, ("end",))
    assert there.effects == 0


def test_the_stand_in_moves_labels_by_secrets_managers_rules() -> None:
    with pytest.raises(AwsRefusal):
        world().update_secret_version_stage(VersionStage="AWSCURRENT", RemoveFromVersionId=OLD)
