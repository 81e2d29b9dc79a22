"""The sandbox commands as a person runs them: processes of their own, real servers, what they print and return."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.world import World

ROOT = Path(__file__).parents[2]
DEPLOY = ("sandbox", "deploy", "staging", "--config", "allowUngatedRollout=true")


LAST = re.compile(r"PROVEN  staging: 5/5 proven |CLEAN  staging: ")
"""What every update ends with, on standard error beside JSON: a proof of what tasks hold, and the drift check."""


@dataclass(frozen=True)
class Shell:
    """Runs `atlas-access` in a folder, against one sandbox, without a pulumi CLI on PATH."""

    directory: Path
    path: str

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "atlas_access.cli.main", *arguments],
            cwd=ROOT,
            env={
                **{name: os.environ[name] for name in ("HOME", "LANG", "MONGOD") if name in os.environ},
                "PATH": self.path,
                "ATLAS_ACCESS_SANDBOX_DIR": str(self.directory),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )


def _without_pulumi() -> str:
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(each for each in folders if not (Path(each) / "pulumi").exists())


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A running sandbox, brought up and taken down by the commands themselves."""
    here = Shell(tmp_path_factory.mktemp("cli") / "box", _without_pulumi())
    up = here("sandbox", "up")
    assert (0, "") == (up.returncode, up.stderr)
    try:
        yield here
    finally:
        here("sandbox", "down")


@pytest.fixture(scope="module")
def deployed(shell: Shell) -> subprocess.CompletedProcess[str]:
    """Staging, provisioned: the JSON that the command printed."""
    return shell(*DEPLOY, "--json")


def secrets_in(shell: Shell, texts: Sequence[str]) -> list[str]:
    """Which of the sandbox's secrets stand in the texts."""
    known = World.load(shell.directory).secrets()
    return [secret for secret in known if any(secret in text for text in texts)]


def test_the_plan_lists_what_would_be_made_and_changes_nothing(shell: Shell) -> None:
    first, second = (shell(*DEPLOY, "--preview") for _ in range(2))
    assert (0, "") == (first.returncode, first.stderr)
    assert first.stdout.startswith("Plan: ")
    assert "mongodbatlas DatabaseUser        app_audit_writer" in first.stdout
    assert first.stdout == second.stdout


def test_a_deployment_is_reported_as_json_with_its_proofs(
    shell: Shell, deployed: subprocess.CompletedProcess[str]
) -> None:
    answer = json.loads(deployed.stdout)
    assert [True, True] == [LAST.match(line) is not None for line in deployed.stderr.splitlines()]
    assert (0, "succeeded", "provision") == (deployed.returncode, answer["result"], answer["phase"])
    assert {"proven"} == {proof["verdict"] for proof in answer["proofs"]}
    assert {"app_read", "app_write", "app_audit_writer", "app_admin_schema"} == {
        p["user"] for p in answer["proofs"]
    }
    assert [] == secrets_in(shell, [deployed.stdout])


