"""A rollout ends on the revision asked for, or on the one that ran before; ECS and the clock are fakes here."""

from collections.abc import Callable
from typing import Any

import pytest
from rollout_world import NEW, OLD, OTHER, REMADE, FakeEcs, FakeGates, back, forward, go, settled

from atlas_access.clients import AwsUnavailable
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.service_tags import BOUND_PRIOR, HEARTBEAT, HELD, RUN, WISH, Lease
from atlas_access.rollout.steps import Chosen, Goal


def failure(ecs: FakeEcs, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(RolloutFailed) as caught:
        go(ecs, *args, **kwargs)
    return str(caught.value)


def once_swapped(ecs: FakeEcs, act: Callable[[], object]) -> None:
    """Do something at each observation after the swap to the wanted revision."""

    def observe() -> None:
        if ecs.deployed == [NEW]:
            act()

    ecs.on_observe = observe


def silence() -> None:
    raise AwsUnavailable("ecs:DescribeServices", "EndpointConnectionError")


def test_a_swap_that_arrives_is_gated_twice_bound_and_leaves_no_lease() -> None:
    ecs, gates = FakeEcs.running(), FakeGates()
    assert go(ecs, forward(), gates).moved
    assert ([NEW], (NEW, 1, False, NEW), [NEW, NEW]) == (ecs.deployed, settled(ecs), gates.asked)
    assert OLD == ecs.tags[BOUND_PRIOR]


def test_a_service_that_is_bound_to_the_wanted_revision_is_left_alone() -> None:
    ecs = FakeEcs.running()
    go(ecs, forward(), FakeGates())
    gates = FakeGates()
    assert not go(ecs, forward("run-2"), gates).moved
    assert ([NEW], []) == (ecs.deployed, gates.asked)


def test_a_wanted_revision_that_no_rollout_brought_is_gated_before_it_counts() -> None:
    ecs, gates = FakeEcs.running(NEW), FakeGates()
    go(ecs, forward(), gates)
    assert ([], [NEW, NEW], NEW) == (ecs.deployed, gates.asked, settled(ecs)[3])


def test_every_refusal_is_reported_at_once_and_nothing_moves() -> None:
    ecs = FakeEcs.running(OTHER)
    ecs.tags[HELD] = "3"
    text = failure(ecs, forward(release=3), refusals=lambda: ("REFUTED  app_write", "no baseline"))
    assert "NOT STARTED  staging: 4 reasons; app:9 keeps running." in text
    assert all(each in text for each in ("above 3", "somebody deployed", "REFUTED", "no baseline"))
    assert ([], {HELD: "3"}) == (ecs.deployed, ecs.tags)


@pytest.mark.parametrize(
    ("change", "state", "why"),
    [
        ({"status": "DRAINING"}, "COMPLETED", "the service is DRAINING, not ACTIVE"),
        ({"desired": 0}, "COMPLETED", "the service runs no task"),
        ({"manners": {OLD: "stuck"}}, "IN_PROGRESS", "a deployment is under way"),
    ],
)
def test_an_unsafe_moment_is_refused(change: dict[str, Any], state: str, why: str) -> None:
    ecs = FakeEcs.running()
    ecs.deployments[0].state = state
    vars(ecs).update(change)
    assert why in failure(ecs, forward())
    assert [] == ecs.deployed


@pytest.mark.parametrize(
    ("configured", "deployments", "found"),
    [
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, 0, "deployment controller CODE_DEPLOY"),
        ({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}, 2, "deployment strategy BLUE_GREEN"),
    ],
)
def test_a_service_that_a_rollout_cannot_follow_is_refused_and_nobody_is_asked_to_wait(
    configured: dict[str, Any], deployments: int, found: str
) -> None:
    ecs = FakeEcs.running()
    ecs.configured, ecs.deployments = configured, ecs.deployments * max(1, deployments)
    text = failure(ecs, forward(), FakeGates())
    assert (True, False) == (found in text, "wait until it is COMPLETED" in text)
    assert ([], {}) == (ecs.deployed, ecs.tags)


def test_a_strategy_that_changes_under_the_lease_ends_the_run_before_the_swap() -> None:
    ecs = FakeEcs.running()

    def change() -> None:
        if RUN in ecs.tags:
            ecs.configured = {"deploymentConfiguration": {"strategy": "CANARY"}}

    ecs.on_observe = change
    assert "NOT STARTED  staging: 1 reason" in failure(ecs, forward(), FakeGates())
    assert ([], {}) == (ecs.deployed, ecs.tags)


