"""The smoke gates as a report: each round with its gates, and what to do when one is not met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from atlas_access.base import Finding, Report, Section, Status
from atlas_access.smoke.gates import Gate, GateReport, GateResult, Round, Standing

_STATUS = {
    Standing.MET: Status.GOOD,
    Standing.UNMET: Status.BAD,
    Standing.UNKNOWN: Status.UNKNOWN,
    Standing.NOT_RUN: Status.GOOD,
}
_LABELS = {Standing.MET: "GREEN", Standing.UNMET: "RED", Standing.UNKNOWN: "UNKNOWN"}
_SIGNS = {Standing.MET: "●", Standing.UNMET: "✗", Standing.UNKNOWN: "?", Standing.NOT_RUN: "-"}
_NOT_PASSED = "What is unknown has not passed."


def gates_report(found: GateReport) -> Report:
    """Every round; its JSON has the gates under their own names."""
    return Report(
        name=f"smoke {found.stack}",
        status=_STATUS[found.standing],
        label=_LABELS[found.standing],
        summary=f"{found.stack}: {_summary(found)}",
        sections=(Section(lines=(_context(found),)), *map(_section, found.rounds)),
        remedy=_remedy(found),
        data={
            "stack": found.stack,
            "url": found.url,
            "standing": found.standing,
            "reason": found.reason,
            "revision": found.revision,
            "required": found.required,
            "contract": found.contract,
            "baseline": found.baseline,
            "rounds": [_round(each) for each in found.rounds],
        },
        source="smoke.yaml",
    )


def result_line(result: GateResult) -> str:
    """One gate in one line."""
    took = f"  {result.seconds:.1f} s" if result.seconds >= 0.05 else ""
    return f"{_SIGNS[result.standing]} {result.gate.value} {result.gate.title:<22} {result.summary}{took}"


def _summary(found: GateReport) -> str:
    if not found.green:
        return found.reason
    held = f"baseline of {found.baseline}" if found.baseline else "no baseline"
    last = found.rounds[-1]
    left_out = sorted({each.gate for each in last.not_run} | (set(Gate) - last.asked))
    ran = "".join(
        (f"{8 - len(left_out)} of 8 gates", *(f" (gate {each.value} not run)" for each in left_out))
    )
    return f"{ran}, {len(found.rounds)} of {found.required} rounds, {found.contract} plans ({held})"


def _remedy(found: GateReport) -> str:
    if found.green:
        return ""
    if found.standing is Standing.UNMET and any(each.asked < set(Gate) for each in found.rounds):
        return "look for the cause in the application's log, and run the same gates again."
    if found.standing is Standing.UNMET:
        return (
            f"undo the last change (atlas-access rollback {found.stack}), then look for the cause in the "
            "application's log."
        )
    if not found.baseline:
        return f"before any change, atlas-access baseline capture {found.stack}. {_NOT_PASSED}"
    return f"provide what the unknown gates lack and run again. {_NOT_PASSED}"


def _context(found: GateReport) -> str:
    answered = sorted({each for one in found.rounds for each in one.revisions})
    who = f"answered by {', '.join(answered)}" if answered else "the application names no revision"
    held = (
        f"compared with the baseline of {found.baseline}"
        if found.baseline
        else "compared with smoke.yaml only, no baseline"
    )
    return f"{found.url}, {who}, {held}"


def _section(one: Round) -> Section:
    return Section(f"Round {one.number}", findings=tuple(map(_finding, one.results)))


def _finding(result: GateResult) -> Finding:
    return Finding(
        status=_STATUS[result.standing],
        subject=f"gate {result.gate.value} {result.gate.title}",
        message=result.summary,
        details=tuple(("", detail) for detail in result.details),
        seconds=result.seconds,
    )


def _round(one: Round) -> Mapping[str, Any]:
    return {
        "number": one.number,
        "standing": one.standing,
        "seconds": round(one.seconds, 3),
        "revisions": one.revisions,
        "gates": [{**asdict(each), "title": each.gate.title} for each in one.results],
    }
