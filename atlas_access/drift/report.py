"""The outcome of a drift check as facts to show, and as JSON; the words of text and Markdown come from here as well.

It must never show anything that the findings do not hold; every output passes through redaction at the terminal.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from atlas_access.drift.finding import Answer, Drift, Finding

HEADLINES = {
    Answer.CLEAN: "CLEAN",
    Answer.DRIFT: "DRIFT",
    Answer.UNKNOWN: "UNKNOWN",
}


def headline(drift: Drift) -> str:
    """The answer in one line."""
    if drift.answer is Answer.DRIFT:
        return f"DRIFT  {drift.stack}: {counted(len(drift.findings), 'finding')}"
    if drift.answer is Answer.UNKNOWN:
        return f"UNKNOWN  {drift.stack}: {counted(len(drift.unread), 'part')} could not be read; nothing else differs"
    return f"CLEAN  {drift.stack}: {looked_at(drift)} are as declared"


def looked_at(drift: Drift) -> str:
    """What was compared, in words."""
    parts = [f"{count} {noun}" for noun, count in drift.checked if count]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts) or "nothing"


def history(finding: Finding) -> str:
    """Since when and by whom, "" when nothing says so."""
    since = f"since {moment(finding.since)}" if finding.since is not None else ""
    return f"{since}{f', by {finding.by}' if finding.by else ''}".removeprefix(", ")


def moment(at: datetime) -> str:
    """A time in UTC, to the minute."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def counted(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def as_json(drift: Drift) -> str:
    """The same facts for a machine; keys are stable."""
    return json.dumps(
        {
            "stack": drift.stack,
            "at": drift.at.astimezone(UTC).isoformat(),
            "answer": drift.answer.value,
            "fingerprint": drift.fingerprint,
            "findings": [_finding(finding) for finding in drift.findings],
            "unread": [{"what": each.what, "why": each.why} for each in drift.unread],
            "not_reached": [{"what": each.what, "why": each.why} for each in drift.not_reached],
            "checked": dict(drift.checked),
        },
        indent=2,
    )


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "kind": finding.kind.value,
        "where": finding.where,
        "subject": finding.subject,
        "what": finding.what,
        "since": finding.since.astimezone(UTC).isoformat() if finding.since is not None else None,
        "by": finding.by or None,
        "permits": finding.permits,
        "mend": finding.mend,
        "heals_by_deploy": finding.heals,
    }
