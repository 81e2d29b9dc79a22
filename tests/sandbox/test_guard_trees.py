"""The guards read real trees and repositories: links, binary and huge files, history, the command's answers."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from atlas_access.cli.main import run
from atlas_access.guards.git import history_lines, tracked_files
from atlas_access.guards.source import LARGEST, read_tree

ROOT = Path(__file__).parents[2]
MANIFEST = str(ROOT / "access.yaml")
PASSWORD = "hR7" + "kq2Zt9XwLm"
URI = f"mongodb+srv://app_read:{PASSWORD}@askflorence-staging.ab1cd.mongodb.net/askflorence"
FALL_BACK = "export const a = process.env.MONGODB_REFERENCE_URI || process.env.MONGODB_URI\n"


def git(repository: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", repository, *identity, *arguments], check=True, capture_output=True)


def guard(*arguments: str) -> int:
    return run(["guard", *arguments, "--manifest", MANIFEST])


def notes(tree: Path) -> dict[str, str]:
    return {note.place.path: note.message for note in read_tree(tree).notes}


def test_a_loop_of_links_ends_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.ts").write_text(FALL_BACK)
    (tmp_path / "src" / "again").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    tree = read_tree(tmp_path)
    assert ["src/a.ts"] == [file.path for file in tree.files]
    assert {"src/again": "a link, not followed", "self": "a link, not followed"} == notes(tmp_path)


def test_a_huge_file_that_names_mongodb_is_not_judged_and_another_is_only_named(tmp_path: Path) -> None:
    (tmp_path / "bundle.js").write_text("x" * LARGEST + FALL_BACK)
    (tmp_path / "data.csv").write_text("x" * (LARGEST + 1))
    assert {
        "bundle.js": "larger than 4 MiB and speaks of MongoDB: not judged; leave it out with --exclude",
        "data.csv": "larger than 4 MiB, does not speak of MongoDB",
    } == notes(tmp_path)
    assert 3 == guard("silent-fall-back", "--source", str(tmp_path))
    assert 0 == guard("silent-fall-back", "--source", str(tmp_path), "--exclude", "bundle.js")


def test_a_binary_file_is_searched_for_connection_strings_only(tmp_path: Path) -> None:
    (tmp_path / "dump.bin").write_bytes(b"\0\1\2" + URI.encode() + b"\0" + FALL_BACK.encode())
    assert {"dump.bin": "binary: searched for connection strings only"} == notes(tmp_path)
    assert 0 == guard("silent-fall-back", "--source", str(tmp_path))
    assert 1 == guard("no-uri-in-git", "--source", str(tmp_path))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_with_a_byte_order_mark_is_read(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(FALL_BACK.encode(encoding))
    assert 1 == guard("silent-fall-back", "--source", str(tmp_path))


def test_a_pipe_holds_nothing_up_and_a_name_in_no_encoding_is_shown(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / os.fsdecode(b"n\xff.ts")).write_text(FALL_BACK)
    assert {"pipe": "no regular file, not read"} == notes(tmp_path)
    assert [r"n\xff.ts"] == [file.path for file in read_tree(tmp_path).files]


def test_folders_of_tools_are_left_out(tmp_path: Path) -> None:
    for folder in ("node_modules", ".git", ".venv"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.ts").write_text(FALL_BACK)
    assert () == read_tree(tmp_path).files


def test_a_source_that_is_none_is_wrong_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == guard("all", "--source", str(tmp_path / "none"))
    said = f"--source {tmp_path / 'none'}: No such file or directory. Name a folder.\n"
    assert said == capsys.readouterr().err


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose history holds a password, on a branch too, and whose work tree holds an untracked one."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "config.env").write_text(f"MONGODB_URI={URI}\n")
    git(tmp_path, "add", "config.env")
    git(tmp_path, "commit", "-q", "-m", "first")
    git(tmp_path, "checkout", "-q", "-b", "side")
    (tmp_path / "side note.txt").write_text(URI.replace("app_read", "app_write"))
    git(tmp_path, "add", "side note.txt")
    git(tmp_path, "commit", "-q", "-m", "side")
    git(tmp_path, "checkout", "-q", "main")
    (tmp_path / "config.env").write_text("MONGODB_URI=\n")
    git(tmp_path, "commit", "-q", "-a", "-m", "take it out")
    (tmp_path / ".env.local").write_text(f"MONGODB_URI={URI}\n")
    return tmp_path


def test_only_tracked_files_count(repository: Path) -> None:
    assert frozenset({"config.env"}) == tracked_files(repository)
    assert 0 == guard("no-uri-in-git", "--source", str(repository))


def test_history_shows_what_was_taken_out_and_what_another_branch_holds(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == guard("no-uri-in-git", "--source", str(repository), "--history", "--format", "json")
    shown = capsys.readouterr().out
    found = json.loads(shown)["guards"][0]["findings"]
    assert [("config.env", "app_read"), ("side note.txt", "app_write")] == [
        (each["path"].partition("@")[0], each["what"].split()[7]) for each in found
    ]
    assert PASSWORD not in shown


def test_history_holds_the_added_lines_only(repository: Path) -> None:
    assert {"config.env", "side note.txt"} == {
        each.path for each in history_lines(repository) if "@" in each.text
    }
    assert not [each for each in history_lines(repository) if each.text.startswith(("+", "-"))]


def test_outside_a_repository_there_is_no_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == guard("no-uri-in-git", "--source", str(tmp_path), "--history")
    assert "is in no git repository" in capsys.readouterr().err


def test_all_runs_every_guard_that_needs_no_account(capsys: pytest.CaptureFixture[str]) -> None:
    clean = ROOT / "tests" / "fixtures" / "python_app" / "clean"
    guard("all", "--source", str(clean), "--format", "json")
    assert [
        "env-var-coverage",
        "silent-fall-back",
        "reference-collections",
        "no-uri-in-git",
        "docs-sync",
    ] == [each["guard"] for each in json.loads(capsys.readouterr().out)["guards"]]


@pytest.mark.parametrize(
    ("lifecycle", "expected"),
    [("lifecycle {\n    ignore_changes = [task_definition]\n  }", 0), ("", 1), (None, 3)],
)
def test_terraform_has_let_go_or_not_or_is_unknown(
    lifecycle: str | None, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lifecycle is not None:
        (tmp_path / "ecs.tf").write_text(
            'resource "aws_ecs_service" "app" {\n  name = "askflorence-staging-app"\n'
            f"  task_definition = aws_ecs_task_definition.app.arn\n  {lifecycle}\n}}\n"
        )
    loopback = "http://127.0.0.1:1"
    for name in (
        "AWS_ENDPOINT_URL",
        "MONGODB_ATLAS_BASE_URL",
        "ATLAS_ACCESS_SMOKE_URL",
        "ATLAS_ACCESS_CONTACTS_URL",
    ):
        monkeypatch.setenv(name, loopback)
    monkeypatch.setenv("GITHUB_API_URL", loopback)
    monkeypatch.setenv("ATLAS_ACCESS_ADDRESS_FORM", "standard")
    monkeypatch.setenv("ATLAS_ACCESS_SANDBOX", "1")
    monkeypatch.chdir(ROOT)
    assert expected == guard("terraform-ownership", "--source", str(tmp_path), "--stack", "staging")


def test_validate_secrets_asks_whose(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == guard("validate-secrets")
    assert "Name a stack: --stack staging." in capsys.readouterr().err


def test_no_format_of_a_finding_holds_a_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text(URI)
    for form in ("text", "md", "json", "sarif"):
        assert 1 == guard("no-uri-in-git", "--source", str(tmp_path), "--format", form)
    assert PASSWORD not in "".join(capsys.readouterr())