def test_deployment_alarms_are_said_before_the_swap() -> None:
    ecs, said = FakeEcs.running(), list[str]()
    ecs.configured = {"deploymentConfiguration": {"alarms": {"enable": True, "alarmNames": ["5xx"]}}}
    assert go(ecs, forward(), FakeGates(), said=said).moved
    assert "ECS ends a deployment by the alarms 5xx" in said


def refuse_update(ecs: FakeEcs) -> None:
    """Let ECS refuse UpdateService as it does for a service of CodeDeploy."""

    def boundary(name: str) -> None:
        if name == "before swap":
            what = "Unable to update task definition on services with a CODE_DEPLOY deployment controller."
            raise AwsUnavailable("ecs:UpdateService app:8", "InvalidParameterException", what, status=400)

    ecs.at_boundary = boundary


def test_a_refused_update_is_no_rollback_and_keeps_what_aws_said() -> None:
    ecs, gates = FakeEcs.running(), FakeGates()
    refuse_update(ecs)
    text = failure(ecs, forward(), gates)
    assert text.startswith("NOT STARTED  staging: 1 reason; app:7 keeps running.\n")
    assert "answered InvalidParameterException (Unable to update task definition on services with a" in text
    assert "nothing was moved: change what AWS names, then update again" in text
    assert ([], {}, [], False) == (ecs.deployed, ecs.tags, gates.asked, "rolled" in text.lower())


def test_a_refusal_after_a_dead_run_had_swapped_puts_the_recorded_revision_back() -> None:
    ecs = FakeEcs.running(NEW)
    ecs.tags = Lease("run-0", OLD, NEW, ecs.clock.now - 100).tags()
    refused: list[str] = []

    def boundary(name: str) -> None:
        if name == "pre-flight" and not refused:
            refused.append(name)
            raise AwsUnavailable("ecs:DescribeTasks", "AccessDeniedException", status=400)

    ecs.at_boundary = boundary
    text = failure(ecs, forward(), FakeGates())
    assert text.startswith(
        "ROLLED BACK  staging: ecs:DescribeTasks: AWS answered AccessDeniedException during"
    )
    assert OLD == ecs.revision


def test_a_refused_tag_starts_nothing_and_keeps_what_aws_said() -> None:
    ecs = FakeEcs.running()

    def boundary(name: str) -> None:
        if name == "before tag":
            what = "Long arn format must be used for tagging operations"
            raise AwsUnavailable("ecs:TagResource", "InvalidParameterException", what, status=400)

    ecs.at_boundary = boundary
    text = failure(ecs, forward(), FakeGates())
    assert text.startswith("NOT STARTED  staging: ecs:TagResource: AWS answered InvalidParameterException")
    assert "Long arn format must be used for tagging operations" in text
    assert [] == ecs.deployed


def test_a_failed_gate_puts_the_recorded_revision_back_and_holds_the_service() -> None:
    ecs = FakeEcs.running()
    text = failure(
        ecs, forward(), FakeGates({NEW: "gate 3 providers/covered: not covered on 14 of 14 plans"})
    )
    assert text.startswith("ROLLED BACK  staging: gate 3 providers/covered: not covered on 14 of 14 plans\n")
    assert "app:7 runs again, 2/2, since" in text
    assert "set rolloutRelease above 0 in Pulumi.staging.yaml" in text
    assert ([NEW, OLD], (OLD, 1, False, ""), "0") == (ecs.deployed, settled(ecs), ecs.tags[HELD])


def test_after_a_rollback_nothing_swaps_until_the_release_is_raised() -> None:
    ecs = FakeEcs.running()
    failure(ecs, forward(), FakeGates({NEW: "gate 1"}))
    assert "raise rolloutRelease above 0" in failure(ecs, forward("run-2"), FakeGates())
    assert go(ecs, forward("run-3", release=1), FakeGates()).moved
    assert HELD not in ecs.tags


@pytest.mark.parametrize(
    ("manner", "why"),
    [
        ("failing", "tasks failed to start"),
        ("looping", "3 tasks of app:8 failed to start"),
        ("breaker", "ECS went back to app:7"),
        ("stuck", "not stable and green within 60 s"),
    ],
)
def test_a_deployment_that_does_not_arrive_is_undone(manner: str, why: str) -> None:
    ecs = FakeEcs.running(new=manner)
    text = failure(ecs, forward(), FakeGates())
    assert text.startswith("ROLLED BACK  staging: ")
    assert why in text
    assert (OLD, 1, False, "") == settled(ecs)


