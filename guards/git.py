"""Reads what git knows: which files are tracked, and every line that its history added and may hold a password.

Read only, by the `git` command. It must never run a hook, a filter or an external diff of the repository.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from guards.no_uri_in_git import HistoryLine

_COMMIT = "atlas-access-commit "
_PATTERN = "[mM][oO][nN][gG][oO][dD][bB].*(//|%2[fF]|\\\\/).*(@|%40)"


class GitUnread(Exception):
    """Git gave no answer; the message says what was asked, and git's own first line."""


def tracked_files(root: Path) -> frozenset[str] | None:
    """The tracked files by their path below `root`; None when `root` is in no repository. Raises GitUnread."""
    inside = _git(root, "rev-parse", "--is-inside-work-tree")
    if inside.returncode != 0:
        told = inside.stderr.decode(errors="replace")
        if "not a git repository" in told:
            return None
        raise GitUnread(f"git cannot read {root}: {_first(told)}")
    listed = _git(root, "ls-files", "-z")
    if listed.returncode != 0:
        raise GitUnread(
            f"git cannot list the files of {root}: {_first(listed.stderr.decode(errors='replace'))}"
        )
    return frozenset(os.fsdecode(name) for name in listed.stdout.split(b"\0") if name)


def ignored(path: Path) -> bool | None:
    """Whether a rule ignores a path and it is not tracked; None in no repository. Raises GitUnread."""
    told = _git(path.parent, "check-ignore", "--quiet", "--", path.name)
    if told.returncode in (0, 1):
        return told.returncode == 0
    text = told.stderr.decode(errors="replace")
    if "not a git repository" in text:
        return None
    raise GitUnread(f"git cannot say whether it ignores {path}: {_first(text)}")


def history_lines(root: Path) -> Iterator[HistoryLine]:
    """Every line that any commit of any branch added to a file and that may hold a connection string.

    Raises GitUnread.
    """
    command = [
        *_command(root), "log", "--all", "--diff-merges=separate", "--text", "--no-textconv", "--no-ext-diff",
        "--no-renames", "--unified=0", "--no-color", f"-G{_PATTERN}", f"--format={_COMMIT}%H", "-p",
    ]  # fmt: skip
    try:
        process = subprocess.Popen(  # noqa: S603 - git by a fixed list of arguments
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()
        )
    except OSError as error:
        raise GitUnread(f"git cannot be started: {error.strerror}") from error
    with process:
        if process.stdout is None or process.stderr is None:
            raise GitUnread("git gave no output")
        commit, path = "", ""
        for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip("\n")
            if line.startswith(_COMMIT):
                commit = line.removeprefix(_COMMIT)
            elif line.startswith("+++ "):
                path = line.removeprefix("+++ ").removeprefix("b/").rstrip("\t")
            elif line.startswith("+"):
                yield HistoryLine(commit, path, line[1:])
        told = process.stderr.read().decode(errors="replace")
    if process.returncode != 0:
        raise GitUnread(f"git cannot read the history of {root}: {_first(told)}")


def _command(root: Path) -> list[str]:
    return ["git", "-C", os.fspath(root), "-c", "core.quotePath=false", "-c", "core.fsmonitor=false"]


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - git by a fixed list of arguments
            [*_command(root), *arguments], capture_output=True, check=False, env=_environment()
        )
    except OSError as error:
        raise GitUnread(f"git cannot be started: {error.strerror}") from error


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat"}


def _first(told: str) -> str:
    return next((line.removeprefix("fatal: ") for line in told.splitlines() if line.strip()), "no answer")
