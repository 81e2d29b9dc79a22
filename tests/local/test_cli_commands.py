"""The command line itself: exit codes, one-line errors with a remedy, and every format of matrix and who-can."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from atlas_access.cli.errors import CommandFailed, guarded
from atlas_access.cli.main import run

MANIFEST = str(Path(__file__).parents[2] / "access.yaml")
AUDIT = "askflorence.agent_audit_log"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--help"], 0),
        (["sandbox", "--help"], 0),
        (["matrix", "--manifest", MANIFEST], 0),
        (["who-can", "UPDATE", AUDIT, "--manifest", MANIFEST], 0),
        ([], 2),
        (["no-such-command"], 2),
        (["matrix", "--format", "pdf"], 2),
        (["who-can", "UPDATE"], 2),
        (["who-can", "UPDATEE", AUDIT, "--manifest", MANIFEST], 2),
        (["sandbox", "deploy", "staging", "--preview", "--destroy"], 2),
        (["sandbox", "deploy", "staging", "--phase", "half"], 2),
        (["sandbox", "clock", "--dir", "nowhere", "--advance", "30m"], 2),
        (["sandbox", "baseline", "staging", "--dir", "nowhere"], 2),
    ],
)
def test_the_exit_code_is_that_of_the_house(
    arguments: list[str], expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert expected == run(arguments)
    assert "Traceback" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["no-such-command"], "No such command 'no-such-command'.\n  See: atlas-access --help\n"),
        (
            ["who-can", "UPDAT", AUDIT, "--manifest", MANIFEST],
            'action "UPDAT" is unknown. Did you mean UPDATE?\n',
        ),
        (
            ["matrix", "--manifest", "nowhere.yaml"],
            "nowhere.yaml: No such file or directory. "
            "Run the command where access.yaml is, or name it with --manifest.\n",
        ),
        (
            ["sandbox", "deploy", "staging", "--config", "unprotect"],
            '--config "unprotect" is no setting. Write it as KEY=VALUE, for example unprotect=true.\n',
        ),
        (
            ["sandbox", "deploy", "staging", "--preview", "--refresh"],
            "--preview and --refresh exclude each other: a refresh writes what it reads into the state. "
            "To see what was changed by hand: atlas-access drift staging\n",
        ),
    ],
)
def test_an_error_names_the_thing_and_the_remedy(
    arguments: list[str],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert 2 == run(arguments)
    assert expected == capsys.readouterr().err


def test_a_wrong_manifest_is_refused_with_all_its_errors_and_their_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "access.yaml"
    text = Path(MANIFEST).read_text(encoding="utf-8")
    path.write_text(
        text.replace("role: role_audit_writer", "role: role_nobody").replace("FIND:", "FINDD:", 1)
    )
    assert 2 == run(["matrix", "--manifest", str(path)])
    printed = capsys.readouterr()
    assert "" == printed.out
    assert "nothing was contacted" in printed.err
    assert "role_nobody" in printed.err
    assert "FINDD" in printed.err
    assert f"{path}:" in printed.err


@pytest.mark.parametrize("debug", [False, True], ids=["one line", "a traceback"])
def test_a_defect_of_ours_is_unknown_and_redacted(
    debug: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> int:
        raise ZeroDivisionError("mongodb://app:hunter22@127.0.0.1/x")

    if debug:
        monkeypatch.setenv("ATLAS_ACCESS_DEBUG", "1")
    assert 3 == guarded(broken)
    printed = capsys.readouterr().err
    assert (debug, True, False) == ("Traceback" in printed, "--debug" in printed, "hunter22" in printed)


def test_a_commands_own_failure_keeps_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    def failing() -> int:
        raise CommandFailed("staging cannot be read.", "Try again.", 3)

    assert 3 == guarded(failing)
    assert "staging cannot be read. Try again.\n" == capsys.readouterr().err


def test_ctrl_c_ends_with_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    assert 130 == guarded(interrupted)
    assert "interrupted\n" == capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "md", "html", "json"])
def test_the_matrix_shows_the_waiver_in_every_format(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["matrix", "--manifest", MANIFEST, "--format", form])
    printed = capsys.readouterr().out
    assert "W1" in printed
    assert "agent_audit_log" in printed.replace("\\", "")


def test_redaction_leaves_the_page_as_it_was_rendered(capsys: pytest.CaptureFixture[str]) -> None:
    from atlas_access.manifest.load import load_manifest
    from atlas_access.review import matrix_html
    from atlas_access.review.matrix import build

    run(["matrix", "--manifest", MANIFEST, "--format", "html"])
    page = matrix_html.render(build(load_manifest(Path(MANIFEST).read_text(encoding="utf-8"))))
    assert page == capsys.readouterr().out


def evidence(**changes: object) -> str:
    proof = {
        "name": "app-read-v2",
        "user": "app_read",
        "environment": "staging",
        "cluster": "staging",
        "verdict": "proven",
        "reason": "",
        "attempts": 621,
        "inconclusive": 0,
        "residue": 0,
        "provenAt": "2026-05-12T09:14:00Z",
        "live": "yes",
    }
    return json.dumps({"version": 1, "proofs": [proof | changes]})


@pytest.mark.parametrize(("verdict", "expected"), [("proven", 0), ("refuted", 1), ("inconclusive", 3)])
def test_the_matrix_exits_by_the_worst_proof(tmp_path: Path, verdict: str, expected: int) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(evidence(verdict=verdict))
    assert expected == run(["matrix", "--manifest", MANIFEST, "--evidence", str(path)])


@pytest.mark.parametrize("text", ["", "[]x", "{}", '{"version": 2, "proofs": []}', evidence(verdict="maybe")])
def test_only_evidence_is_accepted(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(text)
    assert 2 == run(["matrix", "--manifest", MANIFEST, "--evidence", str(path)])
    assert "is not evidence" in capsys.readouterr().err


@pytest.mark.thorough
def test_help_imports_neither_the_sandbox_nor_a_cloud_library() -> None:
    code = (
        "import sys; from atlas_access.cli.main import run; run(['--help'])\n"
        "heavy = {'sandbox', 'pulumi', 'boto3', 'pymongo', 'grpc', 'jinja2', 'atlas_access.manifest.load'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.thorough
def test_a_reader_that_leaves_early_is_no_error() -> None:
    matrix = f"{sys.executable} -m atlas_access.cli.main matrix --manifest {MANIFEST} --format json"
    command = f"{matrix} | head -c 1 >/dev/null"
    done = subprocess.run(
        ["bash", "-c", f"{command}; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True, check=False
    )
    assert ("0\n", "") == (done.stdout, done.stderr)


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((Path(MANIFEST).parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert 0 == run(["--version"])
    assert f"atlas-access {project['version']}\n" == capsys.readouterr().out
    changes = (Path(MANIFEST).parent / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{project['version']}] - " in changes
