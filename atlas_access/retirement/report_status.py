"""Where a migration stands, for people and machines: text, Markdown and JSON with the same facts, the answer first.

It must never show a phase in better light than it was judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from atlas_access.base import plain
from atlas_access.retirement.status import Migration, Standing, State


def headline(found: Migration) -> str:
    """The answer in one line."""
    done = f"{found.count(State.DONE)} of {len(found.phases)} phases done"
    if found.done:
        return f"DONE  {found.stack}: every phase"
    following = found.next
    if following is None:
        return f"BLOCKED  {found.stack}; {done}"
    return f"{following.state.value.upper()}  {found.stack}: {following.step.value} {following.name}; {done}"


def text(found: Migration) -> str:
    """Lines for a terminal, ending in a newline."""
    return "\n".join(_lines(found)) + "\n"


def markdown(found: Migration) -> str:
    """A page with one table, ending in a newline."""
    lines = [
        f"# {plain(headline(found))}",
        "",
        "| phase | | stands | evidence | goes on by |",
        "|---|---|---|---|---|",
    ]
    for each in found.phases:
        stands = each.state.value + (f" by {'; '.join(each.blocked_by)}" if each.blocked_by else "")
        way = f"`{each.command}`" if each.command else " "
        lines.append(
            f"| {each.step.value} | {each.name} | {plain(stands)} | {plain(each.evidence)} | {way} |"
        )
    return "\n".join(lines) + "\n"


def as_json(found: Migration) -> str:
    """The same facts for a machine; keys are stable."""
    following = found.next
    return json.dumps(
        {
            "stack": found.stack,
            "done": found.done,
            "next": None if following is None else following.step.value,
            "phases": [
                {
                    "phase": each.step.value,
                    "name": each.name,
                    "state": each.state.value,
                    "evidence": each.evidence,
                    "blocked_by": list(each.blocked_by),
                    "command": each.command or None,
                }
                for each in found.phases
            ],
        },
        indent=2,
    )


def _lines(found: Migration) -> Iterator[str]:
    yield headline(found)
    width = max(len(each.name) for each in found.phases)
    for each in found.phases:
        yield f"  {each.step.value:<3}  {each.name:<{width}}  {each.state.value:<7}  {_printable(each.evidence)}"
        indent = " " * (width + 9)
        if each.blocked_by:
            yield f"{indent}by: {_printable('; '.join(each.blocked_by))}"
        if each.command and _open(each):
            yield f"{indent}go on: {each.command}"


def _open(each: Standing) -> bool:
    return each.state in (State.NEXT, State.UNKNOWN)


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in line)