def test_stop_reasons_are_shown_with_the_failure() -> None:
    ecs = FakeEcs.running(new="failing")
    ecs.stopped = [
        {
            "taskDefinitionArn": NEW,
            "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "containers": [{"name": "app", "exitCode": 1}],
        }
    ]
    expected = "ECS says: app:8 stopped: Essential container in task exited (app: exit code 1)"
    assert expected in failure(ecs, forward(), FakeGates())


def test_a_revision_that_does_not_come_back_is_said_loudly_and_keeps_its_lease() -> None:
    ecs = FakeEcs.running(new="stuck", old="stuck")
    text = failure(ecs, forward(), FakeGates())
    assert text.startswith("NOT STABLE  staging: ")
    assert "app:7 was put back, but: not stable after 60 s" in text
    assert ecs.service_tags.lease.wish


def test_gates_that_fail_on_the_old_revision_too_are_reported() -> None:
    text = failure(FakeEcs.running(), forward(), FakeGates({NEW: "gate 3", OLD: "gate 3"}))
    assert "app:7 does not work: gate 3" in text


def test_gates_that_break_count_as_failed() -> None:
    def broken() -> None:
        raise ValueError("no browser")

    ecs = FakeEcs.running()
    assert "the gates could not be run: ValueError" in failure(ecs, forward(), FakeGates(during=broken))
    assert OLD == ecs.revision


def test_a_rollout_without_gates_says_plainly_that_they_were_not_run() -> None:
    said: list[str] = []
    go(FakeEcs.running(), forward(), None, said=said)
    assert any("gates NOT RUN" in line for line in said)


def test_a_second_run_is_refused_while_the_first_is_alive() -> None:
    ecs = FakeEcs.running()
    ecs.tags = Lease("run-1", OLD, NEW, ecs.clock.now - 5).tags()
    text = failure(ecs, forward("run-2"))
    assert "run run-1 moves this service (app:7 to app:8, last heartbeat 5 s ago)" in text
    assert ([], "run-1") == (ecs.deployed, ecs.tags[RUN])


def test_a_run_whose_lease_was_taken_over_touches_nothing_any_more() -> None:
    ecs = FakeEcs.running(new="stuck")

    once_swapped(ecs, lambda: ecs.tags.update({RUN: "run-9", HEARTBEAT: str(ecs.clock.now)}))
    assert "TAKEN OVER  staging: run run-9" in failure(ecs, forward(), FakeGates())
    assert ([NEW], "run-9") == (ecs.deployed, ecs.tags[RUN])


def test_tags_that_somebody_removed_are_written_again() -> None:
    ecs = FakeEcs.running()
    removed: list[int] = []

    def strip() -> None:
        if RUN in ecs.tags and not removed:
            removed.append(1)
            ecs.tags.clear()

    once_swapped(ecs, strip)
    assert go(ecs, forward(), FakeGates()).moved
    assert (NEW, 1, False, NEW) == settled(ecs)


def test_tags_that_make_no_sense_stop_everything() -> None:
    ecs = FakeEcs.running()
    ecs.tags = {RUN: "x"}
    assert "make no sense (the lease)" in failure(ecs, forward())


def test_a_wish_from_elsewhere_is_obeyed_at_once() -> None:
    ecs = FakeEcs.running(new="stuck")
    wished: list[float] = []

    def wish() -> None:
        if not ecs.tags.get(WISH):
            ecs.tags |= {WISH: "asked for by rollback", HELD: "0"}
            wished.append(ecs.clock.now)

    once_swapped(ecs, wish)
    text = failure(ecs, forward(), FakeGates())
    assert text.startswith("ROLLED BACK  staging: asked for by rollback")
    assert (OLD, 1, False, "") == settled(ecs)
    assert ecs.clock.now - wished[0] < 10


def test_a_heartbeat_keeps_the_lease_alive_while_waiting() -> None:
    ecs = FakeEcs.running(new="stuck")
    ages: list[float] = []

    def watch() -> None:
        if HEARTBEAT in ecs.tags:
            ages.append(ecs.clock.now - float(ecs.tags[HEARTBEAT]))

    ecs.on_observe = watch
    failure(ecs, forward(), FakeGates())
    assert max(ages) < 20


