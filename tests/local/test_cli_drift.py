"""The command line of drift: what is wrong with its input is said in one line, before anything is contacted."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from atlas_access.cli.main import run
from atlas_access.clients import GitHub, GitHubUnavailable
from atlas_access.drift.finding import Difference, Drift, Kind

ROOT = Path(__file__).resolve().parents[2]
SANDBOX = {
    "ATLAS_ACCESS_SANDBOX": "1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "MONGODB_ATLAS_BASE_URL": "http://127.0.0.1:1/",
    "ATLAS_ACCESS_SMOKE_URL": "http://127.0.0.1:1",
    "ATLAS_ACCESS_CONTACTS_URL": "http://127.0.0.1:1",
    "GITHUB_API_URL": "http://127.0.0.1:1",
}


@pytest.fixture(autouse=True)
def _sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in os.environ:
        if name.startswith(("AWS_", "ATLAS_", "MONGODB_", "GITHUB_", "GH_")):
            monkeypatch.delenv(name)
    for name, value in SANDBOX.items():
        monkeypatch.setenv(name, value)


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert 2 == run(["drift", *arguments])
    out, err = capsys.readouterr()
    assert "" == out
    assert "Traceback" not in err
    return err


def test_a_stack_without_settings_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Stacks with settings: prod, staging" in error_of(capsys, "qa")


def test_missing_credentials_name_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    assert "set ATLAS_DRIFT_CHECK_PUBLIC_KEY and ATLAS_DRIFT_CHECK_PRIVATE_KEY" in error_of(capsys, "staging")


@pytest.mark.parametrize("half", ["PUBLIC", "PRIVATE"])
def test_half_a_key_is_refused(
    half: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ATLAS_DRIFT_CHECK_{half}_KEY", "canary-half")
    error = error_of(capsys, "staging")
    assert "its other half is" in error
    assert "canary-half" not in error


def test_outside_the_sandbox_placeholders_are_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SANDBOX:
        monkeypatch.delenv(name)
    assert "is still a placeholder" in error_of(capsys, "staging")


def test_a_host_that_is_not_loopback_is_refused_in_the_sandbox(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGODB_ATLAS_BASE_URL", "https://cloud.mongodb.com/")
    assert "not loopback" in error_of(capsys, "staging")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--github", "owner"], "write it as owner/name"),
        (["--github", "owner/name"], "--github needs a token"),
        (["--known-users", "nowhere.yaml"], "nowhere.yaml: No such file or directory"),
        (["--before", "nowhere.json"], "nowhere.json: No such file or directory"),
        (["--before", "access.yaml"], "access.yaml is no drift check of staging"),
        (["--phase", "half"], "--phase"),
        (["--format", "yaml"], "--format"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_contacted(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATLAS_DRIFT_CHECK_PUBLIC_KEY", "x")
    monkeypatch.setenv("ATLAS_DRIFT_CHECK_PRIVATE_KEY", "y")
    assert expected in error_of(capsys, "staging", *arguments)


def test_drift_that_could_not_be_reported_is_not_the_answer_of_drift_that_was(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for 1 takes an issue for written."""

    def refuse(*_: object) -> NoReturn:
        raise GitHubUnavailable("listing the issues", "the token may not do this")

    for name in ("ATLAS_DRIFT_CHECK_PUBLIC_KEY", "ATLAS_DRIFT_CHECK_PRIVATE_KEY", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "x")
    found = Difference(
        Kind.USER_MISSING, "askflorence-staging", "app_read", "the user app_read is gone", "Deploy"
    )
    monkeypatch.setattr(
        "atlas_access.drift.observe_stack", lambda *_: Drift("staging", datetime.now(UTC), (found,))
    )
    monkeypatch.setattr(GitHub, "issues", refuse)
    assert [1, 3] == [run(["drift", "staging"]), run(["drift", "staging", "--github", "owner/name"])]
    assert "the token may not do this" in capsys.readouterr().err


def test_drift_from_before_a_deployment_is_reported_and_only_new_drift_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("ATLAS_DRIFT_CHECK_PUBLIC_KEY", "ATLAS_DRIFT_CHECK_PRIVATE_KEY"):
        monkeypatch.setenv(name, "x")
    where = "askflorence-staging"
    old, new = (
        Difference(Kind.USER_MISSING, where, each, f"{each} is gone", "Deploy.") for each in ("a", "b")
    )
    found = [old]
    monkeypatch.setattr(
        "atlas_access.drift.observe_stack", lambda *_: Drift("staging", datetime.now(UTC), tuple(found))
    )
    before = tmp_path / "before.json"
    assert 1 == run(["drift", "staging", "--format", "json"])
    before.write_text(capsys.readouterr().out, encoding="utf-8")
    assert 0 == run(["drift", "staging", "--before", str(before)])
    shown = capsys.readouterr().out
    assert shown.startswith("CLEAN  staging: nothing new differs; 1 finding from before this deployment\n")
    assert f"There before this deployment: {where}: a is gone. Deploy." in shown
    found.append(new)
    assert 1 == run(["drift", "staging", "--before", str(before)])
    assert "DRIFT  staging: 1 finding; 1 finding from before" in capsys.readouterr().out
    before.write_text(before.read_text().replace('"stack": "staging"', '"stack": "prod"'))
    assert "is no drift check of staging" in error_of(capsys, "staging", "--before", str(before))


def test_a_newer_manifest_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    newer = tmp_path / "access.yaml"
    text = (ROOT / "access.yaml").read_text(encoding="utf-8")
    newer.write_text(text.replace("version: 1", "version: 9", 1), encoding="utf-8")
    assert "newer than this tool" in error_of(capsys, "staging", "--manifest", str(newer))
