"""A report as Markdown, for a pull request, a job's summary or an issue. Every value is escaped by `plain`."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_access.base.finding import Finding
from atlas_access.base.github_text import plain
from atlas_access.base.report import SIGNS, Report, Section


def render(report: Report) -> str:
    """The page, ending in a newline."""
    return "\n".join(_lines(report)).rstrip("\n") + "\n"


def finding_lines(finding: Finding) -> tuple[str, ...]:
    """One finding as a list item, each of its facts below it."""
    facts = (f"  - {f'**{plain(name)}:** ' if name else ''}{plain(fact)}" for name, fact in finding.facts)
    return (f"- {SIGNS[finding.status]} {plain(finding.text)}", *facts)


def _lines(report: Report) -> Iterator[str]:
    yield f"## {plain(report.headline)}"
    yield ""
    for section in report.sections:
        yield from _section(section.brief)
    if report.notes:
        yield from (f"- {plain(note)}" for note in report.notes)
        yield ""
    if report.remedy:
        yield f"**Remedy:** {plain(report.remedy)}"


def _section(section: Section) -> Iterator[str]:
    if section.title:
        yield f"### {plain(section.title)}"
        yield ""
    for line in section.lines:
        yield plain(line)
        yield ""
    if section.table is not None:
        yield _row(section.table.heads)
        yield f"|{'---|' * len(section.table.heads)}"
        yield from map(_row, section.table.rows)
        yield ""
    for finding in section.findings:
        yield from finding_lines(finding)
    if section.findings:
        yield ""


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(plain(cell) or ' ' for cell in cells)} |"
