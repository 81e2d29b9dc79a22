"""Proofs for machines: JSON, which the access matrix reads as evidence, and JUnit XML, which CI systems read.

It must never leave out a finding or an attempt: what a person may ask for, a machine always gets.
"""

from __future__ import annotations

import json
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from atlas_access.proof.evidence import Attempt
from atlas_access.proof.report import ProofReport, Proven
from atlas_access.proof.verdict import Verdict

VERSION = 1
"""Raised when a field changes its meaning or goes away."""


def as_json(report: ProofReport) -> str:
    """The report as JSON; its `proofs` are what `matrix --evidence` reads."""
    return json.dumps(
        {
            "version": VERSION,
            "title": report.title,
            "verdict": str(report.verdict),
            "seconds": round(report.seconds, 3),
            "notes": list(report.notes),
            "proofs": [_proof(each) for each in report.proven],
        },
        indent=1,
        ensure_ascii=False,
    )


def as_junit(report: ProofReport) -> str:
    """The report as JUnit XML: a suite for each credential; refuted is a failure, inconclusive an error."""
    root = Element("testsuites", {"name": report.title, "time": f"{report.seconds:.3f}"})
    for each in report.proven:
        _suite(root, each)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _proof(each: Proven) -> dict[str, Any]:
    proof = each.proof
    return {
        "name": each.name,
        "secret": each.secret,
        "secretVersion": proof.secret_version,
        "variables": list(each.variables),
        "held": each.held,
        "declaredAt": each.declared,
        "breaksAuditLog": each.breaks_the_audit_log,
        "user": proof.user,
        "environment": proof.environment,
        "cluster": proof.cluster,
        "address": proof.address,
        "addressProven": proof.address_proven,
        "serverVersion": proof.server_version,
        "expectationsDigest": proof.expectations_digest,
        "verdict": str(proof.verdict),
        "reason": proof.reason,
        "attempts": len(proof.attempts),
        "inconclusive": proof.inconclusive,
        "residue": proof.residue,
        "provenAt": proof.proven_at,
        "ms": proof.ms,
        "live": each.live.value,
        "findings": [
            {"subject": str(finding.subject), "verdict": str(finding.verdict), "text": finding.text}
            for finding in proof.findings
        ],
        "tried": [_attempt(attempt) for attempt in proof.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "operation": attempt.operation,
        "namespace": attempt.namespace,
        "expected": str(attempt.expected),
        "outcome": str(attempt.outcome),
        "verdict": str(attempt.verdict),
        "code": attempt.code,
        "codeName": attempt.code_name,
        "ms": attempt.ms,
        "why": attempt.why,
    }


def _suite(root: Element, each: Proven) -> None:
    proof = each.proof
    cases = [(f"{one.operation} on {one.namespace}", one.verdict, str(one), one.ms) for one in proof.attempts]
    cases += [(f"{one.subject}: {one.text}", one.verdict, one.text, 0.0) for one in proof.findings]
    if proof.residue or not cases:
        cases.append(
            ("residue" if proof.residue else "something was tried", proof.verdict, proof.reason, 0.0)
        )
    counted = [verdict for _, verdict, _, _ in cases]
    suite = SubElement(
        root,
        "testsuite",
        {
            "name": f"{each.where} {each.secret}",
            "tests": str(len(cases)),
            "failures": str(counted.count(Verdict.REFUTED)),
            "errors": str(counted.count(Verdict.INCONCLUSIVE)),
            "time": f"{proof.ms / 1000:.3f}",
            "timestamp": proof.proven_at,
        },
    )
    for name, verdict, text, ms in cases:
        case = SubElement(
            suite, "testcase", {"classname": proof.user, "name": name, "time": f"{ms / 1000:.4f}"}
        )
        if verdict is not Verdict.PROVEN:
            kind = "failure" if verdict is Verdict.REFUTED else "error"
            SubElement(case, kind, {"type": str(verdict), "message": text})
