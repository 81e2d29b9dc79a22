"""The demo plays the migration in order, tears everything down, and stops after a failure."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from atlas_access.review.deployment import Deployment, Moment, Progress
from sandbox.demo import play as demo_play, run as demo
from sandbox.demo.receipt import DatabaseUser
from sandbox.demo.story import Capture, Pass, Releases, Retire, Rotate, story
from sandbox.deploy import Engine, Order
from sandbox.ecs.releases import Released
from sandbox.load.report import Latency, LoadReport, Mark, Tally
from sandbox.world import SandboxError

ROOT = Path(__file__).parents[2]


def report(failed: int = 0) -> LoadReport:
    tally = Tally(environment="staging", question="GET /", asked=100, failed=failed, wrong=0)
    latency = Latency(p50=1, p95=2, p99=3, most=4)
    return LoadReport(
        began=0, seconds=1, rate=50, cpu_seconds=0.1, tallies=(tally,), faults=(), served=(), marks=(),
        latency=latency,
    )  # fmt: skip


class Stage:
    """A fake sandbox: records what was begun, and whether it was torn down."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        directory: Path,
        *,
        fails_at: str = "",
        dies_at: str = "",
        browser: str = "/usr/bin/chromium",
        failed: int = 0,
    ):
        self.begun: list[str] = []
        self.said: list[str] = []
        self.orders: list[Order] = []
        self.down = 0
        self.load_ended = False
        self._fails_at, self._dies_at = fails_at, dies_at
        self._directory, self._failed = directory, failed
        world = SimpleNamespace(environments={"staging": 1, "prod": 2}, secrets=lambda: ("s3cret-canary",))
        monkeypatch.setattr(demo.lifecycle, "up", lambda *_: world)
        monkeypatch.setattr(demo.lifecycle, "down", self._tear_down)
        monkeypatch.setattr(demo_play, "deploy", self._deploy)
        monkeypatch.setattr(demo, "describe", lambda *_: "Sandbox: stand-in s3cret-canary")
        monkeypatch.setattr(demo, "users", lambda *_: (DatabaseUser("staging", "app_read", "read@x"),))
        monkeypatch.setattr(demo, "find_chromium", lambda: browser)
        monkeypatch.setattr(demo, "LoadProcess", SimpleNamespace(of=lambda *_, **__: self))
        monkeypatch.setattr(demo_play, "capture_baseline", self._capture)
        monkeypatch.setattr(
            demo_play, "advance", lambda _, seconds: self.begun.append(f"{seconds / 60:.0f} min")
        )
        monkeypatch.setattr(demo_play, "Pipeline", self._pipeline)

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self.load_ended = True

    def mark(self, name: str) -> Mark:
        return Mark(name=name, at=1, asked=100, failed=0, wrong=0)

    def end(self) -> LoadReport:
        return report(self._failed)

    def _tear_down(self, directory: Path, *, keep: bool) -> None:
        assert (self._directory, False) == (directory, keep)
        self.down += 1

    def _capture(self, _: object, stack: str, __: Path) -> object:
        self.begun.append(f"{stack} captured")
        if self._fails_at == f"{stack} captured":
            raise SandboxError("not green")
        return SimpleNamespace(contract=14, answers={"one": ""}, revision=f"{stack}:7")

    def _pipeline(self, _: object, stack: str) -> object:
        def again() -> Released:
            self.begun.append(f"{stack} deployed again")
            return Released(stack, "app:9", "app:9", 1.0)

        def build(tag: str) -> Released:
            self.begun.append(f"{stack} build {tag}")
            return Released(stack, "app:8", "app:9", 1.0)

        return SimpleNamespace(build=build, again=again)

    def _deploy(self, _: object, order: Order, report: Callable[[Progress], None]) -> Deployment:
        name = f"{order.stack} {order.operation.value} {order.phase}"
        self.begun.append(name)
        if order.phase == "retire":
            self.orders.append(order)
        if name == self._dies_at:
            raise KeyboardInterrupt
        if order.phase == "bind" and not order.settings:
            for _ in range(2):
                report(Progress(Moment.SAID, None, f"gates on {order.stack}:8: green"))
        failure = "refuted\nbecause" if name == self._fails_at else ""
        return Deployment(
            order.stack, str(order.phase), order.operation, "embedded", 1.0, (), failure=failure
        )

    def play(self) -> demo.Played:
        audience = demo.Audience(
            lambda _: None, lambda _: None, lambda *_: None, lambda _: None, self.said.append
        )
        return demo.play(self._directory, ROOT, Engine.EMBEDDED, audience)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Stage]:
    return partial(Stage, monkeypatch, tmp_path)


STEPS = [step for act in story() for step in act.steps]


def places(chosen: Callable[[object], bool]) -> list[int]:
    return [number for number, step in enumerate(STEPS) if chosen(step)]


def test_baselines_come_before_the_first_change_and_staging_before_prod(stage: Callable[..., Stage]) -> None:
    made = stage()
    played, begun = made.play(), made.begun
    names = ("staging up provision", "staging up bind", "31 min", "prod up bind", "prod build current")
    order = [begun.index(name) for name in names]
    captured = max(begun.index(f"{stack} captured") for stack in ("staging", "prod"))
    assert (sorted(order), True) == (order, captured < order[0])
    assert begun.index("prod up provision") > begun.index("staging up provision")
    assert (0, 1, True) == (played.exit_code, made.down, made.load_ended)


