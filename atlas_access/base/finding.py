"""One finding and its status, for every check of this project.

Three answers: what could not be asked or read is unknown, never good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """The result of a check; a slice names it in its own words: clean, proven, met."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"

    @property
    def exit_code(self) -> int:
        """What a command ends with: 0, 1, or 3."""
        return _EXIT_CODES[self]


_EXIT_CODES = {Status.GOOD: 0, Status.BAD: 1, Status.UNKNOWN: 3}


def worst(statuses: Iterable[Status], *, complete: bool = True) -> Status:
    """The status of several checks together; nothing checked, or not everything, is unknown unless one is bad."""
    found = set(statuses)
    if Status.BAD in found:
        return Status.BAD
    return Status.GOOD if found == {Status.GOOD} and complete else Status.UNKNOWN


@dataclass(frozen=True, order=True)
class Location:
    """A file, or a name that stands for one, and a line; 0 where there are no lines."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True)
class Finding:
    """One result of a check: its status, what it is about, a sentence, and what to do about it.

    `code` names the rule or kind. `details` are further facts by name; one without a name is a plain line.
    """

    status: Status
    subject: str
    message: str
    remedy: str = ""
    location: Location | None = None
    code: str = ""
    details: tuple[tuple[str, str], ...] = ()
    seconds: float = field(default=0.0, compare=False)

    def detail(self, name: str) -> str:
        """The detail of that name, "" for none."""
        return dict(self.details).get(name, "")

    @property
    def place(self) -> Location:
        """The location, an empty one for none."""
        return self.location or Location("")

    @property
    def name(self) -> str:
        """What the finding is about, without its message: the same in every run."""
        parts = (str(self.location or ""), self.subject, self.code)
        return ": ".join(part for part in parts if part) or self.message

    @property
    def text(self) -> str:
        """`access.yaml:31: app_read: message [code]`, without the parts that are empty."""
        head = "".join(f"{part}: " for part in (self.location, self.subject) if part)
        return f"{head}{self.message}{f' [{self.code}]' if self.code else ''}"

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """The details and the remedy."""
        return (*self.details, *([("Remedy", self.remedy)] if self.remedy else []))
