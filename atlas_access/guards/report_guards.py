"""The guards as one report: what each found, what it could not judge, and how much it covered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from atlas_access.base import Finding, Report, Section, Status, worst
from atlas_access.guards.finding import Report as GuardReport

_LABELS = {Status.GOOD: "CLEAN", Status.BAD: "FOUND", Status.UNKNOWN: "UNKNOWN"}
_THINGS = {
    "validate-secrets": "secrets",
    "docs-sync": "documents",
    "terraform-ownership": "folder",
    "local-file": "file",
}
_SHOWN = 20


def guards_report(reports: Sequence[GuardReport]) -> Report:
    """One guard, or several with a section each; the machine formats have every note."""
    status = worst(each.status for each in reports)
    alone = len(reports) == 1
    count = sum(len(each.findings) for each in reports)
    several = f"{len(reports)} guards{f', {count} found' if count else ''}"
    return Report(
        name=f"guard {reports[0].guard.value if alone else 'all'}",
        status=status,
        label=_LABELS[status],
        summary=_summary(reports[0]) if alone else several,
        sections=tuple(
            section for each in reports for section in _sections(each, "" if alone else _title(each))
        ),
        data={
            "outcome": _LABELS[status].lower(),
            "guards": [
                {
                    "guard": each.guard,
                    "outcome": _LABELS[each.status].lower(),
                    "inspected": each.inspected,
                    "findings": [{**_record(one), "remedy": one.remedy} for one in each.findings],
                    "notes": [{**_record(one), "blocks": one in each.unjudged} for one in each.notes],
                }
                for each in reports
            ],
        },
        source="access.yaml",
    )


def _record(one: Finding) -> Mapping[str, Any]:
    return {"path": one.place.path, "line": one.place.line, "what": one.message}


def _title(each: GuardReport) -> str:
    return f"{_LABELS[each.status]:8}{_summary(each)}"


def _summary(each: GuardReport) -> str:
    things = _THINGS.get(each.guard.value, "files")
    return f"{each.guard.value}: {each.inspected} {things}{f', {len(each.findings)} found' if each.findings else ''}"


def _sections(each: GuardReport, title: str) -> Iterator[Section]:
    unjudged = (replace(one, message=f"not judged: {one.message}") for one in each.unjudged)
    findings = tuple(replace(one, code=each.guard.value) for one in (*each.findings, *unjudged))
    yield Section(title, findings=findings)
    notes = tuple(f"note  {one.place}: {one.message}" for one in each.notes if one.status is Status.GOOD)
    if notes:
        yield Section(lines=notes, shown=_SHOWN)
