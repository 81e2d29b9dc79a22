"""The end of a rollout names what failed, since when which revision runs, and the cost; the uncounted is named so."""

import pytest
from rollout_world import NEW, OLD, FakeEcs, back, forward

from atlas_access.rollout.report import Figures, end_message
from atlas_access.rollout.service import Service
from atlas_access.rollout.service_tags import ServiceTags
from atlas_access.rollout.steps import Done, Observed, RolledBack, Undone

NOON = 1_778_587_200.0
UNDONE = RolledBack(Undone("gate 3 providers/covered: not covered", NEW))


def observed(revision: str = OLD) -> Observed:
    return Observed(
        Service(FakeEcs.running(revision), "c", "app").observe(), ServiceTags(held=0), NOON + 100, 0.0
    )


@pytest.mark.parametrize(("failed", "count"), [(0, "0"), (7, "7"), (None, "not measured")])
def test_an_undone_rollout_reports_its_times_and_its_failed_requests(failed: int | None, count: str) -> None:
    figures = Figures(swapped=NOON, red=NOON + 26, back=NOON + 38, failed=failed)
    assert end_message("staging", forward(), UNDONE, observed(), (), figures).splitlines()[1] == (
        "  app:7 runs again, 2/2, since 12:00:38 UTC (38 s after the swap, 12 s after the first bad answer). "
        f"Requests failed meanwhile on the balanced address: {count}"
    )


def test_what_was_undone_for_no_gate_reports_no_bad_answer() -> None:
    figures = Figures(swapped=NOON, back=NOON + 38, failed=0)
    assert "(38 s after the swap)." in end_message("staging", forward(), UNDONE, observed(), (), figures)


def test_a_run_that_swapped_nothing_reports_no_cost() -> None:
    assert "Requests failed" not in end_message("staging", back(), UNDONE, observed(), ())


def test_a_green_rollout_reports_its_failed_requests_where_somebody_counts() -> None:
    done = Done(NEW, moved=True)
    assert [
        end_message(
            "staging", forward(), done, observed(NEW), (), Figures(swapped=NOON, failed=failed)
        ).splitlines()
        for failed in (0, None)
    ] == [
        ["staging: app:8 running 2/2", "  Requests failed meanwhile on the balanced address: 0"],
        ["staging: app:8 running 2/2"],
    ]


def test_what_the_service_logged_stands_with_the_failure() -> None:
    figures = Figures(
        swapped=NOON, logged=("ERROR mongodb://app:hunter2hunter2@db.example.com not authorized",)
    )
    text = end_message("staging", forward(), UNDONE, observed(), (), figures)
    assert "  The service logged meanwhile: ERROR mongodb://" in text
    assert "hunter2hunter2" not in text


def test_a_moment_is_noted_once() -> None:
    assert Figures(red=1.0) == Figures().at("red", 1.0).at("red", 2.0)
