"""A failed deployment is reported with each line once, and a rollout's end complete and first."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.deploy import _failure as failure

WORLD: Any = SimpleNamespace(directory=Path(".sandbox"))
END = "atlas_access.rollout.report.RolloutFailed: ROLLED BACK  staging: gate 3\n  app:7 runs again, 2/2\n"


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (["Atlas answered 503"], "Atlas answered 503"),
        (["Atlas answered 503", "app_read: create failed: Atlas answered 503"], "Atlas answered 503"),
        ([END, f"app: create failed: {END}", "update failed"], "ROLLED BACK  staging: gate 3\napp:7 runs again, 2/2"),
        (["a proof", END], "ROLLED BACK  staging: gate 3\napp:7 runs again, 2/2\na proof"),
        (["atlas_access.rollout.report.RolloutFailed: NOT STARTED  staging: x\n  a\n"], "NOT STARTED  staging: x\na"),
        (["update failed"], "update failed"),
    ],
)  # fmt: skip
def test_each_line_is_reported_once_and_the_end_of_a_rollout_first(errors: list[str], expected: str) -> None:
    assert expected == failure(errors, WORLD, "staging")


def test_a_failure_without_a_word_names_the_logs() -> None:
    assert "the engine stopped without a reason: see .sandbox/logs (stack staging)" == failure(
        [], WORLD, "staging"
    )
