"""Guard *docs-sync*: the generated documents are what would be generated now.

Pure; the documents come from `review/`. Only whether a document is in step is judged, not its content.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest

from atlas_access.guards.finding import Guard, Report, report, wrong

_REMEDY = "Write it anew: make docs."


def check(wanted: Mapping[str, str], found: Mapping[str, str | None]) -> Report:
    """Compare documents by path: `wanted` as generated now, `found` as they stand, None for one that is missing."""
    findings = []
    for path, text in wanted.items():
        there = found.get(path)
        if there is None:
            findings.append(wrong(path, 0, "a generated document is missing", _REMEDY))
        elif there != text:
            line = _first_difference(text, there)
            findings.append(wrong(path, line, "a generated document is out of step", _REMEDY))
    return report(Guard.DOCS_SYNC, len(wanted), findings)


def _first_difference(wanted: str, found: str) -> int:
    pairs = zip_longest(wanted.splitlines(), found.splitlines())
    return next((number for number, (one, other) in enumerate(pairs, start=1) if one != other), 1)
