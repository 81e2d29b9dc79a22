"""A failed deployment is reported with each line once, and a rollout's end complete and first."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.deploy import _failure

WORLD: Any = SimpleNamespace(directory=Path(".sandbox"))
END = "ROLLED BACK  staging: gate 3\n  app:7 runs again, 2/2\n"


def failure(errors: list[str], ends: list[str]) -> str:
    recorder: Any = SimpleNamespace(errors=errors, ends=ends)
    return _failure(recorder, WORLD, "staging")


@pytest.mark.parametrize(
    ("errors", "ends", "expected"),
    [
        (["Atlas answered 503"], [], "Atlas answered 503"),
        (["Atlas answered 503", "app_read: create failed: Atlas answered 503"], [], "Atlas answered 503"),
        (["update failed"], [END], "ROLLED BACK  staging: gate 3\napp:7 runs again, 2/2"),
        (["a proof"], [END], "ROLLED BACK  staging: gate 3\napp:7 runs again, 2/2\na proof"),
        (["update failed"], [], "update failed"),
    ],
)  # fmt: skip
def test_each_line_is_reported_once_and_the_end_of_a_rollout_first(
    errors: list[str], ends: list[str], expected: str
) -> None:
    assert expected == failure(errors, ends)


def test_a_failure_without_a_word_names_the_logs() -> None:
    assert "the engine stopped without a reason: see .sandbox/logs (stack staging)" == failure([], [])
