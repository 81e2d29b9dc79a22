"""A drift check as Markdown, for a job's summary or the body of an issue.

It must never let a name change the page's structure: every value passes through atlas_access/base/github_text.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from atlas_access.base import plain
from atlas_access.drift.finding import Drift, Finding
from atlas_access.drift.report import headline, history


def render(drift: Drift) -> str:
    """The page, ending in a newline."""
    lines = [f"# {plain(headline(drift))}", ""]
    for number, finding in enumerate(drift.findings, start=1):
        lines += section(number, finding)
    lines += remarks(drift)
    return "\n".join(lines).rstrip("\n") + "\n"


def section(number: int, finding: Finding) -> list[str]:
    """One finding: what, where, since when and by whom, what it permits, how to mend."""
    lines = [
        f"### {number}\\. {plain(finding.kind.value)}",
        "",
        f"- **What:** {plain(finding.what)}",
        f"- **Where:** {plain(finding.where)}",
    ]
    told = history(finding)
    if told:
        lines.append(f"- **History:** {plain(told)}")
    if finding.permits:
        lines.append(f"- **It permits to:** {plain(finding.permits)}")
    lines.append(f"- **Way out:** {plain(finding.mend)}")
    lines.append("")
    return lines


def remarks(drift: Drift) -> list[str]:
    """What could not be read or reached, as a list."""
    return list(_remarks(drift))


def _remarks(drift: Drift) -> Iterator[str]:
    for part in drift.unread:
        yield f"- **Could not be read:** {plain(str(part))}"
    for missed in drift.not_reached:
        yield f"- **Not looked at:** {plain(str(missed))}"
