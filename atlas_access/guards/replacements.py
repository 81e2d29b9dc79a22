"""The replacements of phase F: which deprecated variable stands where, and the patch that replaces it or takes it back.

Pure. Several deprecated names become one, so the way back needs the list that was kept before. A line is known by its
digest: the list holds no source text, and a line that changed since is left alone and reported.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from atlas_access.code import Names, SourceFile, names_of
from atlas_access.guards.variables import uses_in
from atlas_access.manifest import Manifest

VERSION = 1


class ListInvalid(ValueError):
    """A text is no list of replacements; the message says what is wrong with it."""


@dataclass(frozen=True)
class Edit:
    """One name in a line: `at` is where it begins in the old line, `back` where its successor does in the new one."""

    at: int
    back: int
    old: str
    new: str


@dataclass(frozen=True)
class Replacement:
    """One line of a file: its number (from 1), the digests of its text before and after, and the names in it."""

    path: str
    line: int
    before: str
    after: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Patch:
    """A unified diff for `git apply`, how many lines it changes, and the places that could not be found again."""

    text: str
    lines: int
    lost: tuple[str, ...] = ()


def replacements(manifest: Manifest, files: Iterable[SourceFile]) -> tuple[Replacement, ...]:
    """Every line of a tree that uses a deprecated variable; the guard reports files that cannot be parsed."""
    names = names_of(manifest)
    return tuple(
        found for file in files if file.speaks and not file.binary for found in _of_file(file, names)
    )


def patch(listed: Sequence[Replacement], files: Iterable[SourceFile], *, reverse: bool = False) -> Patch:
    """The diff that replaces, or with `reverse` takes back; a line is looked for where it stood, then anywhere."""
    texts = {file.path: file.text for file in files}
    parts: list[str] = []
    lost: list[str] = []
    count = 0
    by_path: dict[str, list[Replacement]] = {}
    for each in listed:
        by_path.setdefault(each.path, []).append(each)
    for path, wanted in by_path.items():
        lines = _lines(texts.get(path, ""))
        changed, missing = _changed(lines, wanted, reverse=reverse)
        lost += [f"{path}:{each.line}" for each in missing]
        count += len(wanted) - len(missing)
        parts += _diff(path, lines, changed)
    return Patch("".join(parts), count, tuple(lost))


def to_json(listed: Sequence[Replacement]) -> str:
    """The list as text, ending in a newline."""
    records = [
        {
            "path": each.path,
            "line": each.line,
            "before": each.before,
            "after": each.after,
            "edits": [[edit.at, edit.back, edit.old, edit.new] for edit in each.edits],
        }
        for each in listed
    ]
    return json.dumps({"version": VERSION, "replacements": records}, indent=1) + "\n"


def from_json(text: str) -> tuple[Replacement, ...]:
    """Read what `to_json` wrote. Raises ListInvalid."""
    try:
        data = json.loads(text)
        if data["version"] != VERSION:
            raise ListInvalid("it is of another version of this tool")
        return tuple(
            Replacement(
                str(each["path"]), int(each["line"]), str(each["before"]), str(each["after"]),
                tuple(Edit(int(at), int(back), str(old), str(new)) for at, back, old, new in each["edits"]),
            )
            for each in data["replacements"]
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, ListInvalid):
            raise
        raise ListInvalid("it is not one that --list has written") from None


def _of_file(file: SourceFile, names: Names) -> Iterable[Replacement]:
    successors, lines = names.deprecated, _lines(file.text)
    for number in sorted({use.line for use in uses_in(file, names) if use.whole and use.name in successors}):
        line = lines[number - 1] if number <= len(lines) else ""
        edits, moved = [], 0
        for match in _names(successors).finditer(line):
            new = successors[match[0]]
            edits.append(Edit(match.start(), match.start() + moved, match[0], new))
            moved += len(new) - len(match[0])
        if edits:
            after = _edited(line, edits, reverse=False)
            yield Replacement(file.path, number, _digest(line), _digest(after), tuple(edits))


def _changed(
    lines: Sequence[str], wanted: Sequence[Replacement], *, reverse: bool
) -> tuple[list[str], list[Replacement]]:
    found, missing = list(lines), []
    digests = [_digest(line) for line in lines]
    taken: set[int] = set()
    for each in wanted:
        there = each.after if reverse else each.before
        places = [at for at, digest in enumerate(digests) if digest == there and at not in taken]
        at = (
            each.line - 1
            if each.line - 1 in places
            else min(places, key=lambda p: abs(p - each.line), default=-1)
        )
        if at < 0 or not _fits(lines[at], each, reverse=reverse):
            missing.append(each)
            continue
        taken.add(at)
        found[at] = _edited(lines[at], each.edits, reverse=reverse)
    return found, missing


def _fits(line: str, each: Replacement, *, reverse: bool) -> bool:
    """Whether the names stand where the list says: a list edited by hand must not cut a line to pieces."""
    return all(
        line.startswith(edit.new, edit.back) if reverse else line.startswith(edit.old, edit.at)
        for edit in each.edits
    )


def _edited(line: str, edits: Sequence[Edit], *, reverse: bool) -> str:
    for edit in sorted(edits, key=lambda each: -each.at):
        at, gone, put = (edit.back, edit.new, edit.old) if reverse else (edit.at, edit.old, edit.new)
        line = f"{line[:at]}{put}{line[at + len(gone) :]}"
    return line


def _diff(path: str, before: Sequence[str], after: Sequence[str]) -> list[str]:
    whole = difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
    return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in whole]


def _lines(text: str) -> list[str]:
    """Lines as git counts them: by line feeds alone."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _names(successors: Mapping[str, str]) -> re.Pattern[str]:
    longest_first = sorted(successors, key=len, reverse=True)
    return re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(map(re.escape, longest_first))})(?![A-Za-z0-9_])")


def _digest(line: str) -> str:
    return hashlib.sha256(line.rstrip("\r\n").encode("utf-8", "surrogatepass")).hexdigest()
