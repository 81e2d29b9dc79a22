"""A service of ECS that moves with a fake clock, and runs of the rollout on it that can be made to die anywhere."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from atlas_access.clients import Alarm
from atlas_access.rollout.gates import Round
from atlas_access.rollout.run import Parts, carry_out
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_tags import BOUND, RUN, read_service_tags
from atlas_access.rollout.steps import Chosen, Done, Goal, Way

ARN = "arn:aws:ecs:r:111111111111:task-definition/app:"
OLD, NEW, OTHER, REMADE = f"{ARN}7", f"{ARN}8", f"{ARN}9", f"{ARN}10"
SERVICE_ARN = "arn:aws:ecs:r:111111111111:service/c/app"
START_SECONDS = 4.0


class Crash(BaseException):
    """The process died here."""


class FakeClock:
    """Time that passes only in pauses, and a little with each observation, so that nothing can wait forever."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def wall(self) -> float:
        return self.now

    def tick(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += max(seconds, 0.01)


@dataclass
class FakeDeployment:
    revision: str
    began: float
    primary: bool = True
    state: str = "IN_PROGRESS"
    failed: int = 0
    reason: str = ""


@dataclass
class FakeEcs:
    """What the rollout asks of ECS. `manners` says how each revision behaves: good, stuck, failing, breaker."""

    clock: FakeClock
    manners: dict[str, str] = field(default_factory=dict)
    deployments: list[FakeDeployment] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "ACTIVE"
    desired: int = 2
    deployed: list[str] = field(default_factory=list)
    at_boundary: Callable[[str], None] = lambda _: None
    on_observe: Callable[[], None] = lambda: None
    stopped: list[dict[str, Any]] = field(default_factory=list)
    configured: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def running(cls, revision: str = OLD, **manners: str) -> FakeEcs:
        ecs = cls(FakeClock(), {{"old": OLD, "new": NEW}[name]: how for name, how in manners.items()})
        ecs.deployments = [FakeDeployment(revision, 0.0, state="COMPLETED")]
        return ecs

    @property
    def revision(self) -> str:
        return self.deployments[0].revision

    @property
    def service_tags(self) -> Any:
        return read_service_tags(self.tags)

    def describe_services(self, *, cluster: str, services: list[str], include: list[str]) -> Any:
        self.at_boundary("look")
        self.on_observe()
        self.clock.now += 0.01
        self._move()
        return {
            "services": [
                {
                    **self.configured,
                    "serviceArn": SERVICE_ARN,
                    "status": self.status,
                    "taskDefinition": self.revision,
                    "desiredCount": self.desired,
                    "deployments": [self._shown(each) for each in self.deployments],
                    "events": [{"message": f"(service app) {self.deployments[0].state}"}],
                    "tags": [{"key": key, "value": value} for key, value in self.tags.items()],
                }
            ]
        }

    def update_service(self, *, cluster: str, service: str, taskDefinition: str) -> Any:  # noqa: N803
        self.at_boundary("before swap")
        assert RUN in self.tags, "a swap without a lease"
        self.deployed.append(taskDefinition)
        if taskDefinition != self.revision:
            for each in self.deployments:
                each.primary = False
            self.deployments.insert(0, FakeDeployment(taskDefinition, self.clock.now))
        self.at_boundary("after swap")

    def describe_task_definition(self, *, taskDefinition: str, include: list[str]) -> Any:  # noqa: N803
        return {"taskDefinition": {"family": "app", "taskDefinitionArn": taskDefinition}}

    def tag_resource(self, *, resourceArn: str, tags: list[dict[str, str]]) -> Any:  # noqa: N803
        self.at_boundary("before tag")
        assert resourceArn == SERVICE_ARN
        assert all(len(tag["value"]) <= 256 for tag in tags)
        self.tags |= {tag["key"]: tag["value"] for tag in tags}
        self.at_boundary("after tag")

    def untag_resource(self, *, resourceArn: str, tagKeys: list[str]) -> Any:  # noqa: N803
        self.at_boundary("before untag")
        for key in tagKeys:
            self.tags.pop(key, None)
        self.at_boundary("after untag")

    def list_tasks(self, *, cluster: str, serviceName: str, desiredStatus: str) -> Any:  # noqa: N803
        return {"taskArns": [str(index) for index in range(len(self.stopped))]}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> Any:
        return {"tasks": self.stopped}

    def _move(self) -> None:
        primary = self.deployments[0]
        old_enough = self.clock.now - primary.began >= START_SECONDS
        if primary.state != "IN_PROGRESS" or not old_enough:
            return
        manner = self.manners.get(primary.revision, "good")
        if manner == "good":
            primary.state = "COMPLETED"
            self.deployments = [primary]
        elif manner == "failing":
            primary.state, primary.reason = "FAILED", "tasks failed to start"
        elif manner == "looping":
            primary.failed = 3
        elif manner == "breaker":
            before = self.deployments[1]
            before.primary, before.state = True, "COMPLETED"
            self.deployments = [before]

    def _shown(self, each: FakeDeployment) -> dict[str, Any]:
        done = each.state == "COMPLETED"
        return {
            "taskDefinition": each.revision,
            "status": "PRIMARY" if each.primary else "ACTIVE",
            "rolloutState": each.state,
            "runningCount": self.desired if done else 0,
            "desiredCount": self.desired,
            "failedTasks": each.failed,
            "rolloutStateReason": each.reason,
            "createdAt": datetime.fromtimestamp(each.began, UTC),
        }


@dataclass
class FakeGates:
    """Gates that are red on some revisions; `asked` counts the rounds."""

    red: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refused: tuple[str, ...] = ()
    during: Callable[[], None] = lambda: None
    unknown: bool = False

    def refusals(self) -> tuple[str, ...]:
        return self.refused

    def round(self, revision: str, stopped: Callable[[], bool]) -> Round:
        self.during()
        self.asked.append(revision)
        failure = self.red.get(revision)
        return Round((failure,) if failure else (), unknown=bool(failure) and self.unknown)


def at_once(work: Callable[[], Any]) -> Future[Any]:
    """Do work in the caller's own time; a crash in it is a crash of the run."""
    job: Future[Any] = Future()
    try:
        job.set_result(work())
    except Exception as error:  # noqa: BLE001
        job.set_exception(error)
    return job


def forward(run: str = "run-1", **changes: Any) -> Goal:
    given = {"way": Way.FORWARD, "run": run, "prior": OLD, "wanted": NEW, "release": 0}
    return Goal(**given | {"deadline_seconds": 60.0} | changes)


def back(run: str = "run-b", **changes: Any) -> Goal:
    given = {"way": Way.BACK, "run": run, "prior": OLD, "cause": "asked for", "hold": True}
    return Goal(**given | {"deadline_seconds": 60.0} | changes)


def go(
    ecs: FakeEcs,
    goal: Goal,
    gates: FakeGates | None = None,
    *,
    refusals: Callable[[], tuple[str, ...]] = lambda: (),
    said: list[str] | None = None,
    way_back: Callable[[str], Chosen] = Chosen,
    alarms: Callable[[], tuple[Alarm, ...]] = tuple,
) -> Done:
    """One run in this process, to its end or its crash."""

    def preflight(_: Any) -> tuple[str, ...]:
        ecs.at_boundary("pre-flight")
        return refusals()

    lines = said if said is not None else []
    service = Service(ecs, "c", "app")
    parts = Parts("staging", service, ecs.clock, lines.append, preflight, gates, 1.0, at_once)
    return carry_out(goal, replace(parts, way_back=way_back, alarms=alarms))


def settled(ecs: FakeEcs) -> tuple[str, int, bool, str]:
    """What is left: revision, number of deployments, whether a lease is on it, what is recorded as bound."""
    return ecs.revision, len(ecs.deployments), RUN in ecs.tags, ecs.tags.get(BOUND, "")
