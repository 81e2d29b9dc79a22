"""`atlas-access review` in a repository: its exit codes, and each version that it cannot read."""

import json
import subprocess
from pathlib import Path

import pytest

from atlas_access.cli.main import run

ROOT = Path(__file__).parents[2]
FILES = (
    "access.yaml", "smoke.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml", "policy/policy-config.json",
    "docs/application-adrs.md", "known-users.yaml",
)  # fmt: skip
INSERT = ("    LIST_INDEXES: ", "    INSERT: [agents]\n    LIST_INDEXES: ")


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "checkout"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    monkeypatch.chdir(folder)
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    text = (folder / "access.yaml").read_text()
    assert old in text
    (folder / "access.yaml").write_text(text.replace(old, new))


def test_nothing_changed_is_the_same(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (0, True) == (run(["review", "--base", "main"]), capsys.readouterr().out.startswith("SAME  "))


@pytest.mark.parametrize("form", ["text", "md", "json"])
def test_a_privilege_more_is_wider_in_every_format(
    form: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(checkout, *INSERT)
    assert 1 == run(["review", "--base", "main", "--format", form])
    out = capsys.readouterr().out
    if form == "json":
        change = json.loads(out)["changes"][0]
        assert (["staging", "prod"], ["INSERT on askflorence.agents"]) == (
            change["clusters"],
            change["gained"],
        )
    else:
        assert ("WIDENS" in out.splitlines()[0], "INSERT on agents" in out) == (True, True)
        assert "The law does not say the same of" in out.replace("\\", "")


def test_a_privilege_less_is_narrower(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(
        checkout,
        "    DROP_INDEX: [agent_waitlist_submissions, agent_survey_responses, hubspot_sync_log]\n",
        "",
    )
    assert (0, True) == (run(["review", "--base", "main"]), capsys.readouterr().out.startswith("NARROWS  "))


def test_what_the_base_gained_since_is_no_change_of_this_branch(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(checkout, "checkout", "-q", "-b", "topic")
    git(checkout, "checkout", "-q", "main")
    edit(checkout, *INSERT)
    git(checkout, "commit", "-q", "-a", "-m", "second")
    git(checkout, "checkout", "-q", "topic")
    assert (0, True) == (run(["review", "--base", "main"]), capsys.readouterr().out.startswith("SAME  "))


def test_a_first_declaration_is_all_new(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(checkout, "rm", "-q", "--cached", "access.yaml")
    git(checkout, "commit", "-q", "-m", "without")
    assert 1 == run(["review", "--base", "main"])
    assert "4 users gain access on 2 clusters" in capsys.readouterr().out


def test_a_ref_that_is_not_there_is_said(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["review"])
    assert 'no such ref "origin/main" in this clone. Name a branch' in capsys.readouterr().err


@pytest.mark.parametrize("depth", ["no ref", "no common commit"])
def test_a_shallow_clone_is_said(
    depth: str, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(checkout, "checkout", "-q", "-b", "topic")
    git(checkout, "commit", "-q", "--allow-empty", "-m", "topic")
    git(checkout, "checkout", "-q", "main")
    git(checkout, "commit", "-q", "--allow-empty", "-m", "main")
    one = ["--no-single-branch"] if depth == "no common commit" else ["-b", "topic"]
    git(checkout, "clone", "-q", "--depth", "1", *one, checkout.as_uri(), "../shallow")
    monkeypatch.chdir(checkout.parent / "shallow")
    if depth == "no common commit":
        git(Path(), "checkout", "-q", "topic")
    assert 2 == run(["review", "--base", "origin/main"])
    assert "shallow clone: run git fetch --unshallow" in capsys.readouterr().err


def test_an_older_format_is_said(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(checkout, "version: 1", "version: 0")
    git(checkout, "commit", "-q", "-a", "-m", "older")
    edit(checkout, "version: 0", "version: 1")
    assert 2 == run(["review", "--base", "HEAD"])
    assert "has a format that this version does not read: access.yaml:3  version" in capsys.readouterr().err


def test_outside_a_repository_there_is_nothing_to_compare_with(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / ".git").rename(checkout / "elsewhere")
    assert 2 == run(["review", "--base", "main"])
    assert "is in no git repository" in capsys.readouterr().err
