"""A swap ends on the revision asked for, or on the one that ran before; ECS is a script here, the clock is fake."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from rollout.plan import Progress, ServiceState, judge, refusal
from rollout.service import Service, ServiceMissing
from rollout.swap import RolloutFailed, put_back, swap

OLD, NEW = "arn:aws:ecs:r:1:task-definition/app:7", "arn:aws:ecs:r:1:task-definition/app:8"


def deployment(
    revision: str, *, running: int = 2, state: str = "COMPLETED", primary: bool = True
) -> dict[str, Any]:
    return {
        "taskDefinition": revision,
        "status": "PRIMARY" if primary else "ACTIVE",
        "rolloutState": state,
        "runningCount": running,
        "desiredCount": 2,
    }


def described(
    revision: str, *deployments: dict[str, Any], desired: int = 2, status: str = "ACTIVE"
) -> dict[str, Any]:
    return {
        "status": status,
        "taskDefinition": revision,
        "desiredCount": desired,
        "deployments": list(deployments) or [deployment(revision)],
        "events": [{"message": "(service app) is steady"}],
    }


@dataclass
class Script:
    """An ECS that answers from `then[revision]` once told to run that revision; the last answer repeats."""

    then: dict[str, list[dict[str, Any]]]
    now: list[dict[str, Any]]
    told: list[str] = field(default_factory=list)

    def describe_services(self, *, cluster: str, services: list[str]) -> Any:
        return {"services": [self.now.pop(0) if len(self.now) > 1 else self.now[0]]}

    def update_service(self, *, cluster: str, service: str, taskDefinition: str) -> Any:  # noqa: N803
        self.told.append(taskDefinition)
        self.now = list(self.then[taskDefinition])

    def describe_task_definition(self, *, taskDefinition: str) -> Any:  # noqa: N803
        return {"taskDefinition": {"family": "app"}}


def service(script: Script) -> Service:
    clock = iter(range(10_000))
    return Service(script, "c", "app", poll_seconds=1, clock=lambda: next(clock), pause=lambda _: None)


SAY: Callable[[str], None] = lambda _: None  # noqa: E731
MOVING = described(
    NEW, deployment(NEW, running=1, state="IN_PROGRESS"), deployment(OLD, running=2, primary=False)
)


def test_a_swap_that_arrives_leaves_the_wanted_revision_running() -> None:
    """One update, no more."""
    ecs = Script({NEW: [MOVING, described(NEW)]}, [described(OLD)])
    assert swap(service(ecs), NEW, OLD, 60, SAY).changed
    assert ecs.told == [NEW]


def test_a_service_that_runs_the_wanted_revision_is_left_alone() -> None:
    """Repeating an update changes nothing."""
    ecs = Script({}, [described(NEW)])
    assert not swap(service(ecs), NEW, OLD, 60, SAY).changed
    assert ecs.told == []


def test_an_interrupted_swap_is_taken_up_where_it_stands() -> None:
    """The service was told already; the next run only waits."""
    ecs = Script({}, [MOVING, MOVING, described(NEW)])
    assert swap(service(ecs), NEW, OLD, 60, SAY).revision == NEW
    assert ecs.told == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (described(OLD, deployment(OLD, running=1, state="IN_PROGRESS")), "a deployment is under way"),
        (described(OLD, deployment(OLD), deployment("x", primary=False)), "a deployment is under way"),
        (described(OLD, status="DRAINING"), "the service is DRAINING"),
        (described(OLD, deployment(OLD, running=0), desired=0), "the service runs no task"),
    ],
)
def test_an_unsafe_moment_is_refused_before_anything_moves(answer: dict[str, Any], why: str) -> None:
    """Nothing is told to the service."""
    ecs = Script({}, [answer])
    with pytest.raises(RolloutFailed, match=f"NOT STARTED  app: {why}"):
        swap(service(ecs), NEW, OLD, 60, SAY)
    assert ecs.told == []


def test_a_failed_deployment_puts_the_recorded_revision_back() -> None:
    """And the failure says which revision runs."""
    failed = described(
        NEW, deployment(NEW, running=0, state="FAILED") | {"rolloutStateReason": "tasks failed to start"}
    )
    ecs = Script({NEW: [failed], OLD: [described(OLD)]}, [described(OLD)])
    with pytest.raises(RolloutFailed, match=r"ROLLED BACK  app: tasks failed to start. app:7 runs again"):
        swap(service(ecs), NEW, OLD, 60, SAY)
    assert ecs.told == [NEW, OLD]


def test_a_circuit_breakers_silent_return_is_no_success() -> None:
    """COMPLETED on the old revision means that the swap did not happen."""
    state = ServiceState.of(described(OLD))
    assert judge(state, NEW).progress is Progress.FAILED


def test_completed_with_fewer_tasks_than_desired_is_still_waited_for() -> None:
    """rolloutState alone proves nothing."""
    state = ServiceState.of(described(NEW, deployment(NEW, running=1)))
    assert judge(state, NEW).progress is Progress.WAITING


def test_a_time_out_puts_the_recorded_revision_back() -> None:
    """The deadline is an end, not a hope."""
    ecs = Script({NEW: [MOVING], OLD: [described(OLD)]}, [described(OLD)])
    with pytest.raises(RolloutFailed, match="not stable after 5 s"):
        swap(service(ecs), NEW, OLD, 5, SAY)
    assert ecs.told == [NEW, OLD]


def test_a_revision_that_does_not_come_back_is_said_loudly() -> None:
    """Neither revision is stable: a person must look."""
    ecs = Script({NEW: [MOVING], OLD: [MOVING | {"taskDefinition": OLD}]}, [described(OLD)])
    with pytest.raises(RolloutFailed, match=r"NOT STABLE  app: .* app:7 was put back but is not stable"):
        swap(service(ecs), NEW, OLD, 5, SAY)


def test_an_error_while_waiting_still_puts_the_recorded_revision_back() -> None:
    """A lost connection must not leave the service half-way."""

    class Breaking(Script):
        def describe_services(self, *, cluster: str, services: list[str]) -> Any:
            if self.told == [NEW]:
                raise ConnectionError("gone")
            return super().describe_services(cluster=cluster, services=services)

    ecs = Breaking({NEW: [MOVING], OLD: [described(OLD)]}, [described(OLD)])
    with pytest.raises(ConnectionError):
        swap(service(ecs), NEW, OLD, 60, SAY)
    assert ecs.told == [NEW, OLD]


def test_removing_a_rollout_puts_the_recorded_revision_back() -> None:
    """`phase: provision` again undoes `bind`."""
    ecs = Script({OLD: [described(OLD)]}, [described(NEW)])
    put_back(service(ecs), NEW, OLD, 60, SAY)
    assert ecs.told == [OLD]


def test_removing_a_rollout_leaves_somebody_elses_revision_alone() -> None:
    """What runs is not ours to take back when it is not ours."""
    ecs = Script({}, [described("arn:aws:ecs:r:1:task-definition/app:9")])
    put_back(service(ecs), NEW, OLD, 60, SAY)
    assert ecs.told == []


def test_a_missing_service_is_named_with_the_settings_to_check() -> None:
    """No index error for a typing mistake."""

    class Empty(Script):
        def describe_services(self, *, cluster: str, services: list[str]) -> Any:
            return {"services": []}

    with pytest.raises(ServiceMissing, match="ECS cluster c has no service app"):
        service(Empty({}, [])).look()


def test_a_stable_service_is_no_reason_to_refuse() -> None:
    """The usual case."""
    assert refusal(ServiceState.of(described(OLD))) is None
