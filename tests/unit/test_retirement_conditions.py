"""The gate: each condition met, unmet and unknown, with its evidence; whatever is not known never passes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from retirement_world import DAY, IDLE, STACK, observed

from atlas_access.base import Finding, Status, What
from atlas_access.base.observed import Unread
from atlas_access.base.phases import Step
from atlas_access.drift.finding import Difference, Drift, Kind
from atlas_access.retirement.judge import conditions
from atlas_access.retirement.model import (
    CONDITIONS,
    FRESH_SECONDS,
    SLOW_TO_ASK,
    SOAKED,
    TERRAFORM,
    Condition,
    evidence_json,
    fresh_from,
    open_ones,
)
from atlas_access.retirement.observed import (
    BoundRevision,
    LegacyLogin,
    ObservedAccount,
    ObservedService,
    SoakLogins,
)
from policy.rules.phases import RETIREMENT_CONDITIONS

WALL = 10 * DAY
MINUTE, HOUR = 60.0, 3600.0
UNREAD = Unread("it", "AWS answered AccessDeniedException")


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def judged(name: str, step: Step = Step.TOMBSTONE, *, strict: bool = True, **changes: Any) -> Condition:
    found = {each.name: each for each in conditions(observed(step, WALL, **changes), strict=strict)}
    return found[name]


def bound(*used_by: str, active: bool = True, environment: str = STACK) -> tuple[ObservedAccount, ...]:
    revision = BoundRevision(IDLE[0], active, ("staging/mongodb/plans-write",), used_by)
    return (
        ObservedAccount(environment, 9, (revision,)),
        *(() if environment == STACK else (ObservedAccount(STACK, 9),)),
    )


def services(**changes: Any) -> tuple[ObservedService, ...]:
    own = {"environment": STACK, "running": "app:9", "since": WALL - DAY, "completed": 3}
    return (ObservedService(**{**own, **changes}), ObservedService("prod", "app:14", WALL - DAY))


def acknowledged(*moments: float | None) -> dict[str, Any]:
    """What was acknowledged at these moments: the local file, the code, and the logins."""
    stated = zip((What.LOCAL_VERIFIED, What.CODE_VERIFIED, What.NO_LOGIN_HISTORY), moments, strict=False)
    return {"acknowledged": {what: at(each) for what, each in stated if each is not None}}


def test_the_names_are_those_that_the_policy_pack_asks_for() -> None:
    assert RETIREMENT_CONDITIONS == CONDITIONS


def test_a_gate_with_everything_in_order_is_met_throughout() -> None:
    for step, names in ((Step.TOMBSTONE, CONDITIONS), (Step.DELETE, (*CONDITIONS, SOAKED, TERRAFORM))):
        found = conditions(observed(step, WALL))
        assert names == tuple(each.subject for each in found)
        assert () == open_ones(found)


DRIFTED = Drift(
    STACK, at(WALL), (Difference(Kind.USER_UNMANAGED, "c", "app_writer_plans2", "the user is new", "m"),)
)
UNMET, UNKNOWN = Status.BAD, Status.UNKNOWN
BROKEN: dict[str, dict[str, tuple[Status, dict[str, Any], str]]] = {
    "no_legacy_bound_revision": {
        "a revision that a service runs": (UNMET, {"accounts": bound("service app")}, "used by service app"),
        "INACTIVE and still running": (UNMET, {"accounts": bound("task 1a2b", active=False)}, "(INACTIVE)"),
        "a rule names it": (UNMET, {"accounts": bound("rule default/nightly")}, "rule default/nightly"),
        "prod's account still names app_read_staging's secret": (
            UNMET,
            {"accounts": bound(environment="prod")},
            "prod: 1 idle revisions (app:6)",
        ),
        "an account cannot be read": (
            UNKNOWN,
            {"accounts": (ObservedAccount(STACK, 9), UNREAD)},
            "AccessDenied",
        ),
        "the own account was not inspected": (
            UNKNOWN,
            {"accounts": (ObservedAccount("prod", 9),)},
            "not inspected",
        ),
    },
    "three_completed_deployments": {
        "two": (UNMET, {"services": services(completed=2)}, "2 of 3"),
        "not bound": (UNMET, {"services": services(since=None)}, "not bound"),
        "unread": (UNKNOWN, {"services": (UNREAD,)}, "AccessDenied"),
    },
    "drift_clean": {
        "a renamed legacy user": (UNMET, {"drift": DRIFTED}, "the user is new"),
        "unread": (UNKNOWN, {"drift": UNREAD}, "AccessDenied"),
        "a part unread": (UNKNOWN, {"drift": Drift(STACK, at(WALL), (), (UNREAD,))}, "AccessDenied"),
    },
    "smoke_gates_green": {
        "red": (UNMET, {"smoke": ("gate 3: not covered",)}, "gate 3"),
        "no baseline": (UNKNOWN, {"smoke": UNREAD}, "AccessDenied"),
    },
    "phases_verified_24h": {
        "23 h 59": (UNMET, {"services": services(since=WALL - DAY + MINUTE)}, "23 h 59 min of 24 h"),
        "bound in the future": (UNMET, {"services": services(since=WALL + HOUR)}, "lies in the future"),
        "held after a rollback": (
            UNMET,
            {"services": services(troubles=("it was rolled back and is held",))},
            "rolled back",
        ),
        "prod unread": (UNKNOWN, {"services": (services()[0], UNREAD)}, "AccessDenied"),
        "the code is not recorded": (UNMET, acknowledged(WALL - DAY, None), "code-verified"),
        "the local file since 23 h 59": (
            UNMET,
            acknowledged(WALL - DAY + MINUTE, WALL - DAY),
            "local file is verified for 23 h 59 min",
        ),
        "a recorded time in the future": (
            UNMET,
            acknowledged(WALL - DAY, WALL + HOUR),
            "code-verified lies in the future",
        ),
        "a clock that is ahead": (UNKNOWN, {"skew": 3600.0}, "3600 s ahead of"),
        "a clock that is behind": (UNKNOWN, {"skew": -7200.0}, "7200 s behind"),
        "AWS's clock unread": (UNKNOWN, {"skew": UNREAD}, "AccessDenied"),
    },
    "no_legacy_login": {
        "one": (
            UNMET,
            {"logins": SoakLogins(at(0), at(WALL), 9, (LegacyLogin("audit_reader", 2, at(WALL)),))},
            "audit_reader 2 times",
        ),
        "no history": (UNKNOWN, {"logins": UNREAD}, "AccessDenied"),
        "no history, acknowledged before the soak": (
            UNMET,
            {"logins": UNREAD, **acknowledged(0, 0, WALL - 3 * DAY)},
            "outside the soak",
        ),
    },
    "typed_confirmation": {
        "none": (UNMET, {"confirmation": ""}, "nothing was typed"),
        "the other stack's": (UNMET, {"confirmation": "retire prod"}, "another stack"),
    },
}


@pytest.mark.parametrize(("condition", "name"), [(each, name) for each in BROKEN for name in BROKEN[each]])
def test_a_condition_that_does_not_hold_says_so_with_evidence_and_a_remedy(condition: str, name: str) -> None:
    standing, changes, evidence = BROKEN[condition][name]
    found = judged(condition, **changes)
    assert standing is found.status
    assert evidence in found.message
    assert found.remedy


def test_every_condition_can_be_unmet_and_every_one_that_is_looked_at_can_be_unknown() -> None:
    shown = {name: {standing for standing, *_ in cases.values()} for name, cases in BROKEN.items()}
    inspected = {name: {UNMET, UNKNOWN} for name in CONDITIONS}
    assert inspected | {"typed_confirmation": {UNMET}} == shown


def test_idle_revisions_of_the_own_account_pass_only_because_they_go_first() -> None:
    first = judged("no_legacy_bound_revision", strict=False, accounts=bound())
    assert first.met
    assert "1 idle ones (app:6) are deregistered first" in first.message
    assert not judged("no_legacy_bound_revision", accounts=bound()).met
    assert not judged("no_legacy_bound_revision", strict=False, accounts=bound(environment="prod")).met


def test_an_account_without_history_passes_with_an_acknowledgement_of_the_soak() -> None:
    found = judged("no_legacy_login", logins=UNREAD, **acknowledged(WALL - DAY, WALL - DAY, WALL - HOUR))
    assert found.met
    assert "acknowledged 1970-01-10 23:00 UTC" in found.message


@pytest.mark.parametrize(
    ("since", "standing", "evidence"),
    [
        (WALL - DAY, Status.GOOD, "24 h 00 min of 24 h"),
        (WALL - DAY + MINUTE, Status.BAD, "23 h 59 min of 24 h"),
        (WALL - DAY + 0.5, Status.BAD, "23 h 59 min of 24 h"),
        (WALL + 1, Status.BAD, "lies in the future"),
        (None, Status.BAD, "no completed tombstone"),
    ],
)
def test_tombstones_stand_for_all_their_hours(since: float | None, standing: Status, evidence: str) -> None:
    found = judged(SOAKED, Step.DELETE, tombstoned=since)
    assert standing is found.status
    assert evidence in found.message


DECLARED = Finding(Status.BAD, "", "declares the legacy secret staging/mongodb/plans-write", "Let it go.")
MAYBE = Finding(Status.UNKNOWN, "", "may declare it", "Let it go.")
STATED = {"acknowledged": {What.TERRAFORM_SECRETS_RELEASED: at(WALL - HOUR)}}


@pytest.mark.parametrize(
    ("changes", "standing", "evidence"),
    [
        ({}, Status.GOOD, "no Terraform file declares a secret"),
        ({"terraform": (DECLARED,)}, Status.BAD, "declares the legacy secret"),
        ({"terraform": (DECLARED, MAYBE), **STATED}, Status.BAD, "declares the legacy secret"),
        ({"terraform": (MAYBE,)}, Status.UNKNOWN, "may declare it"),
        ({"terraform": (MAYBE,), **STATED}, Status.GOOD, "acknowledged 1970-01-10 23:00 UTC"),
        ({"terraform": UNREAD}, Status.UNKNOWN, "AccessDenied"),
        ({"terraform": UNREAD, **STATED}, Status.GOOD, "acknowledged"),
    ],
)
def test_terraform_lets_go_of_the_secrets_before_they_are_deleted(
    changes: dict[str, Any], standing: Status, evidence: str
) -> None:
    found = judged(TERRAFORM, Step.DELETE, **changes)
    assert standing is found.status
    assert evidence in found.message
    assert found.met or found.remedy


def test_the_evidence_is_what_the_policy_pack_reads() -> None:
    found = conditions(observed(Step.TOMBSTONE, WALL, smoke=("gate 3",)))
    document = json.loads(evidence_json(STACK, Step.TOMBSTONE, WALL, found))
    assert list(CONDITIONS) == [each["name"] for each in document["conditions"]]
    assert ["smoke_gates_green"] == [
        each["name"] for each in document["conditions"] if each["met"] is not True
    ]
    assert all(each["evidence"] for each in document["conditions"])


def test_what_takes_long_to_ask_is_taken_from_evidence_of_a_moment_ago() -> None:
    shown = evidence_json(STACK, Step.DELETE, WALL, conditions(observed(Step.DELETE, WALL)))
    assert SLOW_TO_ASK == tuple(each.subject for each in fresh_from(shown, STACK, Step.DELETE, WALL + 60))


@pytest.mark.parametrize(
    ("stack", "step", "now"),
    [
        (STACK, Step.DELETE, WALL + FRESH_SECONDS),
        (STACK, Step.DELETE, WALL - HOUR),
        (STACK, Step.TOMBSTONE, WALL),
        ("prod", Step.DELETE, WALL),
    ],
)
def test_old_evidence_and_another_steps_are_asked_again(stack: str, step: Step, now: float) -> None:
    shown = evidence_json(STACK, Step.DELETE, WALL, conditions(observed(Step.DELETE, WALL)))
    assert () == fresh_from(shown, stack, step, now)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", '{"at": 3, "conditions": []}'),
        evidence_json(STACK, Step.DELETE, WALL, conditions(observed(Step.DELETE, WALL, confirmation=""))),
    ],
    ids=["empty", "an object", "a list", "no conditions", "one unmet"],
)
def test_what_is_no_evidence_or_has_an_unmet_condition_is_asked_again(text: str) -> None:
    assert () == fresh_from(text, STACK, Step.DELETE, WALL)
