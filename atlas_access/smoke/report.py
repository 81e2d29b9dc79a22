"""The smoke gates' report as text, Markdown, JSON and JUnit: the same facts in each, the answer first.

It must never hold a person's data or a credential; what it is given is clean, and every output is redacted again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as Xml

from atlas_access.smoke.gates import GateReport, GateResult, Round, Standing

VERSION = 1
"""Raised when a field changes its meaning or goes away."""

_WORDS = {Standing.MET: "GREEN", Standing.UNMET: "RED", Standing.UNKNOWN: "UNKNOWN"}
_NOT_PASSED = "What is unknown has not passed."
_SIGNS = {Standing.MET: "●", Standing.UNMET: "✗", Standing.UNKNOWN: "?"}


def headline(report: GateReport) -> str:
    """The answer in one line."""
    rounds = f"{len(report.rounds)} of {report.required} rounds"
    held = f"baseline of {report.baseline}" if report.baseline else "no baseline"
    if report.green:
        return f"GREEN  {report.stack}: 8 of 8 gates, {rounds}, {report.contract} plans ({held})"
    return f"{_WORDS[report.standing]}  {report.stack}: {report.reason}"


def result_line(result: GateResult) -> str:
    """One gate in one line."""
    took = f"  {result.seconds:.1f} s" if result.seconds >= 0.05 else ""
    return f"{_SIGNS[result.standing]} {result.gate.value} {result.gate.title:<22} {result.summary}{took}"


def way_out(report: GateReport) -> str:
    """What to do next, "" when it is green."""
    if report.green:
        return ""
    if report.standing is Standing.UNMET:
        return (
            "Way out: stop the line. Put back what changed last (atlas-access rollback "
            f"{report.stack}), then look for the cause in the application's log."
        )
    if not report.baseline:
        return f"Way out: before any change, atlas-access baseline capture {report.stack}. {_NOT_PASSED}"
    return f"Way out: provide what the unknown gates lack and run again. {_NOT_PASSED}"


def render_text(report: GateReport) -> str:
    """The report as lines of text: the answer, then the gates of the last round, then the way out."""
    return "\n".join(_text(report)) + "\n"


def _text(report: GateReport) -> Iterator[str]:
    yield headline(report)
    yield f"  {_context(report)}"
    for one in report.rounds[-1:]:
        if len(report.rounds) > 1:
            yield f"  round {one.number}:"
        for result in one.results:
            yield f"  {result_line(result)}"
            yield from (f"      {detail}" for detail in result.details)
    if told := way_out(report):
        yield f"  {told}"


def render_markdown(report: GateReport) -> str:
    """The report as Markdown, for a pull request or an issue."""
    lines = [f"**{_cell(headline(report))}**", "", _cell(_context(report)), ""]
    for one in report.rounds:
        lines += [f"Round {one.number}", "", "| | gate | result |", "|---|---|---|"]
        for result in one.results:
            told = "<br>".join(_cell(each) for each in (result.summary, *result.details))
            lines.append(f"| {result.standing.value} | {result.gate.value} {result.gate.title} | {told} |")
        lines.append("")
    if told := way_out(report):
        lines.append(told)
    return "\n".join(lines).rstrip() + "\n"


def render_json(report: GateReport) -> str:
    """The report as indented JSON."""
    document = {
        "version": VERSION,
        "stack": report.stack,
        "url": report.url,
        "standing": report.standing.value,
        "reason": report.reason,
        "revision": report.revision,
        "required": report.required,
        "contract": report.contract,
        "baseline": report.baseline,
        "rounds": [_round(each) for each in report.rounds],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def render_junit(report: GateReport) -> str:
    """The report as JUnit XML: a suite for each round; unmet is a failure, unknown an error."""
    suites = Xml.Element("testsuites", name=f"smoke {report.stack}")
    for one in report.rounds:
        suite = Xml.SubElement(
            suites,
            "testsuite",
            name=f"{report.stack} round {one.number}",
            tests=str(len(one.results)),
            failures=str(sum(each.standing is Standing.UNMET for each in one.results)),
            errors=str(sum(each.standing is Standing.UNKNOWN for each in one.results)),
            time=f"{one.seconds:.3f}",
        )
        for result in one.results:
            case = Xml.SubElement(
                suite,
                "testcase",
                classname=f"smoke.{report.stack}",
                name=f"gate {result.gate.value} {result.gate.title}",
                time=f"{result.seconds:.3f}",
            )
            if result.standing is not Standing.MET:
                kind = "failure" if result.standing is Standing.UNMET else "error"
                problem = Xml.SubElement(case, kind, message=_xml(result.summary))
                problem.text = _xml("\n".join(result.details))
    Xml.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(suites, encoding="unicode") + "\n"


def _context(report: GateReport) -> str:
    answered = sorted({each for one in report.rounds for each in one.revisions})
    who = f"answered by {', '.join(answered)}" if answered else "the application names no revision"
    held = (
        f"held to the baseline of {report.baseline}"
        if report.baseline
        else "held to smoke.yaml only, no baseline"
    )
    return f"{report.url}, {who}, {held}"


def _round(one: Round) -> dict[str, Any]:
    return {
        "number": one.number,
        "standing": one.standing.value,
        "seconds": round(one.seconds, 3),
        "revisions": list(one.revisions),
        "gates": [
            {
                "gate": result.gate.value,
                "title": result.gate.title,
                "standing": result.standing.value,
                "summary": result.summary,
                "details": list(result.details),
                "seconds": round(result.seconds, 3),
            }
            for result in one.results
        ],
    }


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _xml(text: str) -> str:
    """Text without the characters that XML 1.0 does not know."""
    return "".join(
        each
        for each in text
        if each in "\n\t" or (each.isprintable() and each <= "\ufffd") or each > "\uffff"
    )
