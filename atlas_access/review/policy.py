"""What the policy pack reported: of a deployment while it ran, or of an exported state.

It judges nothing itself, and holds names only: the pack's messages carry no property's value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from atlas_access.base import Finding, Report, Rule, Section, Status
from atlas_access.drift import counted, listed

NOT_EVALUATED: Final = "not-evaluated"
KNOWN_AFTERWARDS: Final = "known-after-creation"
"""The pack's own policies that name what no rule could check; the second is expected in a preview."""

_REMEDY = re.compile(r"Remedy: ")
"""How the pack begins a message's line with the remedy; an engine hands on the message as one text,
and the pack imports nothing of ours."""
_LONGEST = 100
"""Characters of an advice that is shown each time; `explain` says the rest."""

_LABELS = {Status.GOOD: "CLEAN", Status.BAD: "VIOLATED", Status.UNKNOWN: "UNKNOWN"}
_TITLES = {
    Status.BAD: "Violations",
    Status.GOOD: "Known and accepted",
    Status.UNKNOWN: "Not judged",
}


def said_by_pack(policy: str, level: str, resource: str, text: str, *, severity: str = "") -> Finding:
    """A finding from the lines that an engine hands on of a pack: the rule's description, the message, the remedy.

    `policy` may carry the pack's part of the name (`-stack`, `-advisory`), `level` is Pulumi's. A violation is bad,
    advice is good (known and accepted), what was not judged is unknown.
    """
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    rest = lines[1:] if len(lines) > 1 else lines
    rule = policy.removesuffix("-stack").removesuffix("-advisory")
    unobserved = rule in {NOT_EVALUATED, KNOWN_AFTERWARDS}
    return Finding(
        status=Status.BAD if level == "mandatory" else Status.UNKNOWN if unobserved else Status.GOOD,
        subject=resource,
        message=" ".join(line for line in rest if not _REMEDY.match(line)),
        remedy=next((_REMEDY.sub("", line, count=1) for line in rest if _REMEDY.match(line)), ""),
        code=rule,
        details=(("Severity", severity),) if severity else (),
    )


def policy_report(
    where: str,
    resources: int,
    findings: Sequence[Finding],
    later: Sequence[str],
    rules: tuple[Rule, ...],
    source: str,
) -> Report:
    """The pack's judgement of an exported state; `where` is `staging bind`.

    `later` are messages about values that exist only after creation: they leave the answer as it is.
    """
    status = next((each for each in (Status.BAD, Status.UNKNOWN) if _of(findings, each)), Status.GOOD)
    sections = [Section(title, findings=_of(findings, each)) for each, title in _TITLES.items()]
    sections.append(Section("Judged after creation", tuple(later)))
    return Report(
        name=f"policy {where.partition(' ')[0]}",
        status=status,
        label=_LABELS[status],
        summary=f"{where}: {_summary(findings, len(later), len(rules), counted(resources, 'resource'))}",
        sections=tuple(each for each in sections if each.findings or each.lines),
        notes=("Each rule is explained by: atlas-access explain RULE",) if findings else (),
        rules=rules,
        source=source,
    )


def refusal_lines(where: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The violations that stopped a deployment, each with its remedy; `where` is `staging provision`."""
    return tuple(line for each in _of(findings, Status.BAD) for line in _refusal(where, each))


def advice_lines(findings: Sequence[Finding]) -> tuple[str, ...]:
    """What stops nothing, in brief: a line for each advice, and one naming what cannot be judged yet."""
    return tuple(_brief(findings))


def _of(findings: Iterable[Finding], status: Status) -> tuple[Finding, ...]:
    return tuple(each for each in findings if each.status is status)


def _summary(findings: Sequence[Finding], later: int, rules: int, resources: str) -> str:
    broken = _of(findings, Status.BAD)
    what = f"{counted(rules, 'rule')} hold for {resources}"
    if broken:
        violated = counted(len({each.code for each in broken}), "rule")
        what = f"{counted(len(broken), 'violation')} of {violated} in {resources}"
    accepted = len(_of(findings, Status.GOOD))
    unobserved = len(_of(findings, Status.UNKNOWN)) + later
    more = [f"{accepted} known and accepted"] if accepted else []
    more += [f"{counted(unobserved, 'judgement')} not possible"] if unobserved else []
    return "; ".join([what, *([", ".join(more)] if more else [])])


def _refusal(where: str, broken: Finding) -> Iterator[str]:
    yield f"REFUSED  {where}: {broken.message or broken.subject}"
    yield f"  Rule {broken.code}   ({_explained_by(broken)})"
    if broken.remedy:
        yield f"  Remedy: {broken.remedy}"


def _brief(findings: Sequence[Finding]) -> Iterator[str]:
    advice: dict[str, list[Finding]] = {}
    for each in _of(findings, Status.GOOD):
        advice.setdefault(each.code, []).append(each)
    for first, *rest in advice.values():
        also = f" The same: {listed(dict.fromkeys(each.subject for each in rest))}." if rest else ""
        message = first.message if len(first.message) <= _LONGEST else f"{first.subject}: known and accepted."
        yield f"  Advice: {message}{also}   ({_explained_by(first)})"
    unobserved = _of(findings, Status.UNKNOWN)
    yield from (f"  Not evaluated: {each.message}" for each in unobserved if each.code != KNOWN_AFTERWARDS)
    later = sorted({each.subject for each in unobserved if each.code == KNOWN_AFTERWARDS})
    if later:
        yield f"  These values do not exist yet; the policies check them during the update: {listed(later)}"


def _explained_by(finding: Finding) -> str:
    return f"atlas-access explain {finding.code}"
