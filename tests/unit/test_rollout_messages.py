"""The end of a rollout names what failed, since when which revision runs, and the cost; the uncounted is named so."""

from typing import Any

import pytest
from rollout_world import NEW, OLD, FakeEcs, back, forward

from atlas_access.rollout.changes import changes
from atlas_access.rollout.gates import Round
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
    assert end_message("staging", forward(), UNDONE, observed(), (), figures).splitlines()[2] == (
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


def revision(image: str, version: str, level: str = "info") -> dict[str, Any]:
    arn = "arn:aws:secretsmanager:us-east-1:111111111111:secret:staging/mongodb/app-read-v2-AbCdEf"
    secrets = [{"name": "MONGODB_URI", "valueFrom": f"{arn}:::{version}"}]
    plain = [{"name": "LOG_LEVEL", "value": level}]
    return {
        "containerDefinitions": [{"name": "app", "image": image, "secrets": secrets, "environment": plain}]
    }


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (revision("web:1", "4c1f"), "no image, credential or plain variable"),
        (revision("web:2", "4c1f"), "image of app: web:1 to web:2"),
        (
            revision("web:1", "77aa", "hunter2"),
            "credential MONGODB_URI: staging/mongodb/app-read-v2 version 4c1f to staging/mongodb/app-read-v2 version "
            "77aa; plain variables: app.LOG_LEVEL",
        ),
        (
            {"containerDefinitions": [{"name": "app", "image": "web:1"}]},
            "credential MONGODB_URI: staging/mongodb/app-read-v2 version 4c1f to not bound; plain variables: "
            "app.LOG_LEVEL",
        ),
    ],
)
def test_a_failed_rollout_says_what_its_update_changed(after: dict[str, Any], expected: str) -> None:
    figures = Figures(changed=changes(revision("web:1", "4c1f"), after))
    text = end_message("staging", forward(), UNDONE, observed(), (), figures)
    assert f"  This update changed, from app:7 to app:8: {expected}" == text.splitlines()[1]


@pytest.mark.parametrize(
    ("gates", "works", "runbook"),
    [
        (Round(), "app:7 works: the gates are green", "docs/runbooks/bind.md"),
        (Round(("gate 3",)), "app:7 does not work: gate 3", "docs/runbooks/incident.md"),
        (
            Round(("gate 8",), unknown=True),
            "Whether app:7 works is unknown: gate 8",
            "docs/runbooks/incident.md",
        ),
    ],
)
def test_a_failed_rollout_ends_with_whether_what_runs_works_and_the_runbook(
    gates: Round, works: str, runbook: str
) -> None:
    end = RolledBack(Undone("gate 3", NEW, gates))
    *_, said, following = end_message("staging", forward(), end, observed(), ()).splitlines()
    assert f"  {works}" == said
    assert runbook in following


def test_what_an_update_changed_may_be_unreadable() -> None:
    assert "  What this update changed could not be read." in end_message(
        "staging", forward(), UNDONE, observed(), (), Figures(changed=None)
    )


def test_a_moment_is_noted_once() -> None:
    assert Figures(red=1.0) == Figures().at("red", 1.0).at("red", 2.0)
