"""`atlas-access smoke` and `baseline capture`: exit codes, formats, and wrong input, found before anything is asked."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from mongod_fixture import LOOPBACK
from smoke_fixture import PLACE, ROOT, SMOKE_RUN, FakeApp, scenarios

from atlas_access.cli.main import run
from atlas_access.smoke.baseline import Baseline
from atlas_access.smoke.gates import Gate, Standing
from atlas_access.smoke.json_difference import canonical
from atlas_access.smoke.run import SmokeOrder, capture

NOWHERE = "http://127.0.0.1:9"


def older(path: Path, **changes: object) -> None:
    """Put a baseline with these changes in a baseline's place."""
    held = json.loads(path.read_text()) | changes
    answers = {key: canonical(value) for key, value in held["answers"].items()}
    names = ("stack", "url", "scenarios", "captured_at", "revision")
    facts = {key: held[key] for key in names}
    path.write_text(Baseline(**facts, plans=tuple(held["plans"]), answers=answers).to_json())


@pytest.fixture
def standings(
    app: FakeApp, side_gates: dict[Gate, Standing], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[Gate, Standing]:
    """A sandbox whose service is the fake application."""
    monkeypatch.chdir(ROOT)
    variables = {
        "ATLAS_ACCESS_SANDBOX": "1",
        "ATLAS_ACCESS_SANDBOX_DIR": str(tmp_path),
        "ATLAS_ACCESS_SMOKE_URL": app.url,
        "ATLAS_ACCESS_CONTACTS_URL": NOWHERE,
        "ATLAS_ACCESS_ADDRESS_FORM": "standard",
        "GITHUB_API_URL": NOWHERE,
        "AWS_ENDPOINT_URL": NOWHERE,
        "MONGODB_ATLAS_BASE_URL": NOWHERE,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return side_gates


def test_a_captured_baseline_makes_the_gates_green(
    app: FakeApp, standings: dict[Gate, Standing], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run(["baseline", "capture", "staging"])
    assert "CAPTURED  staging: 14 plans, 30 answers" in capsys.readouterr().out
    assert "staging" == json.loads((tmp_path / "baselines" / "staging.json").read_text())["stack"]
    assert 0 == run(["smoke", "staging"])
    assert capsys.readouterr().out.startswith("GREEN  staging: 8 of 8 gates, 2 of 2 rounds, 14 plans")


def test_a_failed_gate_exits_1_and_is_said_first(
    app: FakeApp, standings: dict[Gate, Standing], capsys: pytest.CaptureFixture[str]
) -> None:
    app.answers("/api/eligibility", {"error": "database error"}, status=500)
    assert 1 == run(["smoke", "staging"])
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("RED  staging: gate 1 eligibility: HTTP 500 (database error)")


def test_something_unknown_exits_3(standings: dict[Gate, Standing]) -> None:
    assert 3 == run(["smoke", "staging"])


def test_a_failed_capture_writes_nothing(
    app: FakeApp, standings: dict[Gate, Standing], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    standings[Gate.JOURNEY] = Standing.UNMET
    assert 1 == run(["baseline", "capture", "staging"])
    assert "This is a stop: fix the application first" in capsys.readouterr().out
    assert [] == list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize("output", ["text", "json", "md", "junit"])
def test_every_format_carries_the_result(
    output: str, standings: dict[Gate, Standing], capsys: pytest.CaptureFixture[str]
) -> None:
    assert 3 == run(["smoke", "staging", "--round", "1", "--format", output])
    assert "there is no baseline to hold them to" in capsys.readouterr().out


def test_json_is_json(standings: dict[Gate, Standing], capsys: pytest.CaptureFixture[str]) -> None:
    run(["smoke", "staging", "--format", "json"])
    assert "unknown" == json.loads(capsys.readouterr().out)["standing"]


def test_another_address_can_be_asked(
    app: FakeApp,
    standings: dict[Gate, Standing],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ATLAS_ACCESS_SMOKE_URL", NOWHERE)
    run(["smoke", "staging", "--url", app.url])
    assert (True, True) == ("/api/plans" in app.asked, app.url in capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["smoke", "nowhere"], "Pulumi.nowhere.yaml"),
        (["smoke", "staging", "--url", "http://service.example.com"], "service.example.com is not loopback"),
        (["smoke", "staging", "--url", "ftp://127.0.0.1"], "not a plain http or https URL"),
        (["smoke", "staging", "--scenarios", "missing.yaml"], "missing.yaml: No such file or directory"),
        (["smoke", "staging", "--scenarios", "access.yaml"], "access.yaml has"),
        (
            ["smoke", "staging", "--baseline", "missing.json"],
            "Capture one with: atlas-access baseline capture",
        ),
        (["smoke", "staging", "--baseline", "pyproject.toml"], "pyproject.toml is not a baseline"),
        (["smoke", "staging", "--rounds", "0"], "Invalid value"),
        (["smoke", "staging", "--format", "pdf"], "Invalid value"),
        (["baseline", "capture", "nowhere"], "Pulumi.nowhere.yaml"),
    ],
)
def test_wrong_input_exits_2_before_anything_is_asked(
    arguments: list[str],
    expected: str,
    app: FakeApp,
    standings: dict[Gate, Standing],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert (2, []) == (run(arguments), app.asked)
    printed = capsys.readouterr().err
    assert (True, False) == (expected in printed, "Traceback" in printed)


def test_a_baseline_of_another_stack_is_refused(
    standings: dict[Gate, Standing], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["baseline", "capture", "staging"])
    capsys.readouterr()
    assert 2 == run(["smoke", "prod", "--baseline", str(tmp_path / "baselines" / "staging.json")])
    assert "is the baseline of another stack, not of prod" in capsys.readouterr().err


def test_a_baseline_of_other_scenarios_is_refused(
    standings: dict[Gate, Standing], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["baseline", "capture", "staging"])
    other = tmp_path / "other.yaml"
    other.write_text((ROOT / "smoke.yaml").read_text().replace("income: 38000", "income: 39000"))
    assert 2 == run(["smoke", "staging", "--scenarios", str(other)])
    assert "was captured with other scenarios" in capsys.readouterr().err


def test_a_renewal_writes_what_the_application_answers_now_and_says_the_differences(
    app: FakeApp, standings: dict[Gate, Standing], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "baselines" / "staging.json"
    run(["baseline", "capture", "staging"])
    answers = json.loads(target.read_text())["answers"]
    answers.pop(gone := sorted(answers)[0])
    older(target, scenarios="0" * 64, answers=answers)
    capsys.readouterr()
    assert 2 == run(["smoke", "staging"])
    assert "Renew it: atlas-access baseline renew staging." in capsys.readouterr().err
    assert 0 == run(["baseline", "renew", "staging"])
    assert f"{gone}: asked from now on\n  1 difference from the answers of" in capsys.readouterr().out
    assert 0 == run(["smoke", "staging"])


def test_a_renewal_on_a_red_gate_leaves_the_baseline_as_it_was(
    app: FakeApp, standings: dict[Gate, Standing], tmp_path: Path
) -> None:
    run(["baseline", "capture", "staging"])
    before = (tmp_path / "baselines" / "staging.json").read_text()
    app.answers("/api/eligibility", {"error": "database error"}, status=500)
    assert 1 == run(["baseline", "renew", "staging"])
    assert before == (tmp_path / "baselines" / "staging.json").read_text()


@pytest.fixture
def alone(app: FakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApp:
    """The application on a developer's machine, beside which nothing answers: no sandbox, AWS or browser."""
    monkeypatch.chdir(ROOT)
    for name in os.environ:
        if name.startswith(("ATLAS_ACCESS_", "AWS_", "PULUMI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
    for name in ("judge_journey", "judge_sign_up"):
        monkeypatch.setattr(SMOKE_RUN, name, None)
    return app


def captured(app: FakeApp, folder: Path) -> str:
    order = SmokeOrder("staging", app.url, scenarios(), PLACE, LOOPBACK, "askflorence")
    file = folder / "staging.json"
    only = frozenset(set(Gate) - {Gate.JOURNEY, Gate.WAITLIST})
    file.write_text(capture(replace(order, gates=only)).to_json())
    return str(file)


def test_seven_gates_need_neither_a_stack_nor_aws_nor_a_browser(
    alone: FakeApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline = captured(alone, tmp_path)
    asked = ["smoke", "--gates", "1-5,7", "--url", alone.url, "--baseline", baseline]
    assert 0 == run(asked)
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("GREEN  staging: 6 of 8 gates (gate 6 not run) (gate 8 not run), 2 of 2 rounds")


def test_without_a_baseline_the_comparison_is_unknown_and_the_other_gates_pass(
    alone: FakeApp, capsys: pytest.CaptureFixture[str]
) -> None:
    alone_asked = ["smoke", "--url", alone.url, "--gates"]
    assert (0, 3) == (run([*alone_asked, "1-5"]), run([*alone_asked, "1-5,7"]))
    assert "there is no baseline to hold them to" in capsys.readouterr().out


def test_a_gate_that_is_not_met_there_advises_no_rollback(
    alone: FakeApp, capsys: pytest.CaptureFixture[str]
) -> None:
    alone.answers("/api/eligibility", {"error": "database error"}, status=500)
    assert 1 == run(["smoke", "staging", "--gates", "1,2", "--url", alone.url])
    printed = capsys.readouterr().out
    assert (True, False) == ("RED  staging: gate 1 eligibility: HTTP 500" in printed, "rollback" in printed)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--gates", "9", "--url", NOWHERE], '--gates "9" names no gates'),
        (["--gates", "5-1", "--url", NOWHERE], "Write numbers from 1 to 8, such as 1-5,7."),
        (["--gates", "1-5,7"], "no STACK is named. Name one of staging, prod."),
        (["--gates", "one", "--url", NOWHERE], "names no gates"),
    ],
)
def test_gates_that_are_none_exit_2(
    arguments: list[str], expected: str, alone: FakeApp, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (2, []) == (run(["smoke", *arguments]), alone.asked)
    assert expected in capsys.readouterr().err
