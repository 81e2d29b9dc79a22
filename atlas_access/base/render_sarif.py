"""A report's findings as SARIF 2.1.0 for code scanning. Source: OASIS SARIF 2.1.0.

A finding without a location is shown at the first line of the report's source: code scanning drops one without a place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from atlas_access.base.finding import Finding, Location, Status
from atlas_access.base.render_json import prose
from atlas_access.base.report import Report, Rule

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_KINDS: Mapping[Status, Mapping[str, str]] = {
    Status.BAD: {"kind": "fail", "level": "error"},
    Status.GOOD: {"kind": "fail", "level": "warning"},
    Status.UNKNOWN: {"kind": "open"},
}
"""A good finding is one that is known and accepted. A result that is not a failure has no level (3.27.10)."""
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0"}
"""Severities as the numbers that code scanning sorts by."""


def render(report: Report) -> str:
    """The report as a SARIF log, ending in a newline."""
    codes = dict.fromkeys(each.code for each in report.findings if each.code)
    rules = report.rules or tuple(Rule(code, code) for code in codes)
    index = {rule.name: number for number, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": f"atlas-access {report.name.partition(' ')[0]}",
                "rules": list(map(_rule, rules)),
            }
        },
        "automationDetails": {"id": report.name.replace(" ", "/")},
        "columnKind": "unicodeCodePoints",
        "properties": {
            "summary": report.headline,
            "notes": report.notes,
            "remedy": report.remedy,
            "sections": [prose(each) for each in report.sections if each.lines or each.table],
        },
        "results": [_result(each, index, report.source) for each in report.findings],
    }
    return (
        json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)
        + "\n"
    )


def _rule(rule: Rule) -> Mapping[str, Any]:
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.description},
        "fullDescription": {"text": rule.why or rule.description},
        "help": {"text": rule.help or rule.description},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": list(rule.tags), "security-severity": _SCORES.get(rule.severity, "5.0")},
    }


def _result(finding: Finding, rules: Mapping[str, int], source: str) -> Mapping[str, Any]:
    remedy = f" Remedy: {finding.remedy}" if finding.remedy else ""
    place = finding.location or Location(source)
    name = finding.subject or str(place)
    return {
        "ruleId": finding.code,
        **({"ruleIndex": rules[finding.code]} if finding.code in rules else {}),
        **_KINDS[finding.status],
        "message": {"text": f"{finding.message}{remedy}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": place.path},
                    "region": {"startLine": place.line or 1},
                },
                "logicalLocations": [{"name": name, "fullyQualifiedName": finding.detail("URN") or name}],
            }
        ],
        "partialFingerprints": {"finding/v1": _fingerprint(finding)},
        "properties": {name: fact for name, fact in finding.details if name},
    }


def _fingerprint(finding: Finding) -> str:
    """What makes two runs' findings the same one: rule, resource and sentence, not the line."""
    parts = (finding.code, finding.detail("URN") or finding.subject, finding.message)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
