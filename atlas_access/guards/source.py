"""Reads a source tree once for all guards: the files that speak of MongoDB or of reference data, the rest only counted.

Links are not followed, only regular files are opened, and what was not read is noted.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from atlas_access.base import Finding
from atlas_access.code import CODE, Language, SourceFile, language_of
from atlas_access.guards.content import archive_of, decoded, members, wanted, wanted_if_huge
from atlas_access.guards.finding import in_order, noted

LARGEST = 4 * 1024 * 1024
"""Bytes; a larger file is generated or data, and is only asked whether it speaks of MongoDB at all."""

SKIPPED_FOLDERS = frozenset(
    {
        ".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".mypy_cache", ".ruff_cache",
        ".pytest_cache", ".import_linter_cache", ".hypothesis", ".next", ".turbo", ".terraform", ".sandbox",
    }
)  # fmt: skip
"""Folders of tools and of other people's code."""


@dataclass(frozen=True)
class Tree:
    """What was read: the files of interest in order, everything left out or unread, and how many files there are.

    `packed` are the notes on archives, which only the search for connection strings needs; `observed` names each file
    and link that was met. A folder's note ends its path with `/`.
    """

    files: tuple[SourceFile, ...]
    notes: tuple[Finding, ...]
    count: int
    packed: tuple[Finding, ...] = ()
    observed: frozenset[str] = frozenset()


def read_tree(root: Path, excluded: Sequence[str] = (), names: Iterable[str] = ()) -> Tree:
    """Read the tree under `root`; `excluded` are patterns over paths below it, `*` reaching over slashes.

    `names` are the manifest's variables: a file that names one is of interest, too.

    Raises NotADirectoryError or FileNotFoundError when the root is none.
    """
    reader = _Reader(excluded, names)
    pending = [(os.fspath(root), "")]
    while pending:
        folder, prefix = pending.pop()
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if not prefix:
                raise
            reader.note(prefix, f"folder not read: {error.strerror}", blocks=True)
            continue
        pending += [
            (entry.path, f"{prefix}{shown(entry.name)}/") for entry in found if reader.take(entry, prefix)
        ]
    return reader.tree()


def read_named(root: Path, names: Iterable[str]) -> Tree:
    """Read files by their paths below `root`, whatever folder they lie in; one that is not there is not judged."""
    reader = _Reader((), ())
    for name in sorted(names):
        reader.read(os.fspath(root / name), shown(name))
    return reader.tree()


def shown(name: str) -> str:
    """A file's name as text, also where it is none in this system's encoding."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


class _Reader:
    """Collects what the walk meets."""

    def __init__(self, excluded: Sequence[str], names: Iterable[str]) -> None:
        self.files: list[SourceFile] = []
        self.notes: list[Finding] = []
        self.packed: list[Finding] = []
        self.observed: set[str] = set()
        self.count = 0
        self._excluded = tuple(excluded)
        self._names = tuple(name.encode() for name in names)

    def tree(self) -> Tree:
        files = tuple(sorted(self.files, key=lambda file: file.path))
        notes, packed = in_order(self.notes), in_order(self.packed)
        return Tree(files, notes, self.count, packed, frozenset(self.observed))

    def note(self, path: str, what: str, *, blocks: bool = False) -> None:
        self.notes.append(noted(path, 0, what, blocks=blocks))

    def take(self, entry: os.DirEntry[str], prefix: str) -> bool:
        """Read a file, note what cannot be; whether it is a folder to walk into."""
        path = prefix + shown(entry.name)
        if any(fnmatch(path, pattern) for pattern in self._excluded):
            return False
        try:
            if entry.is_dir(follow_symlinks=False):
                return entry.name not in SKIPPED_FOLDERS
        except OSError as error:
            self.note(path, f"not read: {error.strerror}", blocks=True)
            return False
        self.read(entry.path, path, is_link=entry.is_symlink())
        return False

    def read(self, place: str, path: str, *, is_link: bool | None = None) -> None:
        """Read one file, note what cannot be."""
        self.observed.add(path)
        if Path(place).is_symlink() if is_link is None else is_link:
            self.note(path, "a link, not followed")
            return
        try:
            self._read(place, path)
        except FileNotFoundError:
            self.note(path, "not there when it was to be read", blocks=True)
        except OSError as error:
            self.note(path, f"not read: {error.strerror}", blocks=True)

    def _read(self, place: str, path: str) -> None:
        # O_NONBLOCK: a pipe in the tree must not hold the walk up.
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                self.note(path, "no regular file, not read")
                return
            self.count += 1
            if facts.st_size > LARGEST:
                self._pack(os.pread(descriptor, 8, 0), path, whole=False)
                self._judge_huge(descriptor, path)
                return
            data = file.read()
        self._pack(data, path)
        speaks = wanted(data) or any(name in data for name in self._names)
        if not speaks and language_of(path) not in CODE:
            return
        text, binary = decoded(data)
        self.files.append(SourceFile(path, text, language_of(path, text), binary, speaks))
        if not speaks:
            return  # read only for what others import from it
        if binary:
            self.note(path, "binary: searched for connection strings only")

    def _pack(self, data: bytes, path: str, *, whole: bool = True) -> None:
        """Search a zip's members for credentials; note any other archive."""
        archive, why = archive_of(data), "what is packed in it was not searched"
        if archive == "zip" and whole:
            try:
                for name, content in members(data):
                    if archive_of(content):
                        raise ValueError(f"{name} is packed again")  # noqa: TRY301 - the same note
                    if wanted(content):
                        text, inner = decoded(content)[0], f"{path}!{name}"
                        self.files.append(SourceFile(inner, text, Language.OTHER, binary=True))
            except ValueError as error:
                why = str(error)
            else:
                return
        if archive:
            self.packed.append(noted(path, 0, f"{archive}: {why}; leave it out with --exclude", blocks=True))

    def _judge_huge(self, descriptor: int, path: str) -> None:
        with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content:
            speaks = wanted_if_huge(content)
        size = f"larger than {LARGEST // 1024 // 1024} MiB"
        named = f"{size} and speaks of MongoDB: not judged; leave it out with --exclude"
        self.note(path, named if speaks else f"{size}, does not speak of MongoDB", blocks=speaks)
