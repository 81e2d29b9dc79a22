"""The last step of an update that changed access: the gates once more, and what its end says."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from atlas_access.base.settings import check_settings
from atlas_access.rollout.gates import Gates
from atlas_access.rollout.open_incident import StopLine
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.service import Service
from components.settings import read_files
from tests.unit.rollout_world import NEW, OLD, FakeEcs, FakeGates

ROOT = Path(__file__).parents[2]
PROVEN_AT = "2026-05-01T10:00:00Z"
Close = Callable[..., tuple[str, list[bool]]]


@pytest.fixture
def close(monkeypatch: pytest.MonkeyPatch) -> Close:
    """Run an update's last step on `app:8`: its answer or failure, and whether each outcome for the issue is green."""
    room, wiring = (import_module(f"atlas_access.rollout.{name}") for name in ("closing", "wiring"))
    kept: list[bool] = []
    monkeypatch.setattr(StopLine, "_tell", lambda _, outcome: kept.append(outcome.green))

    def run(gates: Gates | None, desired: int = 2, **props: Any) -> tuple[str, list[bool]]:
        ecs = FakeEcs.running(NEW)
        ecs.desired = desired
        monkeypatch.setattr(room, "service_of", lambda *_: Service(ecs, "c", "app"))
        monkeypatch.setattr(room, "has_baseline", lambda *_, **__: gates is not None)
        monkeypatch.setattr(wiring, "gates_for", lambda *_: gates)
        settings = check_settings("staging", read_files(ROOT), sandbox=True).to_json()
        given = {"stack": "staging", "service": "app", "settings": settings}
        given |= {"proven_at": [PROVEN_AT], "revision": NEW}
        try:
            return str(room.close({**given, **props})["gates"]), kept
        except RolloutFailed as failure:
            return str(failure), kept

    return run


def test_a_red_gate_at_an_updates_end_is_asked_twice_named_and_stops_the_line(close: Close) -> None:
    gates = FakeGates({NEW: "gate 2 plans: 0 plans"})
    text, kept = close(gates)
    assert text.startswith("GATES RED  staging: gate 2 plans: 0 plans\n")
    assert "This step swapped nothing: app:8 keeps running." in text
    assert ([NEW, NEW], [False]) == (gates.asked, kept)


def test_a_gate_that_is_green_when_asked_once_more_is_green(close: Close) -> None:
    gates = FakeGates({NEW: "gate 2 plans: 0 plans"})
    gates.during = lambda: gates.red.clear() if gates.asked else None
    assert ("gates on app:8: green", [True]) == close(gates)


@pytest.mark.parametrize(
    ("gates", "given", "answer"),
    [
        (None, {}, "gates not run: staging has no smoke baseline"),
        (FakeGates(), {"desired": 0}, "gates not run: no task of app is wanted"),
        (
            FakeGates(),
            {"gated_at": PROVEN_AT},
            f"gates green on app:8 at {PROVEN_AT}, by the rollout, after the last change",
        ),
    ],
    ids=["no baseline", "no service", "just run by the rollout"],
)
def test_where_the_gates_are_not_run_the_reason_is_recorded(
    gates: FakeGates | None, given: dict[str, Any], answer: str, close: Close
) -> None:
    assert (answer, []) == close(gates, **given)
    assert gates is None or [] == gates.asked


def test_gates_that_a_rollout_ran_before_the_last_change_are_run_again(close: Close) -> None:
    gates = FakeGates()
    assert "gates on app:8: green" == close(gates, gated_at="2026-05-01T09:59:59Z")[0]
    close(gates, gated_at=PROVEN_AT, revision=OLD)
    assert [NEW, NEW] == gates.asked


def test_gates_that_cannot_be_relied_on_never_end_an_update_green(close: Close) -> None:
    text, kept = close(FakeGates(refused=("the baseline is another stack's",)))
    assert (True, [False]) == (text.startswith("GATES RED  staging: the baseline is another stack's"), kept)
