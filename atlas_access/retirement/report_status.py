"""How far a stack's migration is, as a report: each phase with its evidence and the command that continues."""

from __future__ import annotations

from atlas_access.base import Finding, Report, Section, Status
from atlas_access.retirement.status import Migration, Standing, State


def status_report(found: Migration) -> Report:
    """Every phase; unknown as soon as one is."""
    following = found.next
    unknown = found.count(State.UNKNOWN) > 0
    label = "DONE" if found.done else "UNKNOWN" if unknown else "BLOCKED" if following is None else "NEXT"
    unfinished = Status.UNKNOWN if unknown else Status.BAD
    return Report(
        name=f"status {found.stack}",
        status=Status.GOOD if found.done else unfinished,
        label=label,
        summary=f"{found.stack}{_summary(found)}",
        sections=(Section(findings=tuple(map(_finding, found.phases))),),
        data={
            "stack": found.stack,
            "done": found.done,
            "next": None if following is None else following.step,
            "phases": [
                {
                    "phase": each.step,
                    "name": each.name,
                    "state": each.state,
                    "evidence": each.evidence,
                    "blocked_by": each.blocked_by,
                    "command": each.command or None,
                }
                for each in found.phases
            ],
        },
    )


def _summary(found: Migration) -> str:
    if found.done:
        return ": every phase"
    done = f"; {found.count(State.DONE)} of {len(found.phases)} phases done"
    if unknown := [each for each in found.phases if each.state is State.UNKNOWN]:
        names = ", ".join(f"{each.step.value} {each.name}" for each in unknown)
        why = unknown[0].evidence
        return f": {names} {'is' if len(unknown) == 1 else 'are'} unknown ({why}){done}"
    following = found.next
    return done if following is None else f": {following.step.value} {following.name}{done}"


def _finding(each: Standing) -> Finding:
    """One phase; what is blocked shows what it waits for instead of its command."""
    continues = each.command if each.state in {State.NEXT, State.UNKNOWN} else ""
    facts = (("Blocked by", "; ".join(each.blocked_by)), ("Continue with", continues))
    return Finding(
        status={State.DONE: Status.GOOD, State.UNKNOWN: Status.UNKNOWN}.get(each.state, Status.BAD),
        subject=f"{each.step.value} {each.name}",
        message=f"{each.state.value}; {each.evidence}",
        details=tuple((name, fact) for name, fact in facts if fact),
    )
