"""Rollouts on the sandbox's ECS: the agent moves tasks on whenever the run pauses, so that nothing depends on time."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aws_fixture import Aws

from atlas_access.base.task_definition import REGISTRATION_FACTS
from atlas_access.clients import client
from atlas_access.rollout.gates import Gates, Round
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.run import Parts, carry_out
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_tags import BOUND, HELD, RUN, WISH, Lease, read_service_tags
from atlas_access.rollout.steps import Done, Goal, Way
from atlas_access.rollout.wiring import record_prior

CLUSTER, NAME = "askflorence-staging", "askflorence-staging-app"
NO_BREAKER = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}


@dataclass
class Time:
    """Fake seconds; each pause lets the agent take the steps that fall into it."""

    aws: Aws
    step_seconds: float = 1.0
    now: float = 1_800_000_000.0
    rest: float = 0.0
    at_pause: Callable[[], None] = lambda: None

    def wall(self) -> float:
        return self.now

    def tick(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.rest += seconds
        while self.rest >= self.step_seconds:
            self.rest -= self.step_seconds
            self.aws.agent.step()
        self.at_pause()


@dataclass
class Asked:
    """Gates that are red on one revision."""

    red: str = ""
    revisions: list[str] = field(default_factory=list)

    def refusals(self) -> tuple[str, ...]:
        return ()

    def round(self, revision: str, stopped: Callable[[], bool]) -> Round:
        self.revisions.append(revision)
        return Round(("gate 3 providers/covered: not covered",) if revision == self.red else ())


def goal(wanted: str, prior: str, run: str = "run-1", **changes: Any) -> Goal:
    given = {"way": Way.FORWARD, "run": run, "prior": prior, "wanted": wanted, "deadline_seconds": 60.0}
    return Goal(**given | changes)


def go(
    aws: Aws,
    order: Goal,
    time: Time | None = None,
    gates: Gates | None = None,
    poll: float = 1.0,
    *,
    ecs: Any = None,
) -> Done:
    service = Service(ecs or aws.client("ecs"), CLUSTER, NAME)
    clock = time or Time(aws)
    return carry_out(
        order, Parts("staging", service, clock, lambda _: None, lambda _: (), gates or Asked(), poll)
    )


def failure(aws: Aws, order: Goal, *given: Any, **named: Any) -> str:
    with pytest.raises(RolloutFailed) as caught:
        go(aws, order, *given, **named)
    return str(caught.value)


def tags(aws: Aws) -> dict[str, str]:
    ecs = aws.client("ecs")
    found = ecs.describe_services(cluster=CLUSTER, services=[NAME], include=["TAGS"])["services"][0]["tags"]
    return {tag["key"]: tag["value"] for tag in found if tag["key"].startswith("atlas-access/")}


def write(aws: Aws, **given: str) -> None:
    aws.client("ecs").tag_resource(
        resourceArn=aws.service()["serviceArn"], tags=[{"key": k, "value": v} for k, v in given.items()]
    )


def alone(aws: Aws) -> str:
    """The revision that alone runs, completely."""
    (deployment,) = aws.service()["deployments"]
    assert ("COMPLETED", 2) == (deployment["rolloutState"], deployment["runningCount"])
    return str(deployment["taskDefinition"])


def test_a_swap_arrives_and_the_service_says_what_it_is_bound_to(aws: Aws) -> None:
    prior, wanted = aws.service()["taskDefinition"], aws.register()
    go(aws, goal(wanted, prior))
    assert wanted == alone(aws)
    bound = read_service_tags(tags(aws)).bound
    assert bound is not None
    assert (wanted, prior, False) == (bound.revision, bound.prior, RUN in tags(aws))


def test_tags_of_others_stay(aws: Aws) -> None:
    prior, wanted = aws.service()["taskDefinition"], aws.register()
    go(aws, goal(wanted, prior))
    found = aws.client("ecs").list_tags_for_resource(resourceArn=aws.service()["serviceArn"])["tags"]
    assert {"key": "managed-by", "value": "terraform"} in found


def test_a_circuit_breakers_return_is_reported_with_the_reason_of_the_tasks(aws: Aws) -> None:
    prior, wanted = aws.service()["taskDefinition"], aws.unreadable()
    text = failure(aws, goal(wanted, prior))
    assert text.startswith("ROLLED BACK  staging: ")
    assert "ResourceInitializationError: unable to pull secrets" in text
    assert (prior, "0") == (alone(aws), tags(aws)[HELD])


def test_tasks_that_fail_without_a_circuit_breaker_are_seen_too(aws: Aws) -> None:
    prior, wanted = aws.service()["taskDefinition"], aws.unreadable()
    aws.update(deploymentConfiguration=NO_BREAKER)
    text = failure(aws, goal(wanted, prior))
    assert "tasks of askflorence-staging-app:8 failed to start" in text
    assert prior == alone(aws)


def test_a_red_gate_puts_the_old_revision_back(aws: Aws) -> None:
    prior, wanted = aws.service()["taskDefinition"], aws.register()
    gates = Asked(red=wanted)
    text = failure(aws, goal(wanted, prior), gates=gates)
    assert text.startswith("ROLLED BACK  staging: gate 3 providers/covered: not covered")
    assert (prior, [wanted, prior]) == (alone(aws), gates.revisions)


def test_a_service_with_another_strategy_is_refused_by_name(aws: Aws) -> None:
    prior, wanted = aws.service()["taskDefinition"], aws.register()
    aws.update(deploymentConfiguration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 10})
    text = failure(aws, goal(wanted, prior))
    assert "deployment strategy BLUE_GREEN (a bake time of 10 minutes)" in text
    assert (prior, {}) == (aws.service()["taskDefinition"], tags(aws))


def test_a_refused_update_leaves_no_lease_and_is_no_rollback(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ECS refuses a revision that was deregistered since the pre-flight."""
    ecs = client("ecs", "us-east-1", aws.enter(monkeypatch))
    prior, wanted = aws.service()["taskDefinition"], aws.register()
    aws.client("ecs").deregister_task_definition(taskDefinition=wanted)
    text = failure(aws, goal(wanted, prior), ecs=ecs)
    assert text.startswith("NOT STARTED  staging: 1 reason; askflorence-staging-app:7 keeps running.")
    assert "answered ClientException (TaskDefinition is inactive); nothing was moved" in text
    assert (prior, {}) == (alone(aws), tags(aws))


