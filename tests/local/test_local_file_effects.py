"""Writing and restoring an env file: whole or not at all, private, with a backup; refusals lose nothing."""

import fcntl
import os
import stat
import subprocess
from pathlib import Path

import pytest

from atlas_access.cli.main import run
from atlas_access.guards.git import ignored
from atlas_access.retirement import write_local_file as local_file
from atlas_access.retirement.write_local_file import LocalFileRefused, prepare, read, restore, write

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository that ignores `.env.*`."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(".env.*\n")
    return tmp_path


@pytest.fixture
def old(folder: Path) -> Path:
    """An env file that is there already."""
    path = folder / ".env.local"
    path.write_text("A=0\n")
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.name.startswith(".env"))


def test_a_new_file_is_private_and_has_no_backup(folder: Path) -> None:
    path = folder / ".env.local"
    done = write(path, "A=1\n", None, ignored)
    assert (True, None, "A=1\n", 0o600) == (done.changed, done.backup, path.read_text(), mode(path))


def test_what_stood_there_is_kept_each_time_and_comes_back(folder: Path) -> None:
    path = folder / ".env.local"
    path.write_text("A=0\r\n", newline="")
    for text in ("A=1\n", "A=2\n"):
        write(path, text, read(path), ignored)
    assert [".env.local", ".env.local.backup-1", ".env.local.backup-2"] == names(folder)
    assert (b"A=0\r\n", 0o600) == ((folder / ".env.local.backup-1").read_bytes(), mode(path))
    restore(path, ignored)
    assert "A=1\n" == path.read_text()
    restore(path, ignored)
    assert "A=2\n" == path.read_text()


def test_an_unchanged_file_gets_no_backup_but_its_mode(folder: Path) -> None:
    path = folder / ".env.local"
    path.write_text("A=1\n")
    path.chmod(0o644)
    done = write(path, "A=1\n", read(path), ignored)
    assert (True, None, 0o600, [".env.local"]) == (done.changed, done.backup, mode(path), names(folder))


def symlinked(path: Path) -> None:
    (path.parent / ".env.other").write_text("KEPT=1\n")
    path.symlink_to(".env.other")


def binary(path: Path) -> None:
    path.write_bytes(b"KEPT=1\n\0\n")


def not_utf8(path: Path) -> None:
    path.write_bytes(b"KEPT=\xff\n")


def read_only(path: Path) -> None:
    path.write_text("KEPT=1\n")
    path.chmod(0o400)


def hard_linked(path: Path) -> None:
    (path.parent / ".env.other").write_text("KEPT=1\n")
    path.hardlink_to(path.parent / ".env.other")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def tracked(path: Path) -> None:
    path.write_text("KEPT=1\n")
    subprocess.run(["git", "-C", str(path.parent), "add", "-f", path.name], check=True)


def not_ignored(path: Path) -> None:
    path.write_text("KEPT=1\n")
    (path.parent / ".gitignore").write_text("")


def backup_not_ignored(path: Path) -> None:
    path.write_text("KEPT=1\n")
    (path.parent / ".gitignore").write_text(".env.local\n")


def no_repository(path: Path) -> None:
    path.write_text("KEPT=1\n")
    (path.parent / ".git").rename(path.parent / "was-git")


REFUSED = [
    (symlinked, "is a symbolic link"), (binary, "is binary"), (not_utf8, "is not UTF-8"), (read_only, "is read-only"),
    (hard_linked, "hard link"), (a_folder, "no regular file"), (a_pipe, "no regular file"),
    (tracked, "git does not ignore"), (not_ignored, "git does not ignore"),
    (backup_not_ignored, "git does not ignore"), (no_repository, "in no git repository"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "expected"), REFUSED, ids=lambda each: getattr(each, "__name__", ""))
def test_a_forbidden_file_is_refused_and_nothing_is_lost(made: object, expected: str, folder: Path) -> None:
    path = folder / ".env.local"
    made(path)  # type: ignore[operator]
    before = {name: (folder / name).read_bytes() for name in names(folder) if (folder / name).is_file()}
    with pytest.raises(LocalFileRefused, match=expected):
        write(path, "A=1\n", read(path), ignored)
    assert before == {
        name: (folder / name).read_bytes() for name in names(folder) if (folder / name).is_file()
    }


@pytest.mark.parametrize("was_there", [True, False])
def test_a_file_that_changed_or_appeared_since_it_was_read_is_left_alone(was_there: bool, old: Path) -> None:
    found = read(old) if was_there else None
    old.write_text("A=changed\n")
    with pytest.raises(LocalFileRefused, match="changed by somebody else"):
        write(old, "A=1\n", found, ignored)
    assert ("A=changed\n", [".env.local"]) == (old.read_text(), names(old.parent))


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_a_disk_that_fills_at_any_moment_leaves_no_new_backup_and_nothing_half_written(
    writes: int, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(old, "A=1\n", read(old), ignored)
    synced, left = os.fsync, [None] * writes

    def full(descriptor: int) -> None:
        if not left:
            raise OSError(28, "No space left on device")
        left.pop()
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LocalFileRefused, match="No space left"):
        write(old, "A=2\n", read(old), ignored)
    monkeypatch.undo()
    assert old.read_text() in ("A=1\n", *(["A=2\n"] if writes else []))
    second = [".env.local.backup-2"] if old.read_text() == "A=2\n" else []
    assert [".env.local", ".env.local.backup-1", *second] == names(old.parent)
    assert "A=0\n" == (old.parent / ".env.local.backup-1").read_text()


def test_a_backup_of_another_command_is_not_replaced(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup, beside = prepare(old, read(old), ignored)
    backup.write_text("THEIRS=1\n")
    monkeypatch.setattr(local_file, "prepare", lambda *_: (backup, beside))
    with pytest.raises(LocalFileRefused, match="File exists"):
        write(old, "A=1\n", read(old), ignored)
    assert ("A=0\n", "THEIRS=1\n") == (old.read_text(), backup.read_text())


@pytest.mark.parametrize("held", [False, True])
def test_what_a_killed_command_left_is_removed_and_what_one_is_writing_stays(held: bool, old: Path) -> None:
    left = old.with_name(".env.local.writing-0a1b2c3d")
    left.write_text("HALF")
    with left.open() as file:
        if held:
            fcntl.flock(file, fcntl.LOCK_EX)
        write(old, "A=1\n", read(old), ignored)
    assert held == left.exists()


def test_a_relative_name_works_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert ".env.local.backup-1" == prepare(Path(".env.local"), None, ignored)[0].name


def test_without_a_backup_there_is_nothing_to_restore(folder: Path) -> None:
    with pytest.raises(LocalFileRefused, match="has no backup"):
        restore(folder / ".env.local", ignored)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["prod", "--write", ".env.local"], "prod's credentials never go to a developer's machine"),
        (["prod", "--check", ".env.local"], "prod's credentials never go to a developer's machine"),
        (["--write", ".env.local"], "--write needs to know whose credentials"),
        (["staging"], "needs one thing to do"),
        (["--check", "a", "--restore", "b"], "needs one thing to do"),
        (["--check", "nowhere"], "nowhere: no such file"),
        (["--restore", ".env.local"], "has no backup"),
    ],
)
def test_the_command_refuses_in_a_sentence(
    arguments: list[str],
    expected: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    assert 2 == run(["env", "--manifest", str(ROOT / "access.yaml"), *arguments])
    assert expected in capsys.readouterr().err