@pytest.mark.parametrize(
    ("goal", "tags"),
    [(back(release=4), {HELD: "4"}), (back(leaving=NEW, hold=False), {})],
    ids=["a rollback holds the service", "a removal does not"],
)
def test_going_back_runs_the_recorded_revision(goal: Goal, tags: dict[str, str]) -> None:
    ecs = FakeEcs.running()
    go(ecs, forward(), FakeGates())
    assert go(ecs, goal, FakeGates()).moved
    assert ((OLD, 1, False, ""), tags) == (settled(ecs), ecs.tags)


def test_going_back_from_elsewhere_asks_the_run_that_moves_the_service() -> None:
    ecs = FakeEcs.running(NEW)
    ecs.tags = Lease("run-1", OLD, NEW, ecs.clock.now, 2).tags()

    def other_run() -> None:
        if ecs.tags.get(WISH) and RUN in ecs.tags:
            ecs.deployments[0].revision = OLD
            ecs.tags = {HELD: ecs.tags[HELD]}

    ecs.on_observe = other_run
    go(ecs, back(), FakeGates())
    assert ([], "2", OLD) == (ecs.deployed, ecs.tags[HELD], ecs.revision)


def test_removing_a_rollout_leaves_somebody_elses_revision_alone() -> None:
    ecs = FakeEcs.running(OTHER)
    go(ecs, back(leaving=NEW, hold=False), FakeGates())
    assert ([], OTHER) == (ecs.deployed, ecs.revision)


def test_going_back_to_what_cannot_start_is_refused() -> None:
    ecs = FakeEcs.running(NEW)
    text = failure(ecs, back(), refusals=lambda: ("app:7: MONGODB_URI: there is no such secret",))
    assert "NOT ROLLED BACK  staging: 1 reason; app:8 keeps running." in text
    assert [] == ecs.deployed


def test_a_dead_run_for_another_revision_is_undone_first() -> None:
    ecs = FakeEcs.running(OTHER)
    ecs.deployments[0].state = "IN_PROGRESS"
    ecs.tags = Lease("run-0", OLD, OTHER, ecs.clock.now - 100).tags()
    go(ecs, forward(), FakeGates())
    assert ([OLD, NEW], (NEW, 1, False, NEW)) == (ecs.deployed, settled(ecs))


def test_an_answer_that_aws_owes_for_a_minute_is_undone_when_it_answers_again() -> None:
    ecs = FakeEcs.running(new="stuck")
    once_swapped(ecs, lambda: silence() if ecs.clock.now < 1_000_000 + 100 else None)
    text = failure(ecs, forward(deadline_seconds=300.0), FakeGates())
    assert text.startswith("ROLLED BACK  staging: ecs:DescribeServices: AWS answered")
    assert OLD == ecs.revision


def test_aws_that_never_answers_again_ends_the_run_with_what_is_not_known() -> None:
    ecs = FakeEcs.running(new="stuck")
    once_swapped(ecs, silence)
    with pytest.raises(
        RolloutFailed, match="NOT KNOWN  staging: ecs:DescribeServices: AWS answered"
    ) as caught:
        go(ecs, forward(), FakeGates())
    assert 3 == caught.value.exit_code


def test_a_hold_that_comes_between_the_look_and_the_lease_stops_the_swap() -> None:
    """A rollback elsewhere ended in between: it goes before what this run has not observed."""
    ecs = FakeEcs.running()

    def hold() -> None:
        if RUN in ecs.tags:
            ecs.tags.setdefault(HELD, "0")

    ecs.on_observe = hold
    assert "held: raise rolloutRelease above 0" in failure(ecs, forward(), FakeGates())
    assert ([], {HELD: "0"}) == (ecs.deployed, ecs.tags)


def test_a_green_rollout_that_died_before_its_lease_was_off_is_ended_and_not_judged_again() -> None:
    ecs = FakeEcs.running()
    go(ecs, forward("run-0"), FakeGates())
    ecs.tags |= Lease("run-0", OLD, NEW, ecs.clock.now - 1000).tags()
    gates = FakeGates({NEW: "gate 6: no browser"})
    assert not go(ecs, forward("run-1"), gates, refusals=lambda: ("the soak before is unknown",)).moved
    assert ([NEW], (NEW, 1, False, NEW), []) == (ecs.deployed, settled(ecs), gates.asked)


def remade(revision: str) -> Chosen:
    return Chosen(REMADE if revision == OLD else revision)


def none(revision: str) -> Chosen:
    return Chosen(revision, "there is no way back to app:7: MONGODB_URI: the server refuses its login")


