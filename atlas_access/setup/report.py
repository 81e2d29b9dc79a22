"""What is still missing before a first update, as one screen."""

from __future__ import annotations

from collections.abc import Iterable

from atlas_access.base import Finding, Report, Section, Status, worst

_WORDS = {Status.GOOD: "ok", Status.BAD: "wrong", Status.UNKNOWN: "unknown"}
_LABELS = {Status.GOOD: "READY", Status.BAD: "NOT READY", Status.UNKNOWN: "UNKNOWN"}


def doctor_report(stack: str, found: Iterable[Finding]) -> Report:
    """Every line, ok, wrong or unknown, with its remedy; the worst is the answer."""
    lines = tuple(found)
    status = worst(each.status for each in lines)
    counts = [
        f"{count} {word}"
        for state, word in _WORDS.items()
        if (count := sum(i.status is state for i in lines))
    ]
    return Report(
        name=f"doctor {stack}",
        status=status,
        label=_LABELS[status],
        summary=f"{stack}: {', '.join(counts)}",
        sections=(Section(findings=lines),),
        data={
            "stack": stack,
            "checks": [
                {
                    "name": each.subject,
                    "state": _WORDS[each.status],
                    "message": each.message,
                    "remedy": each.remedy or None,
                }
                for each in lines
            ],
        },
    )
