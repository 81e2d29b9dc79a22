"""Moves a developer's machine onto the new credentials: the env file read, replaced whole or not at all, restored.

It must never follow a link, touch what is no private text file of the user's own, write where git would take it up,
or lose what stood there: every replaced text is kept beside the file, whole or not at all. What a killed command left
half written is taken away by the next one; a lock distinguishes it from what a command is writing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

LARGEST = 1024 * 1024
PRIVATE = 0o600
_UNTOUCHED = "What stood there is untouched"
Ignored = Callable[[Path], bool | None]
"""Whether git ignores a path; None in no repository."""


class LocalFileRefused(ValueError):
    """The file cannot be used as asked; the message names it, the problem and the remedy. Nothing was changed."""


@dataclass(frozen=True)
class LocalFile:
    """What a file holds; `identity` shows whether it is still the same and unchanged, `mode` are its permissions."""

    path: Path
    text: str = field(repr=False)
    mode: int
    identity: tuple[int, ...]


@dataclass(frozen=True)
class Written:
    """What a write did; `backup` keeps what stood there, None where nothing did or nothing changed."""

    changed: bool
    backup: Path | None


@dataclass(frozen=True)
class Restored:
    """From where a file was restored, and where what it replaced is kept."""

    source: Path
    backup: Path | None


def read(path: Path) -> LocalFile | None:
    """The file, None when there is none. Raises LocalFileRefused for anything but a plain UTF-8 text file."""
    try:
        # O_NONBLOCK: a pipe under that name must not hold the command up.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise LocalFileRefused(f"{path} is a symbolic link. Name the file that it leads to.") from None
        raise LocalFileRefused(f"{path}: {error.strerror or 'cannot be read'}.") from None
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise LocalFileRefused(f"{path} is no regular file. Name another one.")
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise LocalFileRefused(f"{path} is larger than {LARGEST // 1024} KiB: that is no env file.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise LocalFileRefused(f"{path} is not UTF-8 text. Name a text file.") from None
    if "\0" in text:
        raise LocalFileRefused(f"{path} is binary. Name a text file.")
    return LocalFile(path, text, stat.S_IMODE(facts.st_mode), _identity(facts))


def write(path: Path, text: str, found: LocalFile | None, ignored: Ignored) -> Written:
    """Replace `found` (None: no file yet) by `text`, mode 0600, after keeping what stood there.

    Raises:
        LocalFileRefused: read-only, linked elsewhere, not ignored by git, or changed since it was read.
    """
    backup, beside = prepare(path, found, ignored)
    _sweep(path)
    if found is not None and found.text == text:
        if found.mode != PRIVATE:
            path.chmod(PRIVATE)
        return Written(changed=found.mode != PRIVATE, backup=None)
    kept = replaced = False
    try:
        if found is not None:
            with _created(beside, found.text):
                backup.hardlink_to(beside)  # unlike a rename, it never replaces another command's backup
                kept = True
                beside.unlink()
            _settle(path.parent)
        with _created(beside, text):
            _refuse_changed(path, found)
            beside.replace(path)
            replaced = True
        _settle(path.parent)
    except OSError as error:
        state = "The new text stands there, and may not outlast a power failure" if replaced else _UNTOUCHED
        raise LocalFileRefused(f"{path}: {error.strerror or 'cannot be written'}. {state}.") from None
    finally:
        with suppress(OSError):
            beside.unlink()
        if kept and not replaced:
            with suppress(OSError):
                backup.unlink()
    return Written(changed=True, backup=backup if found is not None else None)


def prepare(path: Path, found: LocalFile | None, ignored: Ignored) -> tuple[Path, Path]:
    """Where the backup goes and where the new text is written first; refuses all that `write` refuses beforehand.

    Raises LocalFileRefused.
    """
    _refuse_unwritable(path, found)
    backup = _next_backup(path)
    beside = path.with_name(f"{path.name}.writing-{secrets.token_hex(4)}")
    for each in (path, backup, beside):
        _refuse_unless_ignored(each, ignored)
    return backup, beside


def restore(path: Path, ignored: Ignored) -> Restored:
    """Put the newest backup back; what it replaces becomes the newest one, so that a second restore undoes the first.

    Raises:
        LocalFileRefused: there is no backup, or as `write`.
    """
    kept = _backups(path)
    if not kept:
        raise LocalFileRefused(
            f"{path} has no backup ({path.name}.backup-N beside it): nothing to go back to."
        )
    newest = read(kept[-1])
    if newest is None:
        raise LocalFileRefused(f"{kept[-1]} went away meanwhile.")
    done = write(path, newest.text, read(path), ignored)
    return Restored(kept[-1], done.backup)


def _refuse_unwritable(path: Path, found: LocalFile | None) -> None:
    if found is None:
        return
    if not found.mode & stat.S_IWUSR:
        raise LocalFileRefused(f"{path} is read-only. If that is not meant: chmod 600 {path}")
    if path.lstat().st_nlink > 1:
        raise LocalFileRefused(
            f"{path} has a second name (a hard link), which would keep the old text. Unlink it."
        )


def _refuse_unless_ignored(path: Path, ignored: Ignored) -> None:
    answer = ignored(path)
    if answer is None:
        raise LocalFileRefused(f"{path} is in no git repository, so nothing says that it is ignored there.")
    if not answer:
        raise LocalFileRefused(
            f"git does not ignore {path}, and passwords must never be committed. Add {_pattern(path)} to .gitignore "
            "(and git rm --cached it if it is tracked)."
        )


def _refuse_changed(path: Path, found: LocalFile | None) -> None:
    try:
        now: tuple[int, ...] | None = _identity(path.lstat())
    except FileNotFoundError:
        now = None
    if now != (None if found is None else found.identity):
        raise LocalFileRefused(f"{path} was changed by somebody else meanwhile. Run the command again.")


def _backups(path: Path) -> list[Path]:
    """The backups of a file, oldest first."""
    name = re.compile(rf"{re.escape(path.name)}\.backup-([0-9]{{1,9}})")
    found = [(int(match[1]), each) for each in path.parent.iterdir() if (match := name.fullmatch(each.name))]
    return [each for _, each in sorted(found)]


def _next_backup(path: Path) -> Path:
    try:
        kept = _backups(path)
    except OSError as error:
        raise LocalFileRefused(f"{path.parent}: {error.strerror or 'cannot be read'}.") from None
    last = int(kept[-1].name.rpartition("-")[2]) if kept else 0
    return path.with_name(f"{path.name}.backup-{last + 1}")


def _sweep(path: Path) -> None:
    """Take away what killed commands left of their writing: it holds passwords, and nobody comes back for it."""
    name = re.compile(rf"{re.escape(path.name)}\.writing-[0-9a-f]{{8}}")
    for each in [each for each in path.parent.iterdir() if name.fullmatch(each.name)]:
        with suppress(OSError):
            descriptor = os.open(each, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                each.unlink()
            finally:
                os.close(descriptor)


@contextmanager
def _created(path: Path, text: str) -> Iterator[None]:
    """Make a private file that was not there, and have it on the disk; it is locked until the block ends."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.fchmod(descriptor, PRIVATE)
        file.write(text.encode())
        file.flush()
        os.fsync(descriptor)
        yield


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _identity(facts: os.stat_result) -> tuple[int, ...]:
    return (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, stat.S_IMODE(facts.st_mode))


def _pattern(path: Path) -> str:
    return ".env.*" if path.name.startswith(".env.") else f"{path.name.partition('.backup-')[0]}*"
