"""What a load met is counted by question, by revision and by moment, and nothing that failed is left out."""

import pytest

from sandbox.load.report import Fault, Kind, LoadReport, latency, percentile
from sandbox.load.tally import FAULTS_KEPT, Tallies

PLANS, PROVIDERS = "POST /api/plans", "POST /api/providers/covered"
OLD, NEW = "app:7", "app:8"


def fault(at: float, question: str, revision: str = "", kind: Kind = Kind.WRONG) -> Fault:
    return Fault(at=at, environment="staging", question=question, revision=revision, kind=kind, what="why")


def met(*requests: tuple[float, str, str, Kind | None]) -> LoadReport:
    tallies = Tallies()
    for at, question, revision, kind in requests:
        tallies.note("staging", question, at=at, seconds=0.01, revision=revision)
        if kind is not None:
            tallies.fault(fault(at + 0.01, question, revision, kind))
    return tallies.report(began=0.0, seconds=10.0, rate=50.0, cpu_seconds=0.1)


@pytest.mark.parametrize(("share", "value"), [(50, 2.0), (95, 4.0), (99, 4.0), (1, 1.0)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert value == percentile([1.0, 2.0, 3.0, 4.0], share)


def test_without_requests_every_percentile_is_nothing() -> None:
    assert "p50 0 ms, p95 0 ms, p99 0 ms, longest 0 ms" == str(latency([]))


def test_durations_are_reported_in_milliseconds() -> None:
    assert "p50 20 ms, p95 1500 ms, p99 1500 ms, longest 1500 ms" == str(latency([0.02, 1.5, 0.01]))


def test_a_load_is_clean_when_every_request_was_served_well() -> None:
    assert met((1.0, PLANS, OLD, None)).clean


def test_a_load_that_asked_nothing_is_not_clean() -> None:
    assert not met().clean


@pytest.mark.parametrize("kind", list(Kind))
def test_one_bad_request_is_not_clean(kind: Kind) -> None:
    assert not met((1.0, PLANS, OLD, None), (2.0, PLANS, OLD, kind)).clean


def test_failures_and_wrong_answers_are_counted_apart() -> None:
    report = met(
        (1.0, PLANS, OLD, Kind.FAILED), (2.0, PLANS, OLD, Kind.WRONG), (3.0, PROVIDERS, OLD, Kind.WRONG)
    )
    assert (3, 1, 2) == (report.asked, report.failed, report.wrong)
    assert [(PLANS, 2, 1, 1), (PROVIDERS, 1, 0, 1)] == [
        (each.question, each.asked, each.failed, each.wrong) for each in report.tallies
    ]


def test_every_fault_is_counted_though_only_the_first_are_kept() -> None:
    tallies = Tallies()
    for number in range(FAULTS_KEPT + 5):
        tallies.note("staging", PLANS, at=number, seconds=0.01)
        tallies.fault(fault(number, PLANS))
    report = tallies.report(began=0.0, seconds=1.0, rate=50.0, cpu_seconds=0.1)
    assert (FAULTS_KEPT, FAULTS_KEPT + 5) == (len(report.faults), report.wrong)


def test_a_moment_holds_what_was_counted_by_then() -> None:
    tallies = Tallies()
    tallies.note("staging", PLANS, at=1.0, seconds=0.01)
    tallies.fault(fault(1.0, PLANS, kind=Kind.FAILED))
    mark = tallies.mark("bind", 2.0)
    tallies.note("staging", PLANS, at=3.0, seconds=0.01)
    assert ("bind", 2.0, 1, 1, 0) == (mark.name, mark.at, mark.asked, mark.failed, mark.wrong)


def test_a_revisions_exposure_is_from_its_first_bad_answer_to_its_last_of_any_kind() -> None:
    report = met(
        (1.0, PLANS, NEW, None),
        (2.0, PROVIDERS, NEW, Kind.WRONG),
        (3.0, PROVIDERS, NEW, Kind.WRONG),
        (5.0, PLANS, NEW, None),
        (9.0, PLANS, OLD, None),
    )
    assert 3.0 == pytest.approx(report.exposed("staging", NEW))


def test_a_revision_without_a_bad_answer_exposed_nobody() -> None:
    assert met((1.0, PLANS, NEW, None)).exposed("staging", NEW) is None


def test_what_is_bad_outside_the_failing_revisions_own_endpoint_is_counted() -> None:
    report = met(
        (1.0, PROVIDERS, NEW, Kind.WRONG),
        (2.0, PROVIDERS, OLD, Kind.WRONG),
        (3.0, PLANS, NEW, Kind.WRONG),
        (4.0, PROVIDERS, "", Kind.FAILED),
    )
    assert 3 == report.bad_outside("staging", PROVIDERS, NEW)


def test_a_report_survives_the_way_through_a_pipe() -> None:
    report = met((1.0, PLANS, OLD, Kind.FAILED))
    assert report == LoadReport.model_validate_json(report.model_dump_json())


def test_a_fault_says_when_where_who_and_what() -> None:
    text = str(fault(12.5, PLANS, NEW))
    assert f"  12.50 s  staging {PLANS}: wrong by {NEW}: why" == text