def test_a_second_run_is_refused_while_the_first_one_waits(aws: Aws) -> None:
    prior, wanted = aws.service()["taskDefinition"], aws.register()
    refused: list[str] = []
    time = Time(aws)

    def second() -> None:
        if not refused and RUN in tags(aws):
            refused.append("")
            refused[0] = failure(aws, goal(wanted, prior, "run-2"), Time(aws, now=time.now))

    time.at_pause = second
    go(aws, goal(wanted, prior), time)
    assert "run run-1 moves this service" in refused[0]
    assert wanted == alone(aws)


def test_a_wish_written_into_the_lease_is_obeyed(aws: Aws) -> None:
    prior, wanted = aws.service()["taskDefinition"], aws.register()
    time = Time(aws)

    def wish() -> None:
        if aws.service()["taskDefinition"] == wanted and not tags(aws).get(WISH):
            write(aws, **{WISH: "asked for by rollback", HELD: "3"})

    time.at_pause = wish
    text = failure(aws, goal(wanted, prior), time)
    assert text.startswith("ROLLED BACK  staging: asked for by rollback")
    assert (prior, {HELD}) == (alone(aws), set(tags(aws)))


def test_a_rollback_without_a_running_rollout_swaps_itself(aws: Aws) -> None:
    prior, wanted = aws.service()["taskDefinition"], aws.register()
    go(aws, goal(wanted, prior))
    order = Goal(Way.BACK, "run-b", prior, cause="asked for", hold=True, deadline_seconds=60.0)
    assert go(aws, order).moved
    assert (prior, {HELD}) == (alone(aws), set(tags(aws)))
    assert "raise rolloutRelease above 0" in failure(aws, goal(wanted, prior, "run-3"))
    assert go(aws, goal(wanted, prior, "run-4", release=1)).moved


def test_what_a_dead_run_left_half_way_is_finished(aws: Aws) -> None:
    prior, wanted = aws.service()["taskDefinition"], aws.register()
    time = Time(aws)
    write(aws, **Lease("dead", prior, wanted, time.now - 100).tags())
    aws.update(taskDefinition=wanted)
    go(aws, goal(wanted, prior, "run-2"), time)
    assert (wanted, wanted, False) == (alone(aws), tags(aws)[BOUND], RUN in tags(aws))


def test_what_a_dead_run_left_for_another_revision_is_undone_first(aws: Aws) -> None:
    prior, broken = aws.service()["taskDefinition"], aws.unreadable()
    aws.update(deploymentConfiguration=NO_BREAKER)
    wanted = aws.register(lambda container: container["secrets"].pop())
    time = Time(aws)
    write(aws, **Lease("dead", prior, broken, time.now - 100).tags())
    aws.update(taskDefinition=broken)
    go(aws, goal(wanted, prior, "run-2"), time)
    assert wanted == alone(aws)


def test_a_recorded_definition_can_be_registered_again(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.enter(monkeypatch)
    recorded = record_prior({"region": "us-east-1", "cluster": CLUSTER, "service": NAME})
    again = aws.client("ecs").register_task_definition(**json.loads(recorded["definition"]))
    before = aws.client("ecs").describe_task_definition(taskDefinition=recorded["revision_arn"])

    def rest(definition: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in definition.items() if k not in REGISTRATION_FACTS}

    assert rest(before["taskDefinition"]) == rest(again["taskDefinition"])


def test_a_rollout_takes_hardly_longer_than_ecs_itself(aws: Aws, record_property: Any) -> None:
    """In fake seconds: an agent that takes a stage every 10 s, inspected every 2 s, as against real ECS."""
    prior, first, second = aws.service()["taskDefinition"], aws.register(), aws.register()
    plain = Time(aws, step_seconds=10.0)
    began = plain.now
    aws.update(taskDefinition=first)
    while (
        len(aws.service()["deployments"]) > 1
        or aws.service()["deployments"][0]["rolloutState"] != "COMPLETED"
    ):
        plain.pause(2.0)
    own = plain.now - began
    time = Time(aws, step_seconds=10.0)
    began = time.now
    go(aws, goal(second, first), time, poll=2.0)
    ratio = (time.now - began) / own
    record_property("says", f"rollout: {ratio:.2f} of ECS's own time ({own:.0f} s), gates excluded")
    assert prior != alone(aws)
    assert ratio <= 1.2
