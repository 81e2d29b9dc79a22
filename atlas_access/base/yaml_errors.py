"""What is wrong with a manifest, said so that its author can correct it.

A message repeats only words of a file that cannot be a secret.
"""

import difflib
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SHOWN_AT_MOST = 100
"""Errors printed in full; a file with more is beyond repair line by line."""

WIDTH = 100
"""The columns that a message of several lines keeps to."""

_HARMLESS = re.compile(r"[A-Za-z0-9_.{}/@+\- ]{1,64}")
_COMMAND = re.compile(r'eval "[^"]*"')
"""What stays in one line, to be copied."""

_ROLE_AT_DATABASE = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9_-]+")
_LONG_WORD = re.compile(r"[A-Za-z0-9]{12,}")


def looks_random(text: str) -> bool:
    """Whether text holds a word of 12 or more letters and digits, each kind at least twice: a password or a key."""
    return any(
        all(len(re.findall(kind, word)) > 1 for kind in ("[a-z]", "[A-Z]", "[0-9]"))
        for word in _LONG_WORD.findall(text)
    )


def character(letter: str) -> str:
    """Name a character without showing it: `U+0430 CYRILLIC SMALL LETTER A`."""
    return f"U+{ord(letter):04X} {unicodedata.name(letter, '(no name)')}"


def shown(value: object) -> str:
    """Quote a value for a message, or say that it is not shown when it could be a secret or breaks the line."""
    text = value if isinstance(value, str) else str(value)
    if not text.isascii() and (foreign := next(filter(str.isalpha, re.sub("[ -~]", "", text)), None)):
        return f"(a value with {character(foreign)}, not shown here)"
    harmless = _HARMLESS.fullmatch(text) is not None and not looks_random(text)
    if not harmless or ("@" in text and _ROLE_AT_DATABASE.fullmatch(text) is None):
        return "(a value that is not shown here)"
    return f'"{text}"'


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean "x"?` with the nearest known word, or nothing."""
    near = difflib.get_close_matches(word[:64], sorted(known), n=1, cutoff=0.7)
    return f' Did you mean "{near[0]}"?' if near else ""


def line_of(path: Sequence[int | str], lines: Mapping[str, int]) -> int:
    """The line of an entry; where the entry is missing, that of what should hold it."""
    names = [".".join(map(str, path[:length])) for length in range(len(path), 0, -1)]
    return next((lines[name] for name in names if name in lines), 1)


@dataclass(frozen=True, order=True)
class ManifestError:
    """One mistake: where it stands, what is wrong with it, and the remedy.

    `line` counts from 1; `where` is a dotted path such as `users.app_read.role`, or "" for the file as a whole.
    """

    source: str
    line: int
    where: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{self.source}:{self.line}  {place}{self.problem}. {self.remedy}"


def listed_errors(source: str, errors: Sequence[ManifestError]) -> str:
    """Every mistake with its line and remedy; those that differ only in where they stand are one."""
    count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
    alike: dict[tuple[str, str, str], list[ManifestError]] = {}
    for error in errors[:SHOWN_AT_MOST]:
        name = error.where.rpartition(".")[2].rpartition(":")[2]
        problem = error.problem.replace(f' "{name}"', "").replace(f'"{name}" ', "")
        alike.setdefault((error.source, problem, error.remedy), []).append(error)
    lines = [f"{source} has {count}; nothing was contacted."]
    for (_, problem, _), group in alike.items():
        lines += [f"  {group[0]}"] if len(group) == 1 else _together(problem, group)
    if len(errors) > SHOWN_AT_MOST:
        lines.append(f"  and {len(errors) - SHOWN_AT_MOST} more.")
    return "\n".join(lines)


def _together(problem: str, group: Sequence[ManifestError]) -> list[str]:
    first = group[0]
    prefix, colon, _ = first.where.partition(":")
    names = ", ".join((first.where, *(each.where.removeprefix(prefix + colon) for each in group[1:])))
    each = "each " if problem.startswith(("is ", "has ")) else ""
    text = f"{first.source}:{first.line}  {names}: {each}{problem}. {first.remedy}"
    whole = _COMMAND.sub(lambda match: match[0].replace(" ", "\0"), text)
    wrapped = textwrap.wrap(
        whole,
        WIDTH,
        initial_indent="  ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\0", " ") for line in wrapped]


class ManifestInvalid(ValueError):
    """The manifest is refused; `errors` holds every mistake that was found, in the order of the file."""

    def __init__(self, errors: Iterable[ManifestError]) -> None:
        self.errors: tuple[ManifestError, ...] = tuple(sorted(set(errors)))
        super().__init__(str(self))

    def __str__(self) -> str:
        return listed_errors(self.errors[0].source if self.errors else "the manifest", self.errors)

    def __reduce__(self) -> tuple[type["ManifestInvalid"], tuple[tuple[ManifestError, ...]]]:
        return ManifestInvalid, (self.errors,)
