"""A report as JSON: status and headline in the same keys for every check, then the slice's records or the findings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Any

from atlas_access.base.finding import Finding
from atlas_access.base.report import Report, Section

VERSION = 1
"""Raised when a key changes its meaning or goes away."""


def render(report: Report) -> str:
    """The report as indented JSON, ending in a newline."""
    return json.dumps(document(report), indent=2, ensure_ascii=False, default=_plain) + "\n"


def document(report: Report) -> Mapping[str, Any]:
    """The report as a mapping."""
    head = {"version": VERSION, "status": report.status, "label": report.label, "headline": report.headline}
    tail = {"notes": report.notes, "remedy": report.remedy}
    return {**head, **(report.data or _sections(report)), **tail}


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as a mapping; its details by name, those without a name as a list."""
    return {
        "status": finding.status,
        "code": finding.code,
        "subject": finding.subject,
        "message": finding.message,
        "remedy": finding.remedy,
        "location": None if finding.location is None else asdict(finding.location),
        "details": {name: fact for name, fact in finding.details if name},
        "lines": [fact for name, fact in finding.details if not name],
    }


def prose(section: Section) -> dict[str, Any]:
    """A section without its findings as a mapping."""
    table = section.table
    rows = [] if table is None else [dict(zip(table.heads, row, strict=True)) for row in table.rows]
    return {"title": section.title, "lines": section.lines, "rows": rows}


def _sections(report: Report) -> dict[str, Any]:
    sections = [
        {**prose(each), "findings": list(map(finding_document, each.findings))} for each in report.sections
    ]
    return {"name": report.name, "rules": len(report.rules), "sections": sections}


def _plain(value: object) -> object:
    """What `json` cannot write by itself: a record, a time, a set."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
