"""A report for a terminal: the answer first. A foreign text stays on its line and cannot move the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from atlas_access.base.finding import Finding
from atlas_access.base.report import SIGNS, Report, Section, Table


def render(report: Report) -> str:
    """The report as lines, ending in a newline."""
    return (
        "\n".join(printable(line) for line in _lines(report, [each.brief for each in report.sections])) + "\n"
    )


def printable(line: str) -> str:
    """The line with every control or invisible character shown by its number."""
    return "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in line)


def prose(report: Report) -> str:
    """The report in full without its findings, for a format that has them elsewhere."""
    sections = [replace(each, findings=()) for each in report.sections if each.lines or each.table]
    return "\n".join(map(printable, _lines(report, sections)))


def _lines(report: Report, sections: Iterable[Section]) -> Iterator[str]:
    yield report.headline
    for section in sections:
        yield from _section(section)
    yield from (f"  {note}" for note in report.notes)
    if report.remedy:
        yield f"  Remedy: {report.remedy}"


def _section(section: Section) -> Iterator[str]:
    if section.title:
        yield ""
        yield section.title
    yield from (f"  {line}" for line in section.lines)
    if section.table is not None:
        yield from (f"  {line}" for line in _table(section.table))
    for finding in section.findings:
        yield from (f"  {line}" for line in _finding(finding))


def _finding(finding: Finding) -> Iterator[str]:
    yield f"{SIGNS[finding.status]} {finding.text}{_took(finding.seconds)}"
    for name, fact in finding.facts:
        yield f"    {name}{': ' if name else ''}{fact}"


def _took(seconds: float) -> str:
    if seconds >= 1:
        return f"  {seconds:.1f} s"
    return f"  {seconds * 1000:.1f} ms" if seconds else ""


def _table(table: Table) -> Iterator[str]:
    every = [table.heads, *table.rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(table.heads))]
    for row in every:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
