"""A migration's standing: each phase judged from facts; unknown is never done, and nothing is next before its time."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, strategies as st

from atlas_access.base import Format, render
from atlas_access.base.endpoints import Endpoints
from atlas_access.base.observed import Unread
from atlas_access.base.settings import check_settings
from atlas_access.cli.status import commands
from atlas_access.clients.atlas_sign_in import SignIn
from atlas_access.drift import Wanted
from atlas_access.drift.finding import Difference, Drift, Kind, Target
from atlas_access.retirement import status_facts as looks
from atlas_access.retirement.inventory import (
    Belongs,
    LegacyInventory,
    RoleRow,
    SecretRow,
    Standing,
    Use,
    UserRow,
)
from atlas_access.retirement.journal import SINCE, STAGE
from atlas_access.retirement.observe_status import baseline_captured
from atlas_access.retirement.report_status import status_report
from atlas_access.retirement.status import NEEDS, Fact, Migration, State, Step, migration
from atlas_access.rollout.model import Deployment, ServiceState
from atlas_access.rollout.service_tags import Bound, Lease, ServiceTags
from atlas_access.rollout.soak import ObservedSoak, spike, unknown
from tests.unit.manifests import ROOT, manifest

NEW, OLD = "arn:aws:ecs:us-east-1:1:task-definition/app:8", "arn:aws:ecs:us-east-1:1:task-definition/app:7"
T = 1_780_000_000.0
CAPTURED = Fact(holds=True, evidence="14 plans")
facts = st.fixed_dictionaries(
    {},
    optional={
        step: st.builds(
            Fact, st.sampled_from([True, False, None]), st.just("observed"), st.sampled_from([(), ("held",)])
        )
        for step in Step
    },
)


def judged(observed: dict[Step, Fact]) -> Migration:
    return migration("staging", observed, commands("staging", "staging", sandbox=False))


@given(facts)
def test_only_what_holds_is_done(observed: dict[Step, Fact]) -> None:
    done = {each.step for each in judged(observed).phases if each.state is State.DONE}
    assert {step for step, fact in observed.items() if fact.holds} == done


@given(facts)
def test_what_is_next_has_nothing_open_before_it_and_nothing_against_it(observed: dict[Step, Fact]) -> None:
    found = {each.step: each for each in judged(observed).phases}
    for each in found.values():
        if each.state is State.NEXT:
            assert [] == [need for need in NEEDS[each.step] if found[need].state is not State.DONE]
            assert () == observed[each.step].against


@given(facts)
def test_every_blocked_phase_says_by_what_and_every_open_one_how_to_go_on(observed: dict[Step, Fact]) -> None:
    for each in judged(observed).phases:
        assert (each.state is State.BLOCKED) <= bool(each.blocked_by)
        assert (each.state is State.DONE) is (each.command == "")


def test_every_need_comes_before() -> None:
    order = list(Step)
    assert [] == [(a, b) for a, needs in NEEDS.items() for b in needs if order.index(b) >= order.index(a)]


def all_done() -> dict[Step, Fact]:
    return {step: Fact(holds=True, evidence="observed") for step in Step}


def test_the_retirement_waits_for_an_unknown_local_file() -> None:
    observed = all_done() | {
        Step.LOCAL: Fact(holds=None, evidence="not here"),
        Step.RETIREMENT: Fact(holds=False, evidence="9 left"),
    }
    found = {each.step: each for each in judged(observed).phases}
    assert (State.UNKNOWN, State.BLOCKED) == (found[Step.LOCAL].state, found[Step.RETIREMENT].state)
    assert ("E local file (unknown)",) == found[Step.RETIREMENT].blocked_by


def test_the_first_line_is_the_answer() -> None:
    assert "DONE  staging: every phase" == status_report(judged(all_done())).headline
    one = all_done() | {
        Step.CODE: Fact(holds=False, evidence="src/db.ts:4: MONGODB_URI_PLANS_WRITE is deprecated")
    }
    assert "NEXT  staging: F code; 10 of 11 phases done" == status_report(judged(one)).headline
    held = all_done() | {Step.SWAP: Fact(holds=False, evidence="app:7 runs", against=("it is held",))}
    assert "BLOCKED  staging; 10 of 11 phases done" == status_report(judged(held)).headline


@given(facts)
def test_what_nobody_could_say_is_unknown_in_the_first_line_and_the_exit_code(
    observed: dict[Step, Fact],
) -> None:
    found = judged(observed)
    report = status_report(found)
    unknown = {step for step in Step if observed.get(step, Fact(None, "")).holds is None}
    assert unknown == {each.step for each in found.phases if each.state is State.UNKNOWN}
    assert bool(unknown) is (report.label == "UNKNOWN") is (report.status.exit_code == 3)
    named = report.headline.split(" unknown (")[0]
    assert not unknown or {
        f"{each.step.value} {each.name}" in named for each in found.phases if each.step in unknown
    } == {True}


def test_every_format_carries_every_phase_with_state_and_evidence() -> None:
    found = judged(
        {Step.BASELINE: Fact(holds=True, evidence="14 plans"), Step.USERS: Fact(False, "3 | missing")}
    )
    data = json.loads(render(status_report(found), Format.JSON))
    assert [each.value for each in Step] == [each["phase"] for each in data["phases"]]
    assert ("B", "14 plans") == (data["next"], data["phases"][0]["evidence"])
    text, page = render(status_report(found), Format.TEXT), render(status_report(found), Format.MD)
    assert [] == [each.name for each in found.phases if each.name not in text or each.name not in page]
    assert "3 | missing" not in page


# What each observation says of what was read.


def asked(stack: str = "staging", **more: object) -> looks.StatusOrder:
    files = {each: (ROOT / f"Pulumi.{each}.yaml").read_text() for each in ("staging", "prod")}
    settings = {each: check_settings(each, files, sandbox=True) for each in files}
    settings[stack] = settings[stack].model_copy(update=more)
    wanted = Wanted(stack, manifest(), settings[stack], (), datetime.fromtimestamp(T, UTC))
    return looks.StatusOrder(wanted, settings, SignIn("a", "b"), Endpoints.from_environment({}), ROOT)


def live(
    revision: str = NEW, *, service_tags: ServiceTags | None = None, tags: dict[str, str] | None = None
) -> looks.Live:
    deployment = Deployment(revision, True, "COMPLETED", 2, 2, 0, "", T)
    state = ServiceState("ACTIVE", revision, 2, (deployment,), "", "arn")
    return looks.Live(state, service_tags or ServiceTags(bound=Bound(NEW, OLD, T)), tags or {})


@pytest.mark.parametrize(("revision", "holds"), [(NEW, True), (OLD, False)])
def test_only_what_a_green_rollout_ended_on_is_swapped_and_gated(revision: str, holds: bool) -> None:
    assert holds is looks.swap(asked(), live(revision), None).holds
    assert holds is looks.gates(asked(), live(revision), CAPTURED).holds


@pytest.mark.parametrize(
    ("service_tags", "expected"),
    [
        (ServiceTags(lease=Lease("run-1", OLD, NEW, T)), "run run-1 is moving it to app:8"),
        (ServiceTags(held=0), "it was rolled back and is held: raise rolloutRelease above 0"),
    ],
)
def test_a_service_busy_or_held_says_what_is_against_it(service_tags: ServiceTags, expected: str) -> None:
    assert (expected,) == looks.swap(asked(), live(OLD, service_tags=service_tags), None).against


def test_a_hold_that_was_released_by_configuration_is_none() -> None:
    assert (
        () == looks.swap(asked(rollout_release=1), live(OLD, service_tags=ServiceTags(held=0)), None).against
    )


def test_a_spent_repair_that_is_still_configured_is_shown_with_the_remedy() -> None:
    spent = replace(live(), repair_spent_by=NEW)
    assert "the repair was spent by app:8: remove atlas-access:repair from Pulumi.staging.yaml" in (
        looks.swap(asked(), spent, None).evidence
    )


def test_tags_edited_by_hand_are_unknown() -> None:
    assert looks.swap(asked(), live(service_tags=ServiceTags(broken="the lease")), None).holds is None


ABSENT = Fact(holds=False, evidence="staging.json is not there")


@pytest.mark.parametrize(
    ("changes", "baseline"),
    [({"allow_ungated_rollout": True}, CAPTURED), ({}, ABSENT)],
    ids=["nobody had to run them", "no baseline"],
)
def test_gates_without_a_baseline_or_a_duty_are_unknown(changes: dict[str, object], baseline: Fact) -> None:
    assert looks.gates(asked(**changes), live(), baseline).holds is None


def test_a_service_that_was_not_read_is_unknown() -> None:
    nothing = looks.Live(None, ServiceTags(), {}, "AWS answered AccessDenied")
    swapped, gated = looks.swap(asked(), nothing, None), looks.gates(asked(), nothing, CAPTURED)
    assert [None, None] == [swapped.holds, gated.holds]


def soaking(minutes: float, *sources: object) -> ObservedSoak:
    state = live().state
    assert state is not None
    return ObservedSoak("staging", state, ServiceTags(bound=Bound(NEW, OLD, T)), T + minutes * 60, sources)  # type: ignore[arg-type]


def test_prods_swap_waits_for_stagings_soak() -> None:
    found = looks.swap(asked("prod"), live(OLD, service_tags=ServiceTags()), soaking(12))
    assert ("staging has soaked 12 of 30 minutes; update again in 18 minutes",) == found.against


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        (soaking(31, spike("service logs", 0, 1)), True),
        (soaking(29.9, spike("service logs", 0, 1)), False),
        (soaking(31, spike("service logs", 0, 9)), False),
        (soaking(31, unknown("service logs", "AWS answered AccessDenied")), None),
        ("staging: whether it is bound is unknown", None),
        (soaking(-5), False),
    ],
)
def test_a_soak_is_done_only_when_long_and_clear(observed: ObservedSoak | str, expected: bool | None) -> None:
    assert expected is looks.soaked(live(), observed, 30).holds


def drifted(*findings: Difference, unread: tuple[Unread, ...] = ()) -> Drift:
    return Drift("staging", datetime.fromtimestamp(T, UTC), findings, unread)


@pytest.mark.parametrize(
    ("kind", "name", "holds"), [(Kind.USER_MISSING, "app_read", False), (Kind.USER_UNMANAGED, "who", True)]
)
def test_a_missing_managed_user_is_reported_an_unknown_one_not(kind: Kind, name: str, holds: bool) -> None:
    found = Difference(kind, "c", name, "the user is not as declared", "", target=Target("USER", name))
    assert holds is looks.users(asked(), drifted(found)).holds


@pytest.mark.parametrize(
    ("look", "what"),
    [
        (looks.users, "database users"),
        (looks.users, "custom roles"),
        (looks.secrets, "secret staging/mongodb/app-read-v2"),
        (looks.secrets, "AWS account"),
        (looks.secrets, "key alias/askflorence-staging"),
    ],
)
def test_users_and_secrets_that_were_not_read_are_unknown(look: Callable[..., Fact], what: str) -> None:
    assert look(asked(), drifted(unread=(Unread(what, "denied"),))).holds is None


def test_a_secret_in_its_recovery_window_is_not_there() -> None:
    gone = Difference(
        Kind.SECRET_RECOVERY, "AWS", "staging/mongodb/app-read-v2", "the secret was deleted", ""
    )
    assert looks.secrets(asked(), drifted(gone)).holds is False


def inventory(
    user: Standing, role: Standing, secret: Standing, unread: tuple[Unread, ...] = ()
) -> LegacyInventory:
    return LegacyInventory(
        "staging", False,
        (UserRow("audit_reader", Belongs.LEGACY, user, ()),),
        (RoleRow("role_audit_reader", Belongs.LEGACY, role),),
        (SecretRow("staging/mongodb/audit-read", "staging", Belongs.LEGACY, secret),),
        unread,
    )  # fmt: skip


def test_the_retirement_is_done_when_nothing_legacy_can_be_used() -> None:
    gone, there = (Standing.MISSING, Standing.SCHEDULED), (Standing.PRESENT, Standing.TOMBSTONED)
    for user, role, secret in product((*gone[:1], *there), gone[:1] + there[:1], gone + there[:1]):
        held = looks.retirement(inventory(user, role, secret), live()).holds
        assert (user in gone and role in gone and secret in gone) is held


def test_a_legacy_secret_that_something_still_names_is_against_the_retirement() -> None:
    uses = (
        Use("staging", "app:7", "MONGODB_URI", running=True, active=True),
        Use("staging", "app:6", "MONGODB_URI", running=False, active=True),
        Use("prod", "prod-app:12", "MONGODB_REFERENCE_URI", running=False, active=True),
    )
    observed = inventory(Standing.PRESENT, Standing.PRESENT, Standing.PRESENT)
    observed = replace(observed, secrets=(replace(observed.secrets[0], uses=uses),))
    assert (
        "app:7 runs on legacy secrets",
        "prod still has revisions that name a legacy secret (prod-app:12): retire prod first",
    ) == looks.retirement(observed, live()).against


def test_a_tombstoned_user_is_reported_with_the_services_own_record() -> None:
    tags = {STAGE: "tombstoned", SINCE: str(T)}
    result = looks.retirement(
        inventory(Standing.TOMBSTONED, Standing.PRESENT, Standing.PRESENT), live(tags=tags)
    ).evidence
    assert "1 of 1 legacy users left (1 tombstoned), 1 roles, 1 readable secrets" in result
    assert "tombstoned since 2026-05-28" in result


def test_a_retirement_of_which_something_was_not_read_is_unknown() -> None:
    unread = (Unread("custom roles", "403"),)
    found = looks.retirement(inventory(Standing.MISSING, Standing.MISSING, Standing.MISSING, unread), live())
    assert found.holds is None


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_without_a_baseline_that_phase_is_not_done(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATLAS_ACCESS_SANDBOX", raising=False)
    order = asked(stack, smoke_baseline="baselines/nobody.json")
    found = baseline_captured(order.stack, order.own, order.folder)
    assert Fact(holds=False, evidence="nobody.json is not there") == found


def test_a_baseline_that_is_none_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    order = asked(smoke_baseline="access.yaml")
    found = baseline_captured(order.stack, order.own, order.folder)
    assert (False, True) == (found.holds, "access.yaml" in found.evidence)
