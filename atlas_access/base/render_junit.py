"""A report as JUnit XML: bad is a failure, unknown an error.

A case for each rule where the report names its rules, else a suite for each section and a case for each finding. The
last suite's output is what the report has besides findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from atlas_access.base.finding import Finding, Status
from atlas_access.base.render_text import prose
from atlas_access.base.report import Report

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KINDS = {Status.BAD: "failure", Status.UNKNOWN: "error"}

_Case = tuple[str, Sequence[Finding]]


def render(report: Report) -> str:
    """The report as one document of test suites, ending in a newline."""
    root = Element("testsuites", name=_text(report.name))
    for title, cases in _suites(report):
        suite = SubElement(root, "testsuite", name=_text(title), tests=str(len(cases)))
        found = [_case(suite, report.name, name, findings) for name, findings in cases]
        suite.set("failures", str(found.count(Status.BAD)))
        suite.set("errors", str(found.count(Status.UNKNOWN)))
    SubElement(suite, "system-out").text = _text(prose(report))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suites(report: Report) -> Iterator[tuple[str, list[_Case]]]:
    if report.rules:
        names = dict.fromkeys(
            (*(rule.name for rule in report.rules), *(each.code for each in report.findings))
        )
        yield (
            report.name,
            [(name, [each for each in report.findings if each.code == name]) for name in names],
        )
        return
    sections = [each for each in report.sections if each.findings]
    for section in sections:
        yield f"{report.name} {section.title}".strip(), [(each.name, [each]) for each in section.findings]
    if not sections:
        yield report.name, [(report.summary, [Finding(report.status, "", report.headline, report.remedy)])]


def _case(suite: Element, classname: str, name: str, findings: Sequence[Finding]) -> Status:
    seconds = sum(each.seconds for each in findings)
    case = SubElement(suite, "testcase", classname=_text(classname), name=_text(name), time=f"{seconds:.3f}")
    status = next((each for each in _KINDS if any(one.status is each for one in findings)), Status.GOOD)
    lines = [
        line for each in findings for line in (each.text, *(f"  {name}: {fact}" for name, fact in each.facts))
    ]
    if status in _KINDS:
        first = next(each for each in findings if each.status is status)
        SubElement(case, _KINDS[status], message=_text(first.message)).text = _text("\n".join(lines))
    elif lines:
        SubElement(case, "system-out").text = _text("\n".join(lines))
    return status


def _text(text: str) -> str:
    """The text without the characters that XML 1.0 does not allow."""
    return _NOT_XML.sub("?", text)
