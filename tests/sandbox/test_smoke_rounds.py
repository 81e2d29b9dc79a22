"""Rounds of the gates against an application that breaks: the first red round ends it, and every failure is clear."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from smoke_fixture import PLANS, SMOKE_RUN, FakeApp, order, scenarios

from atlas_access.smoke.gates import Gate, GateReport, GateResult, Standing
from atlas_access.smoke.run import BaselineNotGreen, capture, one_round, run

pytestmark = pytest.mark.usefixtures("side_gates")


def result(report: GateReport, gate: Gate) -> GateResult:
    return next(each for each in report.rounds[-1].results if each.gate is gate)


def test_two_rounds_against_a_baseline_are_green(app: FakeApp) -> None:
    baseline = capture(order(app))
    report = run(order(app, baseline=baseline))
    assert (True, 2, 14, "") == (report.green, len(report.rounds), report.contract, report.reason)


def test_without_a_baseline_it_is_never_green(app: FakeApp) -> None:
    report = run(order(app))
    assert (Standing.UNKNOWN, [Gate.CALCULATOR]) == (report.standing, [each.gate for each in report.failed])


def test_the_first_red_round_ends_it_and_neither_browser_nor_sign_up_follow(app: FakeApp) -> None:
    app.changes(
        "/api/providers/covered", lambda answer: [row.update(covered=False) for row in answer["plans"]]
    )
    report = run(order(app))
    waitlist = result(report, Gate.WAITLIST).summary
    assert ("unmet", 1, "not run: gate 3 is not met") == (report.standing, len(report.rounds), waitlist)


def test_one_green_round_is_not_enough(app: FakeApp, side_gates: dict[Gate, Standing]) -> None:
    baseline = capture(order(app))

    def then_red(ended: GateResult) -> None:
        if ended.gate is Gate.WAITLIST:
            side_gates[Gate.JOURNEY] = Standing.UNMET

    report = run(order(app, baseline=baseline), say=then_red)
    assert [Standing.MET, Standing.UNMET] == [each.standing for each in report.rounds]


def test_what_is_unknown_is_not_green(app: FakeApp, side_gates: dict[Gate, Standing]) -> None:
    baseline = capture(order(app))
    side_gates[Gate.JOURNEY] = Standing.UNKNOWN
    report = run(order(app, baseline=baseline))
    assert (Standing.UNKNOWN, 1) == (report.standing, len(report.rounds))


def test_a_browser_that_a_sandbox_lacks_stops_neither_a_baseline_nor_a_round(
    app: FakeApp, side_gates: dict[Gate, Standing]
) -> None:
    side_gates[Gate.JOURNEY] = Standing.NOT_RUN
    report = run(order(app, baseline=capture(order(app))))
    assert (True, Standing.NOT_RUN) == (report.green, result(report, Gate.JOURNEY).standing)


def test_one_changed_premium_in_one_scenario_is_found(app: FakeApp) -> None:
    baseline = capture(order(app))
    app.changes("/api/plans", _dearer)
    report = run(order(app, baseline=baseline))
    details = result(report, Gate.CALCULATOR).details
    assert (f"couple with two children: plans: plans[{PLANS[4]}].net_premium: 184.0 → 185.0",) == details


def _dearer(answer: Any) -> None:
    if answer["eligibility"]["aptc"] == 92.0:
        answer["plans"][4]["net_premium"] += 1


def test_the_number_that_was_captured_is_the_contract(app: FakeApp) -> None:
    app.changes("/api/plans", lambda answer: (answer["plans"].pop(), answer.update(count=13)))
    baseline = capture(order(app))
    assert (13, True) == (baseline.contract, run(order(app, baseline=baseline)).green)


def test_a_gate_that_fails_before_any_change_is_a_stop(app: FakeApp) -> None:
    app.answers("/api/drugs/covered", {"error": "database error"}, status=500)
    with pytest.raises(
        BaselineNotGreen, match=r"gate 4 drugs/covered.*HTTP 500 \(database error\).*This is a stop"
    ):
        capture(order(app))


def test_an_unknown_gate_takes_no_baseline_either(app: FakeApp, side_gates: dict[Gate, Standing]) -> None:
    side_gates[Gate.WAITLIST] = Standing.UNKNOWN
    with pytest.raises(BaselineNotGreen) as caught:
        capture(order(app))
    assert Standing.UNKNOWN is caught.value.report.standing


def test_answers_that_differ_from_themselves_take_no_baseline(app: FakeApp) -> None:
    app.changes("/api/eligibility", lambda answer: answer.update(now=time.monotonic_ns()))
    with pytest.raises(BaselineNotGreen, match="gate 1 eligibility: answered, with 1 difference"):
        capture(order(app, smoke=scenarios()))
    ignoring = scenarios().model_copy(update={"ignore": ("now",)})
    assert 14 == capture(order(app, smoke=ignoring)).contract


@pytest.mark.parametrize(
    ("breaks", "expected"),
    [
        (lambda app: app.answers_raw("/api/plans", b"<html>"), "gate 2 plans: the answer is not JSON"),
        (lambda app: app.answers_raw("/api/plans", b" " * 10_000_000), "gate 2 plans: the answer is too large"),
        (lambda app: app.answers_raw("/api/plans", b"", 302, Location="/login"), "gate 2 plans: redirects"),
        (lambda app: app.answers("/api/eligibility", {}, status=503), "gate 1 eligibility: HTTP 503"),
        (lambda app: app.handlers.pop("/api/drugs/covered"), "gate 4 drugs/covered: \"Synthroid\": HTTP 404 (no)"),
    ],
)  # fmt: skip
def test_bad_answers_name_a_gate(app: FakeApp, breaks: Callable[[FakeApp], object], expected: str) -> None:
    breaks(app)
    assert run(order(app)).reason.startswith(expected)


def test_an_unreachable_application_is_reported_within_the_deadline() -> None:
    began = time.monotonic()
    smoke = scenarios(gate_seconds=1.5)
    report = run(order(FakeApp(url="http://127.0.0.1:9"), smoke=smoke))
    assert "gate 1 eligibility: unreachable: the connection is refused" in report.reason
    assert time.monotonic() - began < 6.0


def test_an_application_that_hangs_is_reported_within_the_deadline(app: FakeApp) -> None:
    for path in list(app.handlers):
        app.handlers[path] = lambda *_: time.sleep(2)
    began = time.monotonic()
    report = run(order(app, smoke=scenarios(request_seconds=0.4, gate_seconds=1.0)))
    assert (Standing.UNMET, True) == (report.standing, time.monotonic() - began < 6.0)


def test_no_more_is_asked_at_once_than_the_limit(app: FakeApp) -> None:
    busy, most, lock = [0], [0], threading.Lock()
    usual = app.handlers["/api/plans"]

    def counted(request: Any, body: Any) -> Any:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.02)
        with lock:
            busy[0] -= 1
        return usual(request, body)

    app.handlers["/api/plans"] = counted
    one_round(order(app, smoke=scenarios(at_once=3)))
    assert 1 < most[0] <= 3


def test_once_stopped_the_round_ends_with_a_result_for_every_gate(app: FakeApp) -> None:
    found = one_round(order(app), stopped=lambda: True)
    gates = [each.gate for each in found.results]
    assert (list(Gate), "not run: stopped") == (gates, found.results[-1].summary)


def test_only_answers_of_the_wanted_revision_count(app: FakeApp) -> None:
    baseline = capture(order(app))
    app.revision = "askflorence-staging-app:7"
    wanted = order(app, baseline=baseline, smoke=scenarios(revision_seconds=0.3))
    assert (False, True) == (
        run(wanted, revision="askflorence-staging-app:8").green,
        run(
            wanted, revision="arn:aws:ecs:us-east-1:111111111111:task-definition/askflorence-staging-app:7"
        ).green,
    )


def test_the_revisions_that_answered_are_reported(app: FakeApp) -> None:
    app.revision = "askflorence-staging-app:7"
    assert ("askflorence-staging-app:7",) == one_round(order(app)).revisions


def test_a_gate_hanging_beyond_its_deadline_is_unmet(app: FakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    baseline = capture(order(app))
    monkeypatch.setattr(SMOKE_RUN, "_GRACE", 0.1)
    monkeypatch.setattr(SMOKE_RUN, "judge_journey", lambda *_: time.sleep(3))
    smoke = scenarios(browser_seconds=0.2)
    report = run(replace(order(app, baseline=baseline), smoke=smoke))
    assert (Standing.UNMET, "no end within 0 s") == (
        result(report, Gate.JOURNEY).standing,
        result(report, Gate.JOURNEY).summary,
    )