@pytest.mark.parametrize(
    ("fails_at", "not_begun", "why"),
    [("staging up bind", "prod up bind", "refuted"), ("prod captured", "staging up provision", "not green")],
)
def test_nothing_follows_a_failure_and_all_is_torn_down(
    stage: Callable[..., Stage], fails_at: str, not_begun: str, why: str
) -> None:
    made = stage(fails_at=fails_at)
    played = made.play()
    assert (not_begun in made.begun, 1, 1) == (False, played.exit_code, made.down)
    assert "STOPPED" in played.receipt.headline
    assert why in played.receipt.failure


def test_an_interrupted_demo_is_torn_down_too(stage: Callable[..., Stage]) -> None:
    made = stage(dies_at="prod up bind")
    with pytest.raises(KeyboardInterrupt):
        made.play()
    assert (1, True) == (made.down, made.load_ended)


def test_a_failed_request_makes_the_demo_fail(stage: Callable[..., Stage]) -> None:
    played = stage(failed=1).play()
    assert (1, "NOT CLEAN") == (played.exit_code, played.receipt.headline.partition("  ")[0])


def test_the_receipt_stays_in_both_forms_without_secrets(stage: Callable[..., Stage], tmp_path: Path) -> None:
    for path in (stage().play().page, tmp_path / "receipt.md"):
        text = path.read_text(encoding="utf-8").replace("\\", "")
        assert ("stand-in" in text, "s3cret-canary" in text) == (True, False)


def test_the_receipt_lists_the_gates_of_a_rollout_and_the_steps_of_a_retirement(
    stage: Callable[..., Stage],
) -> None:
    receipt = stage().play().receipt
    runs = {(each.stack, each.revision, each.rounds) for each in receipt.gates}
    assert {("staging", "staging:8", 2), ("prod", "prod:7", 2)} <= runs
    rotated = {"rotate app_write: start", "rotate app_write: finish"}
    assert {"provision", "bind", "tombstone", "delete"} | rotated == {
        each.phase for each in receipt.deployments
    }


def test_a_rotation_begins_on_a_bound_stack_ends_a_day_later_and_its_settings_stay(
    stage: Callable[..., Stage],
) -> None:
    began, finished = places(lambda s: isinstance(s, Rotate))
    assert any(isinstance(s, Pass) and s.seconds >= 24 * 3600 for s in STEPS[began:finished])
    made = stage()
    made.play()
    staging = [order.settings for order in made.orders if order.stack == "staging"]
    assert {('{"app_write": 2}', False)} == {
        (each.get("generations"), "rotating" in each) for each in staging
    }


def test_without_a_browser_the_story_ends_all_the_same_and_says_what_did_not_run(
    stage: Callable[..., Stage], tmp_path: Path
) -> None:
    made = stage(browser="")
    played = made.play()
    (note,) = played.receipt.notes
    assert ("staging captured" in made.begun, 0) == (True, played.exit_code)
    assert note.startswith("Gate 6 was NOT RUN: no browser is installed here")
    assert note in (tmp_path / "receipt.html").read_text(encoding="utf-8").replace("&#39;", "'")


def test_no_gate_is_left_out() -> None:
    orders = [step for act in story() for step in act.steps if isinstance(step, Order)]
    assert [{}] * len(orders) == [order.settings for order in orders]


def test_prod_moves_only_after_staging_has_soaked() -> None:
    (prod,) = places(lambda s: isinstance(s, Order) and (s.stack, s.phase) == ("prod", "bind"))
    assert isinstance(STEPS[prod - 1], Pass)


def test_the_code_moves_after_both_stacks_are_bound() -> None:
    bound = max(places(lambda s: isinstance(s, Order) and s.phase == "bind"))
    assert min(places(lambda s: isinstance(s, Releases))) > bound


def test_both_stacks_are_captured() -> None:
    steps = story()[0].steps
    assert {"staging", "prod"} == {s.stack for s in steps if isinstance(s, Capture)}


def test_prod_lets_go_of_stagings_reader_before_staging_retires_it() -> None:
    retirements = [(s.stack, s.step) for s in STEPS if isinstance(s, Retire)]
    assert [("prod", "tombstone"), ("staging", "tombstone")] == retirements[:2]


def test_nothing_is_deleted_before_a_day_after_the_tombstones() -> None:
    tombstoned = max(places(lambda s: isinstance(s, Retire) and s.step == "tombstone"))
    deleted = min(places(lambda s: isinstance(s, Retire) and s.step == "delete"))
    assert any(isinstance(s, Pass) and s.seconds >= 24 * 3600 for s in STEPS[tombstoned:deleted])


def test_a_retirement_receives_the_confirmation_and_verification_times(stage: Callable[..., Stage]) -> None:
    made = stage()
    made.play()
    typed = {order.settings["retireConfirmation"] for order in made.orders if order.stack == "prod"} - {""}
    recorded = {json.loads(order.settings["acknowledged"])[2]["at"] for order in made.orders}
    assert ({"retire prod"}, 1) == (typed, len(recorded))
    assert datetime.fromisoformat(recorded.pop()).tzinfo is not None
