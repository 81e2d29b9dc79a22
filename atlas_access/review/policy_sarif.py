"""What the policy pack said of an exported state, as SARIF 2.1.0 for code scanning.

A finding stands at its line of the manifest where the manifest is the cause; else at the manifest's first line, because
code scanning drops a result without a place, with the resource as its logical place. Source: OASIS SARIF 2.1.0.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from atlas_access.review.policy import Finding, Level, PolicyReport, RuleFacts

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Level.VIOLATION: "error", Level.ADVICE: "warning", Level.UNSEEN: "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0"}
"""Severities as the numbers that code scanning sorts by."""


def render(report: PolicyReport, manifest: str = "access.yaml") -> str:
    """The report as SARIF; `manifest` is the file that findings without a place of their own are shown at."""
    return json.dumps(document(report, manifest), indent=2, ensure_ascii=False)


def document(report: PolicyReport, manifest: str) -> Mapping[str, Any]:
    """The report as a SARIF log."""
    rules = {rule.name: index for index, rule in enumerate(report.rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "atlas-access policy", "rules": [_rule(rule) for rule in report.rules]}
                },
                "automationDetails": {"id": f"policy/{report.stack}"},
                "columnKind": "unicodeCodePoints",
                "properties": {
                    "stack": report.stack,
                    "phase": report.phase,
                    "resources": report.resources,
                },
                "results": [_result(each, rules, manifest) for each in report.findings],
            }
        ],
    }


def _rule(rule: RuleFacts) -> Mapping[str, Any]:
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.description},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.remediation} ({rule.source}; atlas-access explain {rule.name})"},
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": [rule.source, *rule.tags],
            "security-severity": _SCORES.get(rule.severity, "5.0"),
        },
    }


def _result(finding: Finding, rules: Mapping[str, int], manifest: str) -> Mapping[str, Any]:
    way_out = f" Way out: {finding.way_out}" if finding.way_out else ""
    told: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.level],
        "kind": "open" if finding.level is Level.UNSEEN else "fail",
        "message": {"text": f"{finding.message}{way_out}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": finding.file or manifest},
                    "region": {"startLine": finding.line or 1},
                },
                "logicalLocations": [
                    {
                        "name": finding.resource,
                        "fullyQualifiedName": finding.urn or finding.resource,
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {"finding/v1": _fingerprint(finding)},
    }
    if finding.level is Level.UNSEEN:
        del told["level"]  # SARIF 3.27.10: a result that is not a failure has no level of its own
    if finding.rule in rules:
        told["ruleIndex"] = rules[finding.rule]
    return told


def _fingerprint(finding: Finding) -> str:
    """What makes two nights' findings the same one: rule, resource and sentence, not the line."""
    return hashlib.sha256("\n".join((finding.rule, finding.urn, finding.message)).encode()).hexdigest()[:32]
