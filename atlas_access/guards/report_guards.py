"""The guards as one report: what each found, what it could not judge, and how much it covered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atlas_access.base import Finding, Location, Report, Section, Status
from atlas_access.guards.finding import Note, Outcome, Report as GuardReport, overall

_STATUS = {Outcome.CLEAN: Status.GOOD, Outcome.FOUND: Status.BAD, Outcome.UNKNOWN: Status.UNKNOWN}
_THINGS = {
    "validate-secrets": "secrets",
    "docs-sync": "documents",
    "terraform-ownership": "folder",
    "local-file": "file",
}
_SHOWN = 20


def guards_report(reports: Sequence[GuardReport]) -> Report:
    """One guard, or several with a section each; the JSON has every note."""
    outcome = overall(reports)
    alone = len(reports) == 1
    count = sum(len(each.findings) for each in reports)
    several = f"{len(reports)} guards{f', {count} found' if count else ''}"
    return Report(
        name=f"guard {reports[0].guard.value if alone else 'all'}",
        status=_STATUS[outcome],
        label=outcome.value.upper(),
        summary=_summary(reports[0]) if alone else several,
        sections=tuple(_section(each, "" if alone else _title(each)) for each in reports),
        data={
            "outcome": outcome,
            "guards": [
                {
                    "guard": each.guard,
                    "outcome": each.outcome,
                    "looked_at": each.looked_at,
                    "findings": each.findings,
                    "notes": each.notes,
                }
                for each in reports
            ],
        },
        source="access.yaml",
    )


def _title(each: GuardReport) -> str:
    return f"{each.outcome.value.upper():8}{_summary(each)}"


def _summary(each: GuardReport) -> str:
    things = _THINGS.get(each.guard.value, "files")
    return f"{each.guard.value}: {each.looked_at} {things}{f', {len(each.findings)} found' if each.findings else ''}"


def _section(each: GuardReport, title: str) -> Section:
    return Section(title, tuple(_lines(each)), findings=tuple(_findings(each)))


def _findings(each: GuardReport) -> Iterator[Finding]:
    code = each.guard.value
    shared = _shared_remedy(each)
    for one in each.findings:
        remedy = "" if shared else one.remedy
        yield Finding(Status.BAD, "", f"{one.what}.", remedy, Location(one.path, one.line), code)
    for note in each.notes:
        if note.blocks:
            message = f"not judged: {note.what}"
            yield Finding(Status.UNKNOWN, "", message, location=Location(note.path, note.line), code=code)


def _lines(each: GuardReport) -> Iterator[str]:
    if shared := _shared_remedy(each):
        yield f"Remedy: {shared}"
    notes: list[Note] = [note for note in each.notes if not note.blocks]
    yield from (f"note  {note.place}: {note.what}" for note in notes[:_SHOWN])
    if len(notes) > _SHOWN:
        yield f"and {len(notes) - _SHOWN} more notes: --format json lists them"


def _shared_remedy(each: GuardReport) -> str:
    """The remedy of all findings, when they have one in common."""
    remedies = {one.remedy for one in each.findings}
    return remedies.pop() if len(remedies) == 1 and len(each.findings) > 1 else ""
