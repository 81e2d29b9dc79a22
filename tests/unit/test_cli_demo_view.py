"""The demo's screen: what is said stays, what is made goes by, and the last screen ends with the answer."""

import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from atlas_access.cli.sandbox_demo_view import stage
from atlas_access.manifest.load import load_manifest
from atlas_access.review.deployment import Deployment, Moment, Operation, Progress, Step
from atlas_access.review.matrix import build
from sandbox.demo.receipt import DatabaseUser, Receipt
from sandbox.demo.run import Audience
from sandbox.load.report import Latency, LoadReport, Tally

MATRIX = build(load_manifest((Path(__file__).parents[2] / "access.yaml").read_text()))
USER = DatabaseUser("staging", "app_read", "read@askflorence")
LOAD = LoadReport(
    began=0, seconds=1, rate=50, cpu_seconds=0, faults=(), served=(), marks=(),
    tallies=(Tally(environment="staging", question="GET /", asked=7, failed=0, wrong=0),),
    latency=Latency(p50=1, p95=1, p99=1, most=1),
)  # fmt: skip
RECEIPT = Receipt("now", "Sandbox: stand-in", (USER, USER), (USER,), (), (), (), LOAD, (), ())
UP = Deployment("staging", "bind", Operation.UP, "embedded", 1.0, (Step("create", "aws:x:Y", "made"),))


def shown(capsys: pytest.CaptureFixture[str], receipt: Receipt = RECEIPT, code: int = 0) -> str:
    def play(screen: Audience) -> Any:
        screen.up(receipt.sandbox)
        screen.begins("staging: bind; prod: provision")
        screen.progress("staging", Progress(Moment.DONE, UP.steps[0]))
        screen.progress("staging", Progress(Moment.SAID, UP.steps[0], "gates on app:8: green"))
        screen.progress("prod", Progress(Moment.SAID, None, "prod: app:13 running 2/2"))
        screen.progress("prod", Progress(Moment.FAILED, replace(UP.steps[0], name="broken")))
        screen.ended(UP)
        screen.line("  load so far: 7 requests")
        return SimpleNamespace(receipt=receipt, matrix=MATRIX, page=Path("receipt.html"), exit_code=code)

    assert code == stage(play)
    return capsys.readouterr().out


def test_what_is_said_names_its_stack_once(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys).splitlines()
    assert "  staging: gates on app:8: green" in lines
    assert "  prod: app:13 running 2/2" in lines


def test_what_was_made_stands_in_the_summary_only(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys).splitlines()
    assert [] == [line for line in lines if "made" in line]
    assert any("staging  bind" in line and "1 created" in line for line in lines)


def test_what_failed_stays(capsys: pytest.CaptureFixture[str]) -> None:
    assert "broken" in shown(capsys)


def test_the_last_screen_ends_with_the_answer_and_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    *_, answer, last = shown(capsys).splitlines()
    assert "DONE  2 database users before, 1 after; 7 requests, 0 failed, 0 wrong" == answer
    assert last.startswith("Receipt: receipt.html       Next: atlas-access sandbox up")


def test_what_did_not_run_is_reported_on_the_last_screen(capsys: pytest.CaptureFixture[str]) -> None:
    result = shown(capsys, replace(RECEIPT, notes=("The smoke gates were NOT RUN: no browser",)))
    assert "The smoke gates were NOT RUN: no browser" in result


def test_a_story_that_stopped_says_so_last(capsys: pytest.CaptureFixture[str]) -> None:
    result = shown(capsys, replace(RECEIPT, failure="prod: bind: refuted"), code=1)
    assert "STOPPED  2 database users before, 1 after: prod: bind: refuted" in result.splitlines()


def test_five_silent_seconds_are_filled_with_what_is_under_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("atlas_access.cli.sandbox_live"), "SILENT_SECONDS", 0.0)

    def play(screen: Audience) -> Any:
        screen.begins("staging: bind")
        screen.progress("staging", Progress(Moment.BEGUN, UP.steps[0]))
        time.sleep(0.7)
        return SimpleNamespace(receipt=RECEIPT, matrix=MATRIX, page=Path("receipt.html"), exit_code=0)

    stage(play)
    assert any(line.startswith("  … ") and "made" in line for line in capsys.readouterr().out.splitlines())


def test_a_pipe_gets_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in shown(capsys)
