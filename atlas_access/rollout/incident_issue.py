"""Decides what becomes of a stack's stop-the-line issue: opened, updated, or closed.

One open issue a stack, found again by its first line; the next green rollout closes it. Pure:
atlas_access/clients/github.py writes. Texts are redacted and escaped, because outcomes quote what applications wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from atlas_access.base import plain
from atlas_access.clients import Change, Issue, Write

LABEL = "atlas-access-stop-the-line"
LABELS = (LABEL, "P1")
_MOST_LINES = 40
_MARKER = re.compile(r"\A<!-- atlas-access:stop-the-line stack=(?P<stack>[A-Za-z0-9_.-]+) -->")


@dataclass(frozen=True)
class Outcome:
    """What a rollout or a rollback of a stack came to: `text` in its own words, `green` when it was."""

    stack: str
    text: str
    at: datetime
    green: bool = False


def decide(outcome: Outcome, issues: Iterable[Issue]) -> tuple[Change, ...]:
    """Return the changes that make the tracker say what came of a rollout; none when it already does.

    `issues` are all that carry LABEL, open and closed. Those of other stacks, and those without our first line, are
    not ours to touch.
    """
    mine = sorted(
        (each for each in issues if each.open and _stack(each) == outcome.stack), key=lambda each: each.number
    )
    if outcome.green:
        comment = f"The line runs again since {_moment(outcome)}: {plain(outcome.text)}"
        return tuple(Change(Write.CLOSE, each.number, comment=comment) for each in mine)
    text = body(outcome)
    if not mine:
        return (Change(Write.OPEN, title=title(outcome), body=text, labels=LABELS),)
    kept, *others = mine
    closed = (Change(Write.CLOSE, each.number, comment=f"Followed in #{kept.number}.") for each in others)
    if kept.body.replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n"):
        return tuple(closed)
    comment = f"Stopped again on {_moment(outcome)}; the description says by what."
    return (Change(Write.UPDATE, kept.number, title(outcome), text, comment), *closed)


def title(outcome: Outcome) -> str:
    """The title; it holds no foreign text."""
    return f"Stop the line: a change of {outcome.stack} failed"


def body(outcome: Outcome) -> str:
    """The body: what the rollout said at its end, line by line."""
    lines = [line for line in outcome.text.splitlines() if line.strip()]
    left = [f"- And {len(lines) - _MOST_LINES} more lines."] if len(lines) > _MOST_LINES else []
    return "\n".join(
        [
            f"<!-- atlas-access:stop-the-line stack={outcome.stack} -->",
            f"Since {_moment(outcome)} nothing of {outcome.stack} should be deployed until the cause is fixed. The "
            "next green one closes this issue; it is updated while changes fail. Do not edit it; talk below.",
            "",
            *(f"- {plain(line)}" for line in lines[:_MOST_LINES]),
            *left,
        ]
    )


def _moment(outcome: Outcome) -> str:
    return outcome.at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _stack(issue: Issue) -> str:
    match = _MARKER.match(issue.body)
    return match["stack"] if match else ""
