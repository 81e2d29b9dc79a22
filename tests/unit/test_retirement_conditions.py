"""The gate: each condition met, unmet and unknown, with its evidence; whatever is not known never passes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from retirement_world import DAY, IDLE, STACK, seen

from atlas_access.base import Status
from atlas_access.base.observed import Unread
from atlas_access.base.phases import Step
from atlas_access.drift.finding import Difference, Drift, Kind
from atlas_access.retirement.judge import conditions
from atlas_access.retirement.model import (
    CONDITIONS,
    FRESH_SECONDS,
    SLOW_TO_ASK,
    SOAKED,
    Condition,
    evidence_json,
    fresh_from,
    open_ones,
)
from atlas_access.retirement.observed import (
    Acknowledged,
    BoundRevision,
    LegacyLogin,
    SeenAccount,
    SeenService,
    SoakLogins,
)
from policy import adr

WALL = 10 * DAY
MINUTE, HOUR = 60.0, 3600.0
UNREAD = Unread("it", "AWS answered AccessDeniedException")


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def judged(name: str, step: Step = Step.TOMBSTONE, *, strict: bool = True, **changes: Any) -> Condition:
    found = {each.name: each for each in conditions(seen(step, WALL, **changes), strict=strict)}
    return found[name]


def bound(*used_by: str, active: bool = True, environment: str = STACK) -> tuple[SeenAccount, ...]:
    revision = BoundRevision(IDLE[0], active, ("staging/mongodb/plans-write",), used_by)
    return (
        SeenAccount(environment, 9, (revision,)),
        *(() if environment == STACK else (SeenAccount(STACK, 9),)),
    )


def services(**changes: Any) -> tuple[SeenService, ...]:
    own = {"environment": STACK, "running": "app:9", "since": WALL - DAY, "completed": 3}
    return (SeenService(**{**own, **changes}), SeenService("prod", "app:14", WALL - DAY))


def test_the_names_are_those_that_the_policy_pack_asks_for() -> None:
    assert adr.RETIREMENT_CONDITIONS == CONDITIONS


def test_a_gate_with_everything_in_order_is_met_throughout() -> None:
    for step, names in ((Step.TOMBSTONE, CONDITIONS), (Step.DELETE, (*CONDITIONS, SOAKED))):
        found = conditions(seen(step, WALL))
        assert names == tuple(each.name for each in found)
        assert () == open_ones(found)


DRIFTED = Drift(
    STACK, at(WALL), (Difference(Kind.USER_UNMANAGED, "c", "app_writer_plans2", "the user is new", "m"),)
)
CASES: dict[str, tuple[str, Status, dict[str, Any], str]] = {
    "bindings: a revision that a service runs": (
        "no_legacy_bound_revision",
        Status.BAD,
        {"accounts": bound("service app")},
        "used by service app",
    ),
    "bindings: INACTIVE and still running": (
        "no_legacy_bound_revision",
        Status.BAD,
        {"accounts": bound("task 1a2b", active=False)},
        "(INACTIVE)",
    ),
    "bindings: a rule names it": (
        "no_legacy_bound_revision",
        Status.BAD,
        {"accounts": bound("rule default/nightly")},
        "rule default/nightly",
    ),
    "bindings: prod's account still names app_read_staging's secret": (
        "no_legacy_bound_revision",
        Status.BAD,
        {"accounts": bound(environment="prod")},
        "prod: 1 idle revisions (app:6)",
    ),
    "bindings: an account cannot be read": (
        "no_legacy_bound_revision",
        Status.UNKNOWN,
        {"accounts": (SeenAccount(STACK, 9), UNREAD)},
        "AccessDenied",
    ),
    "bindings: the own account was not looked at": (
        "no_legacy_bound_revision",
        Status.UNKNOWN,
        {"accounts": (SeenAccount("prod", 9),)},
        "not looked at",
    ),
    "deployments: two": (
        "three_completed_deployments",
        Status.BAD,
        {"services": services(completed=2)},
        "2 of 3",
    ),
    "deployments: not bound": (
        "three_completed_deployments",
        Status.BAD,
        {"services": services(since=None)},
        "not bound",
    ),
    "deployments: unread": (
        "three_completed_deployments",
        Status.UNKNOWN,
        {"services": (UNREAD,)},
        "AccessDenied",
    ),
    "drift: a renamed legacy user": ("drift_clean", Status.BAD, {"drift": DRIFTED}, "the user is new"),
    "drift: unread": ("drift_clean", Status.UNKNOWN, {"drift": UNREAD}, "AccessDenied"),
    "drift: a part unread": (
        "drift_clean",
        Status.UNKNOWN,
        {"drift": Drift(STACK, at(WALL), (), (UNREAD,))},
        "AccessDenied",
    ),
    "smoke: red": ("smoke_gates_green", Status.BAD, {"smoke": ("gate 3: not covered",)}, "gate 3"),
    "smoke: no baseline": ("smoke_gates_green", Status.UNKNOWN, {"smoke": UNREAD}, "AccessDenied"),
    "phases: 23 h 59": (
        "phases_verified_24h",
        Status.BAD,
        {"services": services(since=WALL - DAY + MINUTE)},
        "23 h 59 min of 24 h",
    ),
    "phases: bound in the future": (
        "phases_verified_24h",
        Status.BAD,
        {"services": services(since=WALL + HOUR)},
        "lies in the future",
    ),
    "phases: held after a rollback": (
        "phases_verified_24h",
        Status.BAD,
        {"services": services(troubles=("it was rolled back and is held",))},
        "rolled back",
    ),
    "phases: prod unread": (
        "phases_verified_24h",
        Status.UNKNOWN,
        {"services": (services()[0], UNREAD)},
        "AccessDenied",
    ),
    "phases: the code is not recorded": (
        "phases_verified_24h",
        Status.BAD,
        {"acknowledged": Acknowledged(at(WALL - DAY), None)},
        "code-verified",
    ),
    "phases: the local file since 23 h 59": (
        "phases_verified_24h",
        Status.BAD,
        {"acknowledged": Acknowledged(at(WALL - DAY + MINUTE), at(WALL - DAY))},
        "local file is verified for 23 h 59 min",
    ),
    "phases: a recorded time in the future": (
        "phases_verified_24h",
        Status.BAD,
        {"acknowledged": Acknowledged(at(WALL - DAY), at(WALL + HOUR))},
        "code-verified lies in the future",
    ),
    "phases: a clock that is ahead": (
        "phases_verified_24h",
        Status.UNKNOWN,
        {"skew": 3600.0},
        "3600 s ahead of",
    ),
    "phases: a clock that is behind": (
        "phases_verified_24h",
        Status.UNKNOWN,
        {"skew": -7200.0},
        "7200 s behind",
    ),
    "phases: AWS's clock unread": ("phases_verified_24h", Status.UNKNOWN, {"skew": UNREAD}, "AccessDenied"),
    "logins: one": (
        "no_legacy_login",
        Status.BAD,
        {"logins": SoakLogins(at(0), at(WALL), 9, (LegacyLogin("audit_reader", 2, at(WALL)),))},
        "audit_reader 2 times",
    ),
    "logins: no history": ("no_legacy_login", Status.UNKNOWN, {"logins": UNREAD}, "AccessDenied"),
    "logins: no history, acknowledged before the soak": (
        "no_legacy_login",
        Status.BAD,
        {"logins": UNREAD, "acknowledged": Acknowledged(at(0), at(0), at(WALL - 3 * DAY))},
        "outside the soak",
    ),
    "confirmation: none": ("typed_confirmation", Status.BAD, {"confirmation": ""}, "nothing was typed"),
    "confirmation: the other stack's": (
        "typed_confirmation",
        Status.BAD,
        {"confirmation": "retire prod"},
        "another stack",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_condition_that_does_not_hold_says_so_with_its_evidence_and_a_way_out(name: str) -> None:
    condition, standing, changes, evidence = CASES[name]
    found = judged(condition, **changes)
    assert standing is found.status
    assert evidence in found.message
    assert found.remedy


def test_every_condition_can_be_unmet_and_every_one_that_is_looked_at_can_be_unknown() -> None:
    shown = {(condition, standing) for condition, standing, _, _ in CASES.values()}
    assert set(CONDITIONS) == {name for name, standing in shown if standing is Status.BAD}
    looked_at = set(CONDITIONS) - {"typed_confirmation"}
    assert looked_at == {name for name, standing in shown if standing is Status.UNKNOWN}


def test_idle_revisions_of_the_own_account_pass_only_because_they_go_first() -> None:
    first = judged("no_legacy_bound_revision", strict=False, accounts=bound())
    assert first.met
    assert "1 idle ones (app:6) are deregistered first" in first.message
    assert not judged("no_legacy_bound_revision", accounts=bound()).met
    assert not judged("no_legacy_bound_revision", strict=False, accounts=bound(environment="prod")).met


def test_an_account_without_history_passes_with_an_acknowledgement_of_the_soak() -> None:
    given = Acknowledged(at(WALL - DAY), at(WALL - DAY), at(WALL - HOUR))
    found = judged("no_legacy_login", logins=UNREAD, acknowledged=given)
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
def test_tombstones_stand_for_all_of_their_hours(
    since: float | None, standing: Status, evidence: str
) -> None:
    found = judged(SOAKED, Step.DELETE, tombstoned=since)
    assert standing is found.status
    assert evidence in found.message


def test_the_evidence_is_what_the_policy_pack_reads() -> None:
    found = conditions(seen(Step.TOMBSTONE, WALL, smoke=("gate 3",)))
    document = json.loads(evidence_json(STACK, Step.TOMBSTONE, WALL, found))
    assert list(CONDITIONS) == [each["name"] for each in document["conditions"]]
    assert ["smoke_gates_green"] == [
        each["name"] for each in document["conditions"] if each["met"] is not True
    ]
    assert all(each["evidence"] for each in document["conditions"])


def test_what_takes_long_to_ask_is_taken_from_evidence_of_a_moment_ago() -> None:
    shown = evidence_json(STACK, Step.DELETE, WALL, conditions(seen(Step.DELETE, WALL)))
    assert SLOW_TO_ASK == tuple(each.name for each in fresh_from(shown, STACK, Step.DELETE, WALL + 60))


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
    shown = evidence_json(STACK, Step.DELETE, WALL, conditions(seen(Step.DELETE, WALL)))
    assert () == fresh_from(shown, stack, step, now)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"at": 3, "conditions": []}'])
def test_what_is_no_evidence_is_asked_again(text: str) -> None:
    assert () == fresh_from(text, STACK, Step.DELETE, WALL)


def test_evidence_with_one_unmet_condition_is_asked_again() -> None:
    shown = evidence_json(STACK, Step.DELETE, WALL, conditions(seen(Step.DELETE, WALL, confirmation="")))
    assert () == fresh_from(shown, STACK, Step.DELETE, WALL)
