"""What the policy pack said of an exported state, as Markdown for a pull request or an issue.

It must never let a name break the page: everything that is not ours is shown as code.
"""

from __future__ import annotations

from collections.abc import Iterator

from atlas_access.review.policy import Finding, Level, PolicyReport

_TITLES = {
    Level.VIOLATION: "Violations",
    Level.ADVICE: "Known and accepted",
    Level.UNSEEN: "Not judged",
}


def render(report: PolicyReport) -> str:
    """The report as Markdown: the answer first, then a table for each level."""
    return "\n".join(_lines(report))


def _lines(report: PolicyReport) -> Iterator[str]:
    yield f"### Policy: {_cell(report.headline)}"
    for level, title in _TITLES.items():
        found = report.of(level)
        if not found:
            continue
        yield f"\n**{title}**\n"
        yield "| rule | resource | what | where | way out |"
        yield "| --- | --- | --- | --- | --- |"
        yield from (_row(each) for each in found)


def _row(finding: Finding) -> str:
    source = f" ({finding.source})" if finding.source else ""
    cells = (
        f"`{finding.rule}`",
        _code(finding.resource),
        _cell(finding.message),
        _code(finding.place) if finding.place else "",
        _cell(finding.way_out) + source if finding.way_out else "",
    )
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    return f"`{text.replace('`', '').replace('|', '')}`"


def _cell(text: str) -> str:
    plain = text.replace("\n", " ")
    for sign in "\\|<>*_`[]":
        plain = plain.replace(sign, f"\\{sign}")
    return plain
