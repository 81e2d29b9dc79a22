"""no-uri-in-git over real repositories: every tracked file is searched or said not to be, and all of the history."""

import gzip
import json
import os
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from test_guard_trees import PASSWORD, ROOT, URI as ADDRESS, git

from atlas_access.cli.main import run

URI = f"{ADDRESS}\n"
Judge = Callable[..., tuple[int, set[str]]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    return folder


@pytest.fixture
def judged(capsys: pytest.CaptureFixture[str]) -> Judge:
    """Exit code, and the files that were found or not judged."""

    def judge(repository: Path, *options: str) -> tuple[int, set[str]]:
        manifest = ["--manifest", str(ROOT / "access.yaml"), "--format", "json"]
        code = run(["guard", "no-uri-in-git", "--source", str(repository), *manifest, *options])
        report = json.loads(capsys.readouterr().out)["guards"][0]
        paths = {each["path"].partition("@")[0] for each in report["findings"]}
        return code, paths | {each["path"] for each in report["notes"] if each["blocks"]}

    return judge


def commit(repository: Path, name: str, content: bytes) -> None:
    file = repository / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    git(repository, "add", "--force", "--all")
    git(repository, "commit", "-q", "-m", "x")


@pytest.mark.parametrize("name", [".next/server/a.js", ".terraform/terraform.tfstate", "venv/.env", "a.txt"])
def test_a_tracked_file_is_searched_below_a_tools_folder(name: str, repository: Path, judged: Judge) -> None:
    commit(repository, name, URI.encode())
    assert (1, {name}) == judged(repository)


def test_a_tools_folder_that_is_left_out_stays_left_out(repository: Path, judged: Judge) -> None:
    commit(repository, ".next/server/a.js", URI.encode())
    assert (0, set()) == judged(repository, "--exclude", ".next")


def test_a_file_whose_name_is_in_no_encoding_is_searched(repository: Path, judged: Judge) -> None:
    commit(repository, os.fsdecode(b"caf\xe9.env"), URI.encode())
    assert (1, {r"caf\xe9.env"}) == judged(repository)


def test_a_tracked_file_that_is_not_there_is_not_judged(repository: Path, judged: Judge) -> None:
    commit(repository, "a.txt", b"x")
    (repository / "a.txt").unlink()
    assert (3, {"a.txt"}) == judged(repository)


def test_an_archive_is_not_judged_until_it_is_left_out(repository: Path, judged: Judge) -> None:
    commit(repository, "dump.gz", gzip.compress(URI.encode()))
    assert [(3, {"dump.gz"}), (0, set())] == [judged(repository), judged(repository, "--exclude", "*.gz")]


@pytest.mark.parametrize(("member", "found"), [(URI, {"a.docx!word/document.xml"}), ("nothing", set())])
def test_a_zips_members_are_searched(member: str, found: set[str], repository: Path, judged: Judge) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", member)
    commit(repository, "a.docx", packed.getvalue())
    assert (int(bool(found)), found) == judged(repository)


def test_a_zip_that_holds_another_archive_or_is_broken_is_not_judged(repository: Path, judged: Judge) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("dump.gz", gzip.compress(URI.encode()))
    commit(repository, "a.zip", packed.getvalue())
    commit(repository, "b.zip", packed.getvalue()[:-9])
    assert (3, {"a.zip", "b.zip"}) == judged(repository)


def test_the_messages_of_commits_and_tags_are_searched(repository: Path, judged: Judge) -> None:
    commit(repository, "a.txt", b"x")
    git(repository, "commit", "-q", "--allow-empty", "-m", f"the old one was {ADDRESS}")
    git(repository, "tag", "-a", "v1", "-m", f"MONGODB_PASSWORD={PASSWORD}")
    assert (1, {"the message of a commit", "the message of a tag"}) == judged(repository, "--history")


def test_what_guards_yaml_leaves_out_is_left_out_and_said(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(repository, "a.env", f"MONGODB_URI={URI}".encode())
    commit(repository, "guards.yaml", b"exclude: [{paths: '*.env', why: made up, guards: [no-uri-in-git]}]\n")
    manifest = ["--source", str(repository), "--manifest", str(ROOT / "access.yaml")]
    assert 0 == run(["guard", "no-uri-in-git", *manifest])
    assert "left out by guards.yaml: made up" in capsys.readouterr().out
    commit(repository, "guards.yaml", b"exclude: [{paths: '*.env'}]\n")
    assert 2 == run(["guard", "no-uri-in-git", *manifest])


def test_a_team_adds_idioms_of_its_own(repository: Path) -> None:
    commit(
        repository,
        "a.ts",
        b"export const uri = orElse(process.env.MONGODB_REFERENCE_URI, process.env.MONGODB_URI);\n",
    )
    manifest = ["--source", str(repository), "--manifest", str(ROOT / "access.yaml")]
    assert 3 == run(["guard", "silent-fall-back", *manifest])
    commit(repository, "guards.yaml", b"first_of: [orElse]\n")
    assert 1 == run(["guard", "silent-fall-back", *manifest])


def test_an_archive_says_nothing_of_the_code_around_it(repository: Path) -> None:
    commit(repository, "dump.gz", gzip.compress(URI.encode()))
    assert 0 == run(
        ["guard", "silent-fall-back", "--source", str(repository), "--manifest", str(ROOT / "access.yaml")]
    )


@pytest.mark.parametrize(("tracked", "expected"), [(True, (3, {"sub/"})), (False, (0, set()))])
def test_a_folder_that_cannot_be_read_matters_when_it_holds_a_tracked_file(
    tracked: bool,
    expected: tuple[int, set[str]],
    repository: Path,
    judged: Judge,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit(repository, "sub/a.env" if tracked else "a.env", b"x")
    (repository / "sub").mkdir(exist_ok=True)
    scandir = os.scandir

    def refused(place: str) -> object:
        if str(place).endswith("/sub"):
            raise PermissionError(13, "Permission denied")
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refused)
    assert expected == judged(repository)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_wide_text_too_large_to_read_is_not_judged(encoding: str, repository: Path, judged: Judge) -> None:
    commit(repository, "a.txt", ("x" * 3_000_000 + URI).encode(encoding))
    assert (3, {"a.txt"}) == judged(repository)


@pytest.mark.parametrize(
    "content",
    [
        b"++ " + URI.encode(),
        b"-- x\n+++ " + URI.encode(),
        URI.encode("utf-16"),
        URI.encode("utf-16-be"),
        f"mongodb%253A%252F%252Fapp:{PASSWORD}%2540c.ab1cd.mongodb.net\n".encode(),
        URI.replace("@", "\\u0040").encode(),
    ],
)
def test_history_is_searched_in_every_form(content: bytes, repository: Path, judged: Judge) -> None:
    commit(repository, "a.txt", content)
    commit(repository, "a.txt", b"clean\n")
    assert (1, {"a.txt"}) == judged(repository, "--history")


def test_a_shallow_clones_history_is_not_judged(repository: Path, tmp_path: Path, judged: Judge) -> None:
    commit(repository, "a.txt", URI.encode())
    commit(repository, "a.txt", b"clean\n")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", str(clone))
    assert [(3, {str(clone)}), (0, set())] == [judged(clone, "--history"), judged(clone)]
