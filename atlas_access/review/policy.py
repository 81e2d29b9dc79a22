"""What the policy pack said, as records: of a deployment while it ran, or of an exported state.

It must never judge anything itself, and never hold more than names: the pack's messages carry no property's value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

VERSION: Final = 1
NOT_EVALUATED: Final = "not-evaluated"
KNOWN_AFTERWARDS: Final = "known-after-creation"
"""The names under which the pack's own policies tell what no rule could see; the second is expected in a preview."""

_WAY_OUT = "Way out: "


class Level(StrEnum):
    """What a finding does: a violation stops a deployment and fails a check, advice does not, unseen was not judged."""

    VIOLATION = "violation"
    ADVICE = "advice"
    UNSEEN = "not evaluated"


@dataclass(frozen=True)
class Finding:
    """One thing that the pack said: the rule, the resource's name, a sentence, and the way out.

    `source` is the decision behind the rule (`ADR 0006`). `file` and `line` say where the manifest is the cause; ""
    and 0 where it is not. `expected` marks what cannot be seen yet, as the rule says.
    """

    rule: str
    level: Level
    resource: str
    message: str
    way_out: str = ""
    severity: str = ""
    source: str = ""
    urn: str = ""
    file: str = ""
    line: int = 0
    expected: bool = False

    @property
    def explained_by(self) -> str:
        """The command that says more."""
        return f"atlas-access explain {self.rule}"

    @property
    def place(self) -> str:
        """`access.yaml:31` where the manifest is the cause, else ""."""
        return f"{self.file}:{self.line}" if self.file else ""


@dataclass(frozen=True)
class RuleFacts:
    """A rule as a report lists it; `level` is `mandatory` or says how far it is."""

    name: str
    description: str
    why: str
    source: str
    severity: str
    level: str
    tags: tuple[str, ...]
    remediation: str


@dataclass(frozen=True)
class PolicyReport:
    """Everything that the rules say about one deployment. `phase` is "" where nothing tells it."""

    stack: str
    phase: str
    resources: int
    findings: tuple[Finding, ...]
    rules: tuple[RuleFacts, ...]

    def of(self, level: Level) -> tuple[Finding, ...]:
        """The findings of one level, in order."""
        return tuple(each for each in self.findings if each.level is level)

    @property
    def exit_code(self) -> int:
        """1 with a violation; 3 when something that could have been known was not judged; else 0."""
        if self.of(Level.VIOLATION):
            return 1
        return 3 if any(not each.expected for each in self.of(Level.UNSEEN)) else 0

    @property
    def headline(self) -> str:
        """The answer: `staging bind: 28 rules hold for 34 resources; 1 advice, 4 values not judged`."""
        broken = self.of(Level.VIOLATION)
        where = f"{self.stack or 'no stack'}{f' {self.phase}' if self.phase else ''}"
        if broken:
            rules = len({each.rule for each in broken})
            what = f"{_count(len(broken), 'violation')} of {_count(rules, 'rule')} in {_of(self.resources)}"
        else:
            what = f"{_count(len(self.rules), 'rule')} hold for {_of(self.resources)}"
        unseen = len(self.of(Level.UNSEEN))
        more = [f"{len(advice)} known and accepted"] if (advice := self.of(Level.ADVICE)) else []
        more += [f"{_count(unseen, 'judgement')} not possible"] if unseen else []
        return f"{where}: {what}{'; ' if more else ''}{', '.join(more)}"


def said_by_pack(policy: str, level: str, resource: str, text: str, *, severity: str = "") -> Finding:
    """A finding from what an engine hands on of a pack: the rule's description, the message, the way out, by lines.

    `policy` may carry the pack's part of the name (`-stack`, `-advisory`), `level` is Pulumi's.
    """
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    told = lines[1:] if len(lines) > 1 else lines
    message = " ".join(line for line in told if not line.startswith(_WAY_OUT))
    way_out = next((line.removeprefix(_WAY_OUT) for line in told if line.startswith(_WAY_OUT)), "")
    rule = policy.removesuffix("-stack").removesuffix("-advisory")
    unseen = rule in {NOT_EVALUATED, KNOWN_AFTERWARDS}
    kind = Level.VIOLATION if level == "mandatory" else Level.UNSEEN if unseen else Level.ADVICE
    return Finding(
        rule=rule,
        level=kind,
        resource=resource,
        message=message,
        way_out=way_out,
        severity=severity,
        expected=rule == KNOWN_AFTERWARDS,
    )


def document(report: PolicyReport) -> Mapping[str, Any]:
    """The report as plain values."""
    return {
        "version": VERSION,
        "stack": report.stack,
        "phase": report.phase,
        "resources": report.resources,
        "rules": len(report.rules),
        "result": {0: "clean", 1: "violated", 3: "unknown"}[report.exit_code],
        "summary": report.headline,
        "findings": [finding_document(each) for each in report.findings],
    }


def finding_document(finding: Finding) -> Mapping[str, Any]:
    """One finding as plain values."""
    return {
        "rule": finding.rule,
        "level": finding.level.value,
        "severity": finding.severity,
        "resource": finding.resource,
        "urn": finding.urn,
        "message": finding.message,
        "wayOut": finding.way_out,
        "source": finding.source,
        "file": finding.file,
        "line": finding.line or None,
        "expected": finding.expected,
    }


def as_json(report: PolicyReport) -> str:
    """The report as indented JSON."""
    return json.dumps(document(report), indent=2, ensure_ascii=False)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _of(resources: int) -> str:
    return _count(resources, "resource")
