"""Findings that a person accepted in the source itself: `atlas-access: allow GUARD: reason`, on the line or above it.

Pure. Only a reason accepts; what is accepted stays in the report as a note.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from atlas_access.base import Finding
from atlas_access.code import SourceFile
from atlas_access.guards.finding import Report, noted, report

_ALLOWED = re.compile(r"atlas-access: allow (?P<guard>[a-z-]+)[ \t]*:[ \t]*(?P<reason>\S[^\n]*)")


def apply(found: Report, files: Sequence[SourceFile]) -> Report:
    """The report with accepted findings turned into notes."""
    texts = {file.path: file.text for file in files if "atlas-access: allow" in file.text}
    kept: list[Finding] = []
    notes = list(found.notes)
    for finding in found.findings:
        place = finding.place
        reason = _reason(texts.get(place.path, ""), place.line, found.guard.value)
        if reason:
            notes.append(noted(place.path, place.line, f"accepted: {finding.message} ({reason})"))
        else:
            kept.append(finding)
    return report(found.guard, found.inspected, kept, notes)


def _reason(text: str, line: int, guard: str) -> str:
    lines = text.splitlines()
    for number in (line, line - 1):
        match = _ALLOWED.search(lines[number - 1]) if 0 < number <= len(lines) else None
        if match is not None and match["guard"] == guard:
            return match["reason"].strip(" -*/")
    return ""
