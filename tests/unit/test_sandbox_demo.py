"""The demo tears down what it started however it ends, and never goes on after a failure."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from reports.deployment import Deployment, Progress
from sandbox import demo
from sandbox.deploy import Engine, Order

ROOT = Path(__file__).parents[2]


class Stage:
    """Stands in for the sandbox: remembers what was begun, and whether it was torn down."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, directory: Path, *, fails_at: str = "", dies_at: str = ""
    ):
        self.begun: list[str] = []
        self.down = 0
        self._fails_at, self._dies_at = fails_at, dies_at
        self._directory = directory
        monkeypatch.setattr(
            demo.lifecycle, "up", lambda *_: SimpleNamespace(environments={"staging": 1, "prod": 2})
        )
        monkeypatch.setattr(demo.lifecycle, "down", self._tear_down)
        monkeypatch.setattr(demo, "deploy", self._deploy)
        monkeypatch.setattr(demo, "describe", lambda *_: "Sandbox: stand-in")

    def _tear_down(self, directory: Path, *, keep: bool) -> None:
        assert (self._directory, False) == (directory, keep)
        self.down += 1

    def _deploy(self, _: object, order: Order, __: Callable[[Progress], None]) -> Deployment:
        name = f"{order.stack} {order.operation.value} {order.phase}"
        self.begun.append(name)
        if name == self._dies_at:
            raise KeyboardInterrupt
        failure = "refuted" if name == self._fails_at else ""
        return Deployment(
            order.stack, str(order.phase), order.operation, "embedded", 1.0, (), failure=failure
        )

    def play(self) -> demo.Played:
        audience = demo.Audience(lambda _: None, lambda _: None, lambda _: None, lambda _: None)
        return demo.play(self._directory, ROOT, Engine.EMBEDDED, audience)


def test_staging_goes_before_prod_and_every_phase_is_played(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stage = Stage(monkeypatch, tmp_path)
    played = stage.play()
    assert [
        "staging preview provision",
        "staging up provision",
        "staging up bind",
        "prod up provision",
        "prod up bind",
    ] == stage.begun
    assert (0, 1) == (played.exit_code, stage.down)


def test_nothing_follows_a_failure_and_all_is_torn_down(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stage = Stage(monkeypatch, tmp_path, fails_at="staging up bind")
    played = stage.play()
    assert ("staging up bind", 1, 1) == (stage.begun[-1], played.exit_code, stage.down)


def test_an_interrupted_demo_is_torn_down_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stage = Stage(monkeypatch, tmp_path, dies_at="prod up provision")
    with pytest.raises(KeyboardInterrupt):
        stage.play()
    assert 1 == stage.down


def test_the_receipt_tells_the_deployments_and_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    played = Stage(monkeypatch, tmp_path).play()
    page = played.receipt.read_text(encoding="utf-8")
    assert "Sandbox: stand-in" in page
    assert page.count("no changes") == 4
