"""Issues of a tracker as records, and the changes that are to be made to them.

atlas_access/drift/issue.py decides what to write, atlas_access/clients/github.py writes it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Issue:
    """One issue as the tracker shows it."""

    number: int
    title: str
    body: str
    open: bool


class Write(StrEnum):
    """What a change does."""

    OPEN = "open"
    UPDATE = "update"
    REOPEN = "reopen"
    CLOSE = "close"


@dataclass(frozen=True)
class Change:
    """One change; `number` is 0 for an issue to be opened, `comment` "" for none. A close keeps title and body."""

    write: Write
    number: int = 0
    title: str = ""
    body: str = ""
    comment: str = ""
    labels: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.write} {f'#{self.number}' if self.number else self.title}"
