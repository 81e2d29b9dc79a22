"""Reads the files of a declaration as they were at a commit, by the `git` command. Read only."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


class BaseUnread(ValueError):
    """The version to compare with cannot be read; the message says why and what to do."""


@dataclass(frozen=True)
class Base:
    """A commit, as a folder of it is read."""

    folder: Path
    commit: str

    def text(self, path: str) -> str | None:
        """A file's text at the commit; None where it was not there."""
        if path not in self.names():
            return None
        return _git(self.folder, "show", f"{self.commit}:./{path}")[1]

    def names(self) -> tuple[str, ...]:
        """The files below the folder at the commit."""
        listed = _git(self.folder, "ls-tree", "-r", "-z", "--name-only", self.commit, "--", ".")[1]
        return tuple(filter(None, listed.split("\0")))


def base_of(folder: Path, reference: str) -> Base:
    """The commit that the work began from: where HEAD and `reference` part. Raises BaseUnread."""
    inside, _ = _git(folder, "rev-parse", "--git-dir")
    if inside:
        raise BaseUnread(
            f"{folder.resolve().name} is in no git repository: there is nothing to compare with."
        )
    shallow = _git(folder, "rev-parse", "--is-shallow-repository")[1].strip() != "false"
    deepen = "This is a shallow clone: run git fetch --unshallow (in a workflow: fetch-depth: 0)."
    unknown, commit = _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}"
    )
    if unknown:
        remedy = deepen if shallow else "Name a branch, tag or commit with --base."
        raise BaseUnread(f'no such ref "{reference}" in this clone. {remedy}')
    apart, parted = _git(folder, "merge-base", commit.strip(), "HEAD")
    if apart and shallow:
        raise BaseUnread(f"where HEAD and {reference} part is not in this clone. {deepen}")
    return Base(folder, (commit if apart else parted).strip())


def commit_of(folder: Path) -> str:
    """The commit that is checked out, and whether files differ from it. Raises BaseUnread."""
    unknown, commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")[1]
    return "unknown" if unknown else commit.strip() + (" with uncommitted changes" if changed else "")


def _git(folder: Path, *arguments: str) -> tuple[int, str]:
    """Git's exit code and output. Raises BaseUnread where git cannot be started."""
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", "-C", os.fspath(folder), "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=environment)  # noqa: S603 - git by fixed arguments
    except OSError as error:
        raise BaseUnread(f"git cannot be started: {error.strerror}.") from error
    return done.returncode, done.stdout.decode(errors="replace")
