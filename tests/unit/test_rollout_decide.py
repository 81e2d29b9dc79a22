"""The next step of a rollout, over every combination of what can be observed and known; how state and tags are read."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from rollout_world import NEW, OLD, OTHER, REMADE, SERVICE_ARN, FakeEcs, back, forward

from atlas_access.clients import Alarm
from atlas_access.rollout.decide import STALE_SECONDS, decide
from atlas_access.rollout.gates import NOT_RUN, ROUNDS
from atlas_access.rollout.model import Deployment, Progress, ServiceState, judge
from atlas_access.rollout.service import Service, ServiceMissing
from atlas_access.rollout.service_tags import (
    Bound,
    Lease,
    ServiceTags,
    TagUnwritable,
    clean,
    read_service_tags,
)
from atlas_access.rollout.steps import (
    Abandon,
    Ask,
    Beat,
    Bind,
    Done,
    Effect,
    Goal,
    Hold,
    Judge,
    Learnt,
    Lost,
    NotStable,
    Observed,
    Refused,
    Release,
    RolledBack,
    Secure,
    Settle,
    Swap,
    Take,
    Undo,
    Undone,
    Wait,
    Way,
)

NOW = 10_000.0


def service(
    revision: str, *, state: str = "COMPLETED", others: bool = False, status: str = "ACTIVE", failed: int = 0
) -> ServiceState:
    running = 2 if state == "COMPLETED" else 1
    first = Deployment(
        revision, primary=True, state=state, running=running, desired=2, failed_tasks=failed, reason=""
    )
    rest = (
        Deployment(OLD, primary=False, state="COMPLETED", running=2, desired=0, failed_tasks=0, reason=""),
    )
    return ServiceState(status, revision, 2, (first, *(rest if others else ())), "event", SERVICE_ARN)


SERVICES = [
    *(service(each) for each in (OLD, NEW, OTHER)),
    *(service(each, state="IN_PROGRESS", others=True) for each in (OLD, NEW, OTHER)),
    *(service(each, state="FAILED", others=True) for each in (OLD, NEW)),
    service(NEW, state="IN_PROGRESS", failed=5),
    service(NEW, others=True),
    service(REMADE),
    service(OLD, status="DRAINING"),
    ServiceState("INACTIVE", OLD, 0, (), "", SERVICE_ARN),
    ServiceState("ACTIVE", OLD, 0, (), "", SERVICE_ARN),
]
LEASES = [
    None,
    *(
        Lease(run, OLD, wanted, NOW - age, 0, wish)
        for run, wanted, age, wish in product(
            ("me", "other"), (NEW, OTHER), (0.0, STALE_SECONDS + 1), ("", "asked for")
        )
    ),
    *(Lease("me", OLD, NEW, NOW, 0, wish, REMADE) for wish in ("", "asked for")),
]
HELD = [None, 0]
ALARMS = [(), *((Alarm("5xx", ok, "why"),) for ok in (True, False, None))]
BOUNDS = [None, Bound(NEW, OLD, 1.0, 0), Bound(OTHER, OLD, 1.0, 0)]
WAYS = [((OLD, OLD), ""), (None, ""), ((OLD, REMADE), ""), ((OLD, OLD), "no way back")]
LEARNT = [
    Learnt(NOW - spent, refusals=refusals, taken=taken, since=NOW - spent, swapped_to=swapped,
         swaps=1 if swapped else 0, green=green, cause=cause, undoing_since=undoing, gates_after=after,
         secured=secured, no_way_back=none)
    for spent, refusals, taken, (swapped, green), (cause, undoing, after), (secured, none) in product(
        (1.0, 1000.0),
        (None, (), ("REFUTED",)),
        (None, Lease("me", OLD, NEW, NOW)),
        (("", 0), (NEW, 0), (NEW, ROUNDS)),
        (("", None, None), ("gate 3", None, None), ("gate 3", NOW - 1, None), ("gate 3", NOW - 900, NOT_RUN)),
        WAYS,
    )
    if (secured, none) == WAYS[0] or (refusals == () and taken)
]  # fmt: skip
GOALS = [forward("me"), back("me"), back("me", leaving=NEW, hold=False)]


def cases() -> Iterator[tuple[Goal, Observed, Learnt]]:
    for goal, state, lease, held, bound, result in product(GOALS, SERVICES, LEASES, HELD, BOUNDS, LEARNT):
        yield goal, Observed(state, ServiceTags(lease, held, bound), NOW, NOW), result


def check(goal: Goal, observed: Observed, learnt: Learnt, effect: Effect) -> None:
    lease, state = observed.service_tags.lease, observed.service
    mine = lease is not None and lease.run == goal.run
    alive = lease is not None and NOW - lease.heartbeat < STALE_SECONDS
    if lease is not None and not mine and alive:
        assert isinstance(effect, Refused | Ask | Wait | Lost), "another run's service was touched"
        return
    if isinstance(effect, Swap | Judge | Undo | Beat | Settle | Release | Bind | Abandon) and not (
        isinstance(effect, Settle | Judge) and goal.way is Way.BACK and lease is None
    ):
        assert mine, "a step without a lease of our own"
    assert lease is not None or not isinstance(effect, Ask)
    match effect:
        case Swap(revision) if lease is not None and revision in (OLD, REMADE):
            assert (revision, revision, "") == (
                lease.target,
                learnt.way_to(revision),
                learnt.no_way_back,
            ), "put back unproven"
            assert lease.wish, "put back before the wish to undo was written"
        case Swap(revision):
            assert lease is not None
            assert (goal.way, NEW, ()) == (Way.FORWARD, revision, learnt.refusals)
            assert (lease.target, "") == (learnt.way_to(lease.target), learnt.no_way_back), "no way back"
            assert not lease.wish, "forward although it is to be undone"
            assert observed.service_tags.held is None or goal.release > observed.service_tags.held, (
                "forward although it is held"
            )
            assert state.runs(lease.prior) or state.runs(lease.target)
            assert not learnt.cause
        case Judge(revision):
            assert state.runs(revision)
        case Bind(bound):
            assert lease is not None
            assert not lease.wish
            assert state.runs(NEW)
            assert (ROUNDS, NEW) == (learnt.green, bound.revision)
        case Release(freely) if freely:
            assert state.runs(NEW)
            assert ROUNDS == learnt.green or not learnt.swapped_to, "let go before it was green"
            assert observed.service_tags.held is None or goal.release > observed.service_tags.held, (
                "a hold was taken off"
            )
            assert observed.service_tags.bound is not None
            assert NEW == observed.service_tags.bound.revision
        case Release():
            assert lease is not None
            assert any(map(state.runs, (lease.prior, lease.wanted, lease.target)))
        case Settle():
            assert state.runs(lease.target if lease else learnt.way_to(goal.prior) or goal.prior)
        case Done(revision, foreign=foreign):
            assert state.revision == revision
            assert state.runs(revision) or foreign
            if goal.way is Way.FORWARD:
                assert observed.service_tags.bound is not None
                assert (NEW, NEW) == (revision, observed.service_tags.bound.revision)
        case Take(taken) if lease is not None:
            assert (lease.prior, lease.wanted) == (taken.prior, taken.wanted), "a dead run's record was lost"
            assert taken.target in (lease.target, learnt.way_to(lease.target))
            assert not lease.wish or taken.wish
        case Take() if learnt.taken is None and goal.way is Way.FORWARD:
            assert () == learnt.refusals
            assert state.runs(OLD) or state.runs(NEW)
            assert observed.service_tags.held is None
        case Bind():
            assert all(each.ok for each in observed.alarms), "bound with an alarm that is not OK"
        case Hold():
            assert state.runs(learnt.way_to(goal.prior) or goal.prior)
        case Refused(reasons):
            assert reasons
            assert all(reasons)
        case Abandon(why):
            assert why
            assert learnt.swapped_to == ""
        case _:
            assert (
                isinstance(effect, Beat | Wait | Undo | NotStable | RolledBack | Take | Secure)
                or str(effect) == "Preflight()"
            )


@pytest.mark.thorough
def test_no_combination_leads_to_an_unsafe_step(record_property: Any) -> None:
    count = 0
    for goal, observed, result in cases():
        check(goal, observed, result, decide(goal, observed, result))
        count += 1
    record_property("says", f"rollout: {count} combinations decided, no unsafe step")
    assert count > 100_000


revisions = st.sampled_from([OLD, NEW, OTHER])
deployments = st.builds(
    Deployment,
    revision=revisions,
    primary=st.booleans(),
    state=st.sampled_from(["COMPLETED", "IN_PROGRESS", "FAILED", ""]),
    running=st.integers(0, 3),
    desired=st.integers(0, 3),
    failed_tasks=st.integers(0, 4),
    reason=st.just(""),
)


@pytest.mark.thorough
@settings(max_examples=2000, deadline=None)
@given(
    state=st.builds(
        ServiceState,
        status=st.sampled_from(["ACTIVE", "DRAINING", "INACTIVE"]),
        revision=revisions,
        desired=st.integers(0, 3),
        deployments=st.lists(deployments, max_size=3).map(tuple),
        latest_event=st.just("e"),
        arn=st.just(SERVICE_ARN),
    ),
    lease=st.sampled_from(LEASES),
    held=st.sampled_from(HELD),
    bound=st.sampled_from(BOUNDS),
    learnt=st.sampled_from(LEARNT),
    goal=st.sampled_from(GOALS),
    alarms=st.sampled_from(ALARMS),
)
def test_whatever_ecs_and_cloudwatch_answer_no_step_is_unsafe(
    state: Any, lease: Any, held: Any, bound: Any, learnt: Any, goal: Goal, alarms: Any
) -> None:
    observed = Observed(state, ServiceTags(lease, held, bound), NOW, NOW, alarms)
    check(goal, observed, learnt, decide(goal, observed, learnt))


@pytest.mark.parametrize(("release", "allowed"), [(0, False), (5, False), (6, True)])
def test_a_hold_is_lifted_by_a_higher_release_only(release: int, allowed: bool) -> None:
    goal = forward("me", release=release)
    effect = decide(goal, Observed(service(OLD), ServiceTags(held=5), NOW, NOW), Learnt(NOW, refusals=()))
    assert allowed == isinstance(effect, Take)


def test_an_undone_rollout_ends_as_rolled_back() -> None:
    result = Learnt(NOW, refusals=(), undone=Undone("gate 3", NEW))
    effect = decide(forward("me"), Observed(service(OLD), ServiceTags(held=0), NOW, NOW), result)
    assert RolledBack(Undone("gate 3", NEW)) == effect


def test_a_circuit_breakers_silent_return_is_no_success() -> None:
    state = Service(FakeEcs.running(), "c", "app").observe()
    assert judge(state, NEW).progress is Progress.FAILED


def test_completed_with_fewer_tasks_than_desired_is_still_waited_for() -> None:
    one = {"status": "PRIMARY", "rolloutState": "COMPLETED", "runningCount": 1}
    known = {"taskDefinition": NEW, "desiredCount": 2}
    state = ServiceState.of({"status": "ACTIVE", **known, "deployments": [known | one]})
    assert judge(state, NEW).progress is Progress.WAITING


def test_a_missing_service_is_named_with_the_settings_to_check() -> None:
    class Empty(FakeEcs):
        def describe_services(self, **_: Any) -> Any:
            return {"services": []}

    with pytest.raises(ServiceMissing, match="ECS cluster c has no service app"):
        Service(Empty.running(), "c", "app").observe()


def test_a_lease_reads_back_as_it_was_written() -> None:
    lease = Lease("run-1", OLD, NEW, 12.5, 3, "gate 3")
    assert lease == read_service_tags(lease.tags()).lease


def test_a_cause_is_written_in_the_letters_of_a_tag() -> None:
    assert "gate 3: Tyler Wood not covered" == clean('gate 3: "Tyler Wood" not covered')


def test_an_arn_that_does_not_fit_a_tag_is_refused() -> None:
    with pytest.raises(TagUnwritable):
        Lease("run", "a" * 300, NEW, 1.0).tags()
