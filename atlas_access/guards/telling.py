"""Guards' reports for people and machines: plain text, Markdown, JSON. Every form carries the same facts.

Pure. The answer stands in the first line; what was left out is counted, and what was not judged is named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from atlas_access.guards.finding import Note, Outcome, Report, overall

_WORDS = {Outcome.CLEAN: "CLEAN", Outcome.FOUND: "FOUND", Outcome.UNKNOWN: "UNKNOWN"}
_THINGS = {
    "validate-secrets": "secrets",
    "docs-sync": "documents",
    "terraform-ownership": "folder",
    "local-file": "file",
}
_MARKUP = re.compile(r"([\\`*_\[\]<>|#@~])")
_SHOWN = 20


def as_text(reports: Sequence[Report]) -> str:
    """Lines for a terminal, ending in a newline."""
    return "\n".join(line for each in reports for line in _text(each)) + "\n"


def as_markdown(reports: Sequence[Report]) -> str:
    """A page for a pull request, ending in a newline; what a tree says is escaped."""
    return "\n".join(["## Guards", "", *(line for each in reports for line in _markdown(each))]) + "\n"


def as_json(reports: Sequence[Report]) -> str:
    """One JSON document, ending in a newline."""
    document = {
        "outcome": overall(reports).value,
        "guards": [
            {
                "guard": each.guard.value,
                "outcome": each.outcome.value,
                "looked_at": each.looked_at,
                "findings": [
                    {"path": one.path, "line": one.line, "what": one.what, "remedy": one.remedy}
                    for one in each.findings
                ],
                "notes": [
                    {"path": one.path, "line": one.line, "what": one.what, "not_judged": one.blocks}
                    for one in each.notes
                ],
            }
            for each in reports
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _summary(each: Report) -> str:
    things = _THINGS.get(each.guard.value, "files")
    count = f", {len(each.findings)} found" if each.findings else ""
    return f"{_WORDS[each.outcome]:8}{each.guard.value:22} {each.looked_at} {things}{count}"


def _text(each: Report) -> Iterator[str]:
    yield _summary(each)
    shared = _shared_remedy(each)
    for one in each.findings:
        yield f"  {one.place}: {one.what}." + ("" if shared else f" {one.remedy}")
    if shared:
        yield f"  Way out: {shared}"
    for note in _worth_saying(each.notes):
        yield f"  {'not judged' if note.blocks else 'note'}  {note.place}: {note.what}"
    yield from (f"  {line}" for line in _counted(each.notes))


def _markdown(each: Report) -> Iterator[str]:
    yield f"**{each.guard.value}**: {_WORDS[each.outcome].lower()} ({_summary(each)[31:]})"
    yield ""
    shared = _shared_remedy(each)
    for one in each.findings:
        yield f"- {_code(one.place)}: {_escaped(one.what)}." + ("" if shared else f" {_escaped(one.remedy)}")
    if shared:
        yield f"- Way out: {_escaped(shared)}"
    for note in _worth_saying(each.notes):
        yield f"- {'not judged' if note.blocks else 'note'}: {_code(note.place)}: {_escaped(note.what)}"
    yield from (f"- {_escaped(line)}" for line in _counted(each.notes))
    if each.findings or each.notes:
        yield ""


def _shared_remedy(each: Report) -> str:
    """The way out of all findings, when they have one in common."""
    remedies = {one.remedy for one in each.findings}
    return remedies.pop() if len(remedies) == 1 and len(each.findings) > 1 else ""


def _worth_saying(notes: Sequence[Note]) -> Sequence[Note]:
    blocking = [note for note in notes if note.blocks]
    rest = [note for note in notes if not note.blocks]
    return [*blocking, *rest[: max(0, _SHOWN - len(blocking))]]


def _counted(notes: Sequence[Note]) -> Iterator[str]:
    hidden = len(notes) - len(_worth_saying(notes))
    if hidden:
        yield f"and {hidden} more notes: --format json lists them"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"
