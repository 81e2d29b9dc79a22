"""The gates' report: the answer in the first line, the same facts in every format."""

import html
import json
from xml.etree import ElementTree as Xml

import pytest

from atlas_access.base import Format, render
from atlas_access.smoke.gates import Gate, GateReport, GateResult, Round, Standing
from atlas_access.smoke.report import gates_report as shown

RED = GateResult(
    Gate.PROVIDER,
    Standing.UNMET,
    '"Tyler Wood" not covered on 14 of 14 plans (baseline: covered on 14)',
    ("a | <b>",),
)


def report(*changed: GateResult, baseline: str = "2026-05-01", rounds: int = 2) -> GateReport:
    replaced = {each.gate: each for each in changed}
    results = tuple(replaced.get(gate, GateResult(gate, Standing.MET, "fine", seconds=0.2)) for gate in Gate)
    one = tuple(Round(number + 1, results, ("app:8",), 1.0) for number in range(rounds))
    return GateReport("staging", "https://app.example.com", "app:8", 2, 14, baseline, one)


def test_green_is_said_first() -> None:
    expected = "GREEN  staging: 8 of 8 gates, 2 of 2 rounds, 14 plans (baseline of 2026-05-01)"
    assert expected == render(shown(report()), Format.TEXT).splitlines()[0]


def test_the_failed_gate_is_said_first() -> None:
    assert f"RED  staging: gate 3 providers/covered: {RED.summary}" == shown(report(RED)).headline


def test_what_is_unknown_is_never_called_green() -> None:
    unknown = GateResult(Gate.JOURNEY, Standing.UNKNOWN, "no browser is installed here")
    said = "UNKNOWN  staging: gate 6 browser journey: no browser is installed here"
    assert said == shown(report(unknown)).headline


def test_a_gate_that_a_sandbox_cannot_run_passes_and_is_called_not_run() -> None:
    left_out = GateResult(Gate.JOURNEY, Standing.NOT_RUN, "not run in this sandbox without a browser")
    found = report(left_out)
    expected = (
        "GREEN  staging: 7 of 8 gates (gate 6 not run), 2 of 2 rounds, 14 plans (baseline of 2026-05-01)"
    )
    assert (expected, ()) == (shown(found).headline, found.rounds[0].failures)


@pytest.mark.parametrize("form", [Format.TEXT, Format.MD])
def test_a_failure_ends_with_the_remedy(form: Format) -> None:
    last = render(shown(report(RED)), form).splitlines()[-1]
    assert "atlas-access rollback staging" in last.replace("\\", "")


def test_without_a_baseline_the_remedy_is_to_capture_one() -> None:
    unknown = GateResult(Gate.CALCULATOR, Standing.UNKNOWN, "no baseline")
    last = render(shown(report(unknown, baseline="")), Format.TEXT).splitlines()[-1]
    assert "atlas-access baseline capture staging" in last


@pytest.mark.parametrize("form", Format)
def test_every_format_names_each_gate_and_its_reason(form: Format) -> None:
    text = html.unescape(render(shown(report(RED)), form)).replace("\\", "")
    assert all(gate.title in text for gate in Gate)
    assert RED.summary in text


def test_json_carries_the_facts() -> None:
    document = json.loads(render(shown(report(RED)), Format.JSON))
    gate = document["rounds"][0]["gates"][2]
    assert ("unmet", 3, "unmet", ["a | <b>"], ["app:8"]) == (
        document["standing"],
        gate["gate"],
        gate["standing"],
        gate["details"],
        document["rounds"][0]["revisions"],
    )


def test_junit_counts_failures_and_errors_apart() -> None:
    unknown = GateResult(Gate.WAITLIST, Standing.UNKNOWN, "control \x00 characters\x1b")
    suites = Xml.fromstring(render(shown(report(RED, unknown)), Format.JUNIT))  # noqa: S314 - our own text
    assert [("8", "1", "1")] * 2 == [
        (each.get("tests"), each.get("failures"), each.get("errors")) for each in suites
    ]
