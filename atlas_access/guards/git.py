"""Reads what git knows: which files are tracked, and every line that its history added and may hold a password.

Read only, by the `git` command. No hook, filter or external diff of the repository is run.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from atlas_access.guards.content import decoded
from atlas_access.guards.no_uri_in_git import HistoryLine
from atlas_access.guards.written_forms import ONCE, TWICE

_COMMIT = "atlas-access-commit "
_NOWHERE = "not a git repository"
_PATTERN = (
    "[mM][oO][nN][gG][oO][dD][bB].*(@|40|64)"
    "|[mM][^x]{1,3}[oO][^x]{1,3}[nN][^x]{1,3}[gG][^x]{1,3}[oO][^x]{1,3}[dD][^x]{1,3}[bB]"
    "|[mM][oO][nN][gG][oO].*[pP][aA][sS][sS]|([aA][tT][lL][aA][sS]|MCLI_|mcli_|[pP]rivate).*[kK][eE][yY]"
    "|6[dD]6[fF]6[eE]67|" + "|".join(each.decode() for each in (*ONCE, *TWICE))
)
"""A line that may hold a connection string or a password: in any form of `atlas_access.guards.written_forms`, of one,
two or four bytes a character."""

_HUNK = re.compile(rb"@@ -[0-9]+(?:,([0-9]+))? \+[0-9]+(?:,([0-9]+))? @@")


class GitUnread(Exception):
    """Git gave no answer; the message says what was asked, and git's own first line."""


def tracked_files(root: Path) -> frozenset[str] | None:
    """The tracked files by their path below `root`; None when `root` is in no repository. Raises GitUnread."""
    inside, _, why = _git(root, "rev-parse", "--is-inside-work-tree")
    if _NOWHERE in why:
        return None
    if inside != 0:
        raise GitUnread(f"git cannot read {root}: {why}")
    done, listed, why = _git(root, "ls-files", "-z")
    if done != 0:
        raise GitUnread(f"git cannot list the files of {root}: {why}")
    return frozenset(os.fsdecode(name) for name in listed.split(b"\0") if name)


def ignored(path: Path) -> bool | None:
    """Whether a rule ignores a path and it is not tracked; None in no repository. Raises GitUnread."""
    done, _, why = _git(path.parent, "check-ignore", "--quiet", "--", path.name)
    if done not in (0, 1) and _NOWHERE not in why:
        raise GitUnread(f"git cannot say whether it ignores {path}: {why}")
    return done == 0 if done in (0, 1) else None


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
    yield from _messages(root)
    with process:
        if process.stdout is None or process.stderr is None:
            raise GitUnread("git gave no output")
        yield from _added(process.stdout)
        why = _first(process.stderr.read())
    if process.returncode != 0:
        raise GitUnread(f"git cannot read the history of {root}: {why}")


def _messages(root: Path) -> Iterator[HistoryLine]:
    """The messages of commits and of tags."""
    for where, arguments in (
        ("the message of a commit", ("log", "--all", "--format=%x00%H%x01%B")),
        ("the message of a tag", ("for-each-ref", "refs/tags", "--format=%00%(refname:short)%01%(contents)")),
    ):
        done, said, why = _git(root, *arguments)
        if done != 0:
            raise GitUnread(f"git cannot read {where} of {root}: {why}")
        for record in said.split(b"\0"):
            name, _, text = record.partition(b"\1")
            yield HistoryLine(name.decode(errors="replace"), where, decoded(text)[0])


def is_shallow(root: Path) -> bool:
    """Whether the clone lacks the beginning of its history. Raises GitUnread."""
    done, said, why = _git(root, "rev-parse", "--is-shallow-repository")
    if done != 0:
        raise GitUnread(f"git cannot say whether {root} is a shallow clone: {why}")
    return said.strip() != b"false"


def _added(patches: Iterable[bytes]) -> Iterator[HistoryLine]:
    """The added lines; a hunk's head counts them, so that none is taken for a head by how it begins."""
    commit, path, left = "", "", 0
    for raw in patches:
        hunk = _HUNK.match(raw) if left == 0 else None
        if hunk is not None:
            left = sum(1 if count is None else int(count) for count in hunk.groups())
        elif left:
            left -= raw[:1] in (b"+", b"-")
            if raw.startswith(b"+"):
                yield HistoryLine(commit, path, decoded(raw[1:].rstrip(b"\n"))[0])
        elif raw.startswith(_COMMIT.encode()):
            commit = raw.decode().strip().removeprefix(_COMMIT)
        elif raw.startswith(b"+++ "):
            path = raw.decode(errors="replace")[4:].rstrip("\n").removeprefix("b/").rstrip("\t")


def _command(root: Path) -> list[str]:
    return ["git", "-C", os.fspath(root), "-c", "core.quotePath=false", "-c", "core.fsmonitor=false"]


def _git(root: Path, *arguments: str) -> tuple[int, bytes, str]:
    """Git's exit code, its output, and the first line of what it complains about."""
    try:
        done = subprocess.run(  # noqa: S603 - git by a fixed list of arguments
            [*_command(root), *arguments], capture_output=True, check=False, env=_environment()
        )
    except OSError as error:
        raise GitUnread(f"git cannot be started: {error.strerror}") from error
    return done.returncode, done.stdout, _first(done.stderr)


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat"}


def _first(said: bytes) -> str:
    lines = said.decode(errors="replace").splitlines()
    return next((line.removeprefix("fatal: ") for line in lines if line.strip()), "no answer")
