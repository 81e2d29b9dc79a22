"""One report for every check: the answer, sections with lines, a table or findings, and a remedy for the whole.

A slice makes it from its records; the renderers beside this file show it. It holds no secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from atlas_access.base.finding import Finding, Status

SIGNS = {Status.GOOD: "●", Status.BAD: "✗", Status.UNKNOWN: "?"}


@dataclass(frozen=True)
class Table:
    """Rows under heads, all of one width."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A part of a report; `title` is "" for the first part.

    `shown` is how many lines and findings a reader sees, 0 for all: the machine formats have every one.
    """

    title: str = ""
    lines: tuple[str, ...] = ()
    table: Table | None = None
    findings: tuple[Finding, ...] = ()
    shown: int = 0

    @property
    def brief(self) -> Section:
        """The section for a reader: no more than `shown`, and a remedy that every finding has as one line."""
        limit = self.shown or None
        lines, findings = self.lines[:limit], self.findings[:limit]
        left = len(self.lines) - len(lines) + len(self.findings) - len(findings)
        remedies = {each.remedy for each in self.findings}
        if len(findings) > 1 and len(remedies) == 1 and "" not in remedies:
            lines = (*lines, f"Remedy: {remedies.pop()}")
            findings = tuple(replace(each, remedy="") for each in findings)
        more = (f"and {left} more: --format json lists them",) if left else ()
        return replace(self, lines=(*lines, *more), findings=findings)


@dataclass(frozen=True)
class Rule:
    """A rule that findings name by their code. `severity` is critical, high, medium or low."""

    name: str
    description: str
    why: str = ""
    help: str = ""
    severity: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The result of one check.

    `name` says what was checked (`drift staging`), `label` is the status in the slice's word, `summary` the rest of
    the first line. `rules` are all that were applied. `data` are the slice's records for JSON; without it JSON shows
    sections and findings. `source` is the file that a finding without a location is shown at.
    """

    name: str
    status: Status
    label: str
    summary: str
    sections: tuple[Section, ...] = ()
    remedy: str = ""
    notes: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    data: Mapping[str, object] = field(default_factory=dict)
    source: str = ""

    @property
    def headline(self) -> str:
        """The answer in one line."""
        return f"{self.label}  {self.summary}"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of every section."""
        return tuple(finding for section in self.sections for finding in section.findings)
