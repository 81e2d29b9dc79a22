"""What the policy pack said, in lines of text: of a deployment in brief, of an exported state in full.

It must never be the only place of a fact: JSON carries the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from atlas_access.review.policy import Finding, Level, PolicyReport

_NAMES_SHOWN = 12


def refusal_lines(where: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The violations that stopped a deployment, each with its way out; `where` is `staging provision`."""
    return tuple(_refusals(where, [each for each in findings if each.level is Level.VIOLATION]))


def advice_lines(findings: Sequence[Finding]) -> tuple[str, ...]:
    """What stops nothing, in brief: a line for each advice, and one naming what cannot be judged yet."""
    return tuple(_brief(findings))


def render(report: PolicyReport) -> str:
    """The whole report: the answer in the first line, then violations, advice, and what was not judged."""
    return "\n".join(_report(report))


def _refusals(where: str, broken: Sequence[Finding]) -> Iterator[str]:
    for each in broken:
        yield f"REFUSED  {where}: {each.message or each.resource}"
        yield f"  Rule {each.rule}   ({each.explained_by})"
        if each.way_out:
            yield f"  Way out: {each.way_out}"


def _brief(findings: Sequence[Finding]) -> Iterator[str]:
    advice: dict[str, list[Finding]] = {}
    for each in findings:
        if each.level is Level.ADVICE:
            advice.setdefault(each.rule, []).append(each)
    for first, *rest in advice.values():
        also = f" The same: {_named(each.resource for each in rest)}." if rest else ""
        yield f"  Advice: {first.message}{also}   ({first.explained_by})"
    for each in findings:
        if each.level is Level.UNSEEN and not each.expected:
            yield f"  Not evaluated: {each.message}"
    later = sorted({each.resource for each in findings if each.level is Level.UNSEEN and each.expected})
    if later:
        yield f"  Judged when created, their values being unknown before: {_named(later)}"


def _named(names: Iterable[str]) -> str:
    listed = list(dict.fromkeys(names))
    more = f" and {len(listed) - _NAMES_SHOWN} more" if len(listed) > _NAMES_SHOWN else ""
    return ", ".join(listed[:_NAMES_SHOWN]) + more


def _report(report: PolicyReport) -> Iterator[str]:
    yield ("VIOLATED  " if report.exit_code == 1 else "") + report.headline
    for each in report.of(Level.VIOLATION):
        yield ""
        yield f"{each.severity.upper():<9} {each.rule}: {each.message}"
        if each.place:
            yield f"  Where it comes from: {each.place}"
        yield f"  Way out: {each.way_out} ({each.source})   ({each.explained_by})"
    if advice := report.of(Level.ADVICE):
        yield ""
        yield "Known and accepted"
        for each in advice:
            yield f"  {each.message}{f'   {each.place}' if each.place else ''}   ({each.explained_by})"
    if unseen := report.of(Level.UNSEEN):
        yield ""
        yield "Not judged"
        yield from (f"  {each.message}" for each in unseen)