def test_a_rollout_records_the_way_back_that_can_run_before_it_swaps() -> None:
    ecs = FakeEcs.running()
    go(ecs, forward(), FakeGates(), way_back=remade)
    assert ([NEW], REMADE) == (ecs.deployed, ecs.tags[BOUND_PRIOR])


def test_a_failed_gate_ends_on_the_definition_with_credentials_that_work() -> None:
    ecs = FakeEcs.running()
    text = failure(ecs, forward(), FakeGates({NEW: "gate 3"}), way_back=remade)
    assert ([NEW, REMADE], (REMADE, 1, False, "")) == (ecs.deployed, settled(ecs))
    assert "app:10 runs again, 2/2" in text
    assert "app:10 works: the gates are green" in text


def test_a_check_of_the_way_back_that_breaks_does_not_stop_an_undo() -> None:
    def broken(_: str) -> Chosen:
        raise KeyError("secrets")

    ecs, said = FakeEcs.running(NEW), list[str]()
    go(ecs, back(), FakeGates(), said=said, way_back=broken)
    assert [OLD] == ecs.deployed
    assert "whether app:7 can run again is unknown: KeyError: 'secrets'" in said


def test_without_a_way_back_nothing_is_swapped() -> None:
    ecs = FakeEcs.running()
    text = failure(ecs, forward(), FakeGates(), way_back=none)
    assert text.startswith("NOT STARTED  staging: 1 reason; app:7 keeps running.\n")
    assert ([], False) == (ecs.deployed, RUN in ecs.tags)


def test_a_service_is_not_put_back_onto_refused_credentials() -> None:
    ecs = FakeEcs.running(NEW)
    ecs.tags = Lease("dead", OLD, NEW, ecs.clock.now - 1000, wish="asked for").tags()
    text = failure(ecs, forward(), FakeGates(), way_back=none)
    assert "app:7 was not put back: there is no way back to app:7" in text
    assert ([], NEW) == (ecs.deployed, ecs.revision)


@pytest.mark.parametrize(
    ("running", "way_back", "runs", "deployed"),
    [
        (NEW, Chosen, OLD, [OLD]),
        (OLD, Chosen, OLD, []),
        (NEW, remade, REMADE, [REMADE]),
        (OLD, remade, REMADE, [REMADE]),
    ],
)
def test_a_rollback_always_ends_with_the_gates(
    running: str, way_back: Callable[[str], Chosen], runs: str, deployed: list[str]
) -> None:
    ecs, gates, said = FakeEcs.running(running), FakeGates(), list[str]()
    done = go(ecs, back(), gates, said=said, way_back=way_back)
    assert (deployed, (runs, 1, False, ""), [runs]) == (ecs.deployed, settled(ecs), gates.asked)
    assert (runs, "0") == (done.revision, ecs.tags[HELD])
    assert said[-1].splitlines()[-1].endswith("works: the gates are green")


def test_a_rollback_without_any_way_back_touches_nothing() -> None:
    ecs = FakeEcs.running(NEW)
    text = failure(ecs, back(), FakeGates(), way_back=none)
    assert text.startswith("NOT ROLLED BACK  staging: 1 reason; app:8 keeps running.\n")
    assert ([], {}) == (ecs.deployed, ecs.tags)


@pytest.mark.parametrize("running", [NEW, OLD])
@pytest.mark.parametrize(
    ("unknown", "code", "head", "works"),
    [
        (False, 1, "GATES RED  staging: app:7 running 2/2 again", "app:7 does not work: gate 3"),
        (True, 3, "NOT KNOWN  staging: app:7 running 2/2 again", "Whether app:7 works is unknown: gate 3"),
    ],
)
def test_a_rollback_whose_gates_are_not_green_is_no_success(
    running: str, unknown: bool, code: int, head: str, works: str
) -> None:
    gates = FakeGates({OLD: "gate 3"}, unknown=unknown)
    with pytest.raises(RolloutFailed) as caught:
        go(FakeEcs.running(running), back(), gates)
    first, *_, last = str(caught.value).splitlines()
    assert (code, True, head, f"  {works}") == (caught.value.exit_code, caught.value.moved, first, last)


def test_a_rollback_without_gates_says_that_nobody_knows() -> None:
    said: list[str] = []
    done = go(FakeEcs.running(NEW), back(), None, said=said)
    assert done.gates is not None
    assert done.gates.unknown
    assert "Whether app:7 works is unknown: not run: there is no smoke baseline" in said[-1]
