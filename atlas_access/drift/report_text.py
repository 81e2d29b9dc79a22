"""A drift check for a person at a terminal: the answer first, then each finding with what it permits and the way out.

Foreign names are shown on one line each: a name with control characters must never move the cursor.
"""

from __future__ import annotations

from collections.abc import Iterator

from atlas_access.drift.finding import Drift
from atlas_access.drift.report import headline, history


def render(drift: Drift) -> str:
    """The answer as plain lines, ending in a newline."""
    return "\n".join(_printable(line) for line in _lines(drift)) + "\n"


def _lines(drift: Drift) -> Iterator[str]:
    yield headline(drift)
    for number, finding in enumerate(drift.findings, start=1):
        yield f"  {number}. {finding.where}: {finding.what}"
        told = history(finding)
        if told:
            yield f"     {told[0].upper()}{told[1:]}"
        if finding.permits:
            yield f"     It permits to {finding.permits}"
        yield f"     Way out: {finding.mend}"
    for part in drift.unread:
        yield f"  Could not be read: {part}"
    for missed in drift.not_reached:
        yield f"  Not looked at: {missed}"


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in line)
