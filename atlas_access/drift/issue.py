"""Decides what becomes of the drift issues of a stack: opened, updated, reopened, closed, or left alone.

One issue for one set of findings, found again by the fingerprint in its first line. An issue is closed only when the
parts that it reports were read again, and a night on which something could not be read never splits one. Pure:
atlas_access/clients/github.py writes. Texts are escaped, redacted, and cut to GitHub's size.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from atlas_access.base import Status, finding_lines, plain
from atlas_access.clients import Change, Issue, Write
from atlas_access.drift.finding import Drift, Part
from atlas_access.drift.messages import counted, moment
from atlas_access.drift.report import finding, not_reached, unread

LABEL = "atlas-access-drift"
LABELS = (LABEL, "P1")
LARGEST_BODY = 60_000
"""Characters; GitHub refuses a body of more than 65,536."""

_LARGEST_TITLE = 200
_MOST_IDS = 900
_MARKER = re.compile(
    r"\A<!-- atlas-access:drift stack=(?P<stack>[A-Za-z0-9_.-]+) fingerprint=(?P<print>[0-9a-f]{16})"
    r" ids=(?P<ids>[0-9a-f,]{0,9000})(?: parts=(?P<parts>[a-z,]{0,100}))? -->"
)


def decide(drift: Drift, issues: Iterable[Issue]) -> tuple[Change, ...]:
    """Return the changes that make the tracker say what the check found; none when it already does.

    `issues` are all that carry LABEL, open and closed. Those of other stacks, and those without our first line, are
    not ours to touch.
    """
    mine = sorted(
        (issue for issue in issues if _marked(issue, "stack") == drift.stack), key=lambda issue: issue.number
    )
    if drift.status is Status.UNKNOWN:
        return ()
    if drift.status is Status.GOOD:
        comment = (
            f"Clean on {moment(drift.at)}: everything that this issue reports was read again, and nothing differs from "
            "what is declared."
        )
        gone = (each for each in mine if each.open and _read_again(each, drift))
        return tuple(Change(Write.CLOSE, each.number, comment=comment) for each in gone)
    if any(each.open and _covers(each, drift) and not _read_again(each, drift) for each in mine):
        return ()
    same = [issue for issue in mine if _marked(issue, "print") == drift.fingerprint]
    kept = next((issue for issue in same if issue.open), same[0] if same else None)
    return (*_keep(drift, kept), *_rest(drift, kept, mine))


def _covers(issue: Issue, drift: Drift) -> bool:
    """Whether an issue reports more than this night found: what is missing may just not have been read."""
    reported = (_marked(issue, "ids") or "").split(",")
    return set(reported) > {each.id for each in drift.findings}


def _read_again(issue: Issue, drift: Drift) -> bool:
    """Whether this night read all that an issue reports; one that does not name its parts may be about any."""
    parts = _marked(issue, "parts")
    about = set(Part) if parts is None else set(parts.split(","))
    return not drift.unread and not (drift.not_reached and Part.COLLECTIONS in about)


def _keep(drift: Drift, kept: Issue | None) -> tuple[Change, ...]:
    wanted = Change(Write.OPEN, title=title(drift), body=body(drift), labels=LABELS)
    if kept is None:
        return (wanted,)
    if not kept.open:
        comment = f"Back on {moment(drift.at)}: the same set of findings was observed again."
        return (Change(Write.REOPEN, kept.number, wanted.title, wanted.body, comment),)
    if (kept.title, _newlines(kept.body)) != (wanted.title, wanted.body):
        return (Change(Write.UPDATE, kept.number, wanted.title, wanted.body),)
    return ()


def _rest(drift: Drift, kept: Issue | None, mine: Iterable[Issue]) -> Iterable[Change]:
    for issue in mine:
        if issue == kept or not issue.open:
            continue
        if _marked(issue, "print") == drift.fingerprint:
            comment = f"The same set of findings is followed in #{kept.number}." if kept else ""
            yield Change(Write.CLOSE, issue.number, comment=comment)
        elif _read_again(issue, drift):
            comment = f"On {moment(drift.at)} the set of findings was another one: see the open issue labelled {LABEL}."
            yield Change(Write.CLOSE, issue.number, comment=comment)


def title(drift: Drift) -> str:
    """The title: the stack, how many findings, and of which kinds. It holds no foreign text."""
    kinds = ", ".join(dict.fromkeys(each.kind.value for each in drift.findings))
    return f"P1 drift on {drift.stack}: {counted(len(drift.findings), 'finding')} ({kinds})"[:_LARGEST_TITLE]


def body(drift: Drift) -> str:
    """The body: findings until the size is reached, then how many were left out, and what could not be read."""
    ids = ",".join(sorted(each.id for each in drift.findings)[:_MOST_IDS])
    parts = ",".join(sorted({each.part for each in drift.findings}))
    head = [
        f"<!-- atlas-access:drift stack={drift.stack} fingerprint={drift.fingerprint} ids={ids} parts={parts} -->",
        f"Last seen {moment(drift.at)} by `atlas-access drift {drift.stack}`, which keeps this issue: updated while "
        "the same findings last, closed when all that it reports was read and is gone, opened again when it is back. "
        "Do not edit it; talk below.",
        "",
    ]
    remarks = [line for each in unread(drift) for line in finding_lines(each)]
    remarks += [f"- {plain(line)}" for line in not_reached(drift)]
    foot = _cut(remarks, LARGEST_BODY // 6)
    room = LARGEST_BODY - sum(len(line) + 1 for line in (*head, *foot)) - 200
    lines: list[str] = []
    for number, each in enumerate(drift.findings):
        part = "\n".join(finding_lines(finding(each)))
        if len(part) + 1 > room:
            left = counted(len(drift.findings) - number, "finding")
            lines.append(f"- And {left} more: run the command to see all.")
            break
        lines.append(part)
        room -= len(part) + 1
    return "\n".join([*head, *lines, *foot]).rstrip("\n") + "\n"


def _cut(lines: list[str], size: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        size -= len(line) + 1
        if size < 0:
            return [*kept, f"- And {len(lines) - len(kept)} more."]
        kept.append(line)
    return kept


def _newlines(text: str) -> str:
    """GitHub gives bodies back with carriage returns."""
    return text.replace("\r\n", "\n").rstrip("\n") + "\n"


def _marked(issue: Issue, part: str) -> str | None:
    """A part of our first line; None where there is none."""
    match = _MARKER.match(issue.body)
    return match[part] if match else None