def test_deploying_again_changes_nothing_and_says_so(
    shell: Shell, deployed: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    events = tmp_path / "events.jsonl"
    again = shell(*DEPLOY, "--events", str(events))
    lines = [each.strip() for each in again.stdout.splitlines()]
    outcome = re.compile(
        r"staging  provision no changes +\d+\.\d s  proofs 5/5 proven, 4 of 4 declared users .* "
        r"on record since [-\d]{10} \d\d:\d\d UTC, not asked now"
    )
    rest = [each for each in lines if not outcome.match(each) and not each.startswith("Advice: ")]
    assert ["engine: embedded"] == [each for each in rest if not LAST.match(each)]
    assert ["PROVEN", "CLEAN"] == [each.split()[0] for each in rest[-2:]]
    assert 1 == sum(1 for each in lines if outcome.match(each))
    assert all(isinstance(json.loads(line), dict) for line in events.read_text().splitlines())
    assert [] == secrets_in(shell, [again.stdout, events.read_text()])


def test_the_deployments_json_is_evidence_for_the_matrix(
    shell: Shell, deployed: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    evidence = tmp_path / "evidence.json"
    evidence.write_text(deployed.stdout)
    matrix = json.loads(shell("matrix", "--evidence", str(evidence), "--format", "json").stdout)
    standings = {
        cluster["environment"]: {(user["live"], user["proven"]) for user in cluster["users"]}
        for cluster in matrix["clusters"]
    }
    assert {"staging": {("yes", "yes")}, "prod": {("unasked", "unasked")}} == standings


def test_env_prints_exports_that_a_shell_takes_back_unchanged(shell: Shell) -> None:
    printed = shell("sandbox", "env", "prod").stdout
    script = f"{printed}\nenv -0"
    done = subprocess.run(["bash", "-c", script], env={}, capture_output=True, text=True, check=True)
    taken = dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)
    expected = World.load(shell.directory).environment("prod")
    assert expected == {name: taken.get(name) for name in expected}


def test_env_leaves_the_programs_own_folder_alone(shell: Shell) -> None:
    printed = shell("sandbox", "env").stdout
    project = re.search(r"pulumi -C (\S+) ", printed)
    assert project is not None
    assert shell.directory.resolve() in Path(project[1]).resolve().parents


def test_status_says_that_every_part_is_alive(shell: Shell) -> None:
    done = shell("sandbox", "status")
    assert 0 == done.returncode
    assert re.match(r"All \d+ parts are alive", done.stdout)
    parts = json.loads(shell("sandbox", "status", "--format", "json").stdout)["parts"]
    assert {True} == {part["ok"] for part in parts}


def test_logs_hold_no_secret(shell: Shell, deployed: subprocess.CompletedProcess[str]) -> None:
    done = shell("sandbox", "logs", "--lines", "500")
    assert 0 == done.returncode
    assert "supervisor: " in done.stdout or "mongod-staging: " in done.stdout
    assert [] == secrets_in(shell, [done.stdout])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["up"], "a sandbox already runs in"),
        (["deploy", "moon"], "the sandbox has no stack 'moon': it has staging and prod"),
        (["env", "moon"], "the sandbox has no stack 'moon'"),
        (["logs", "moon"], "no log of 'moon'"),
        (["deploy", "staging", "--engine", "pulumi"], "were deployed by --engine embedded"),
        (["deploy", "staging", "--config", "phase=sideways"], "atlas-access:phase: is not a valid value"),
        (
            ["deploy", "staging", "--config", "atlasProjectId=69dc20c64005b222804dafa4"],
            "nothing was contacted",
        ),
        (
            ["deploy", "staging", "--events", "/nowhere/events.jsonl"],
            "/nowhere/events.jsonl cannot be written",
        ),
    ],
)
def test_a_refusal_is_exit_2_with_one_clear_message(
    shell: Shell, deployed: subprocess.CompletedProcess[str], arguments: list[str], expected: str
) -> None:
    refused = shell("sandbox", *arguments)
    assert (2, "") == (refused.returncode, refused.stdout)
    assert expected in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_a_sandbox_the_way_to_one_is_named(tmp_path: Path) -> None:
    refused = Shell(tmp_path / "none", _without_pulumi())(*DEPLOY)
    assert 2 == refused.returncode
    assert "start one with `atlas-access sandbox up`" in refused.stderr


def test_a_reader_that_leaves_does_not_stop_a_deployment(
    shell: Shell, deployed: subprocess.CompletedProcess[str]
) -> None:
    deploy = f"{sys.executable} -m atlas_access.cli.main {' '.join(DEPLOY)}"
    command = f"{deploy} | head -c 1 > /dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env={"PATH": shell.path, "ATLAS_ACCESS_SANDBOX_DIR": str(shell.directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("0\n", "") == (done.stdout, done.stderr)
