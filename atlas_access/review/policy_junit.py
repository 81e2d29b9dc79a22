"""What the policy pack said of an exported state, as JUnit XML: a test case for each rule.

A rule fails with its violations, and counts as skipped where it could judge nothing that it should have judged.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from atlas_access.review.policy import Level, PolicyReport

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: PolicyReport) -> str:
    """The report as one JUnit test suite."""
    names = [rule.name for rule in report.rules]
    names += sorted({each.rule for each in report.findings} - set(names))
    suite = Element("testsuite", name=f"policy {report.stack} {report.phase}".strip(), tests=str(len(names)))
    failures = skipped = 0
    for name in names:
        case = SubElement(suite, "testcase", classname=f"policy.{report.stack or 'stack'}", name=name)
        mine = [each for each in report.findings if each.rule == name]
        broken = [each for each in mine if each.level is Level.VIOLATION]
        unseen = [each for each in mine if each.level is Level.UNSEEN and not each.expected]
        rest = [each for each in mine if each not in broken]
        if broken:
            failures += 1
            failure = SubElement(case, "failure", message=_text(broken[0].message), type=name)
            failure.text = _text(
                "\n".join(f"{each.place or each.resource}: {each.message}" for each in broken)
                + f"\nWay out: {broken[0].way_out}"
            )
        elif unseen:
            skipped += 1
            SubElement(case, "skipped", message=_text(unseen[0].message))
        if rest:
            SubElement(case, "system-out").text = _text("\n".join(each.message for each in rest))
    suite.set("failures", str(failures))
    suite.set("errors", "0")
    suite.set("skipped", str(skipped))
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def _text(text: str) -> str:
    return _NOT_XML.sub("?", text)
