"""A developer's `.env.local` as entries: which variable stands where, and the text with our variables set anew.

Lines that are not ours stay as they are. Forms follow the loader that the application uses (dotenv): `NAME=value`,
`export NAME=value`, `NAME: value`, values in quotes, also over several lines.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from atlas_access.base.connection import Secret

_BOM = "\ufeff"
_ASSIGNMENT = re.compile(
    rf"{_BOM}?[ \t]*(?P<export>export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)(?:[ \t]*=|:(?=[ \t]))[ \t]*"
)
_QUOTED = re.compile(r""""(?:\\"|[^"])*"|'(?:\\'|[^'])*'|`(?:\\`|[^`])*`""")
_AFTER_QUOTES = re.compile(r"[ \t]*(?:#[^\n]*)?\r?(?:\n|$)")
_COMMENT = re.compile(r"(?:^|[ \t])#.*")
_BARE = re.compile(r"[!-~]+")
_NEEDS_QUOTES = frozenset("#'\"`$\\")


class ValueUnwritable(ValueError):
    """A value cannot stand in an env file without being read differently by some loader; the message quotes nothing."""


@dataclass(frozen=True)
class Entry:
    """A piece of the file: an assignment (`name` is set), or a line that is none. `line` counts from 1."""

    line: int
    text: str = field(repr=False)
    name: str = ""
    value: Secret = field(default=Secret(""), repr=False)
    exported: bool = False

    @property
    def ending(self) -> str:
        """How its last line ends, "" at the end of a file without a line break."""
        if self.text.endswith("\r\n"):
            return "\r\n"
        return "\n" if self.text.endswith("\n") else ""


@dataclass(frozen=True)
class LocalText:
    """An env file's text in its entries; joined, they are the text."""

    entries: tuple[Entry, ...]

    @classmethod
    def parse(cls, text: str) -> LocalText:
        """Take a text apart. Nothing is refused: what is no assignment is a line of somebody else's."""
        return cls(tuple(_entries(text)))

    @property
    def text(self) -> str:
        """The text, to the byte."""
        return "".join(entry.text for entry in self.entries)

    def of(self, name: str) -> tuple[Entry, ...]:
        """Every assignment of a variable; a loader takes the last."""
        return tuple(entry for entry in self.entries if entry.name == name)

    def rewritten(self, values: Mapping[str, str], removed: Collection[str]) -> str:
        """Return the text with `values` set, each once, and `removed` gone; every other line is as it was.

        A variable keeps its place; one that was not there comes at the end. Raises ValueUnwritable.
        """
        parts: list[str] = []
        done: set[str] = set()
        for entry in self.entries:
            if entry.name in removed or entry.name in done:
                continue
            if entry.name not in values:
                parts.append(entry.text)
                continue
            done.add(entry.name)
            same = entry.value == Secret(values[entry.name])
            parts.append(entry.text if same else _assignment(entry, values[entry.name]))
        newline = next((entry.ending for entry in self.entries if entry.ending), "\n")
        for name, value in values.items():
            if name in done:
                continue
            if parts and not parts[-1].endswith("\n"):
                parts.append(newline)
            parts.append(f"{name}={_written(value, exported=False)}{newline}")
        return "".join(parts)


def _entries(text: str) -> Iterator[Entry]:
    at, line = 0, 1
    while at < len(text):
        end = _line_end(text, at)
        found = _ASSIGNMENT.match(text, at, end)
        if found is None:
            yield Entry(line, text[at:end])
        else:
            quoted = _QUOTED.match(text, found.end())
            closed = _AFTER_QUOTES.match(text, quoted.end()) if quoted else None
            if quoted is not None and closed is not None:
                end, value = closed.end(), quoted[0][1:-1]
            else:
                value = _COMMENT.sub("", text[found.end() : end]).strip()
            yield Entry(line, text[at:end], found["name"], Secret(value), found["export"] is not None)
        line += text.count("\n", at, end)
        at = end


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _assignment(entry: Entry, value: str) -> str:
    head = _BOM if entry.text.startswith(_BOM) else ""
    export = "export " if entry.exported else ""
    return f"{head}{export}{entry.name}={_written(value, exported=entry.exported)}{entry.ending}"


def _written(value: str, *, exported: bool) -> str:
    """Bare, as a loader that goes line by line wants it; in quotes where the file is made for a shell's `source`."""
    if not _BARE.fullmatch(value) or _NEEDS_QUOTES & set(value):
        raise ValueUnwritable(
            "a value holds a character that loaders read differently (a space, a quote, # $ or a backslash)"
        )
    return f"'{value}'" if exported else value
