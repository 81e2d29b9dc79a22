"""Proofs as a report: a row for each credential, and below it what speaks against it, or every attempt.

The JSON always has every attempt; `matrix --evidence` reads its `proofs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from atlas_access.base import Finding, Report, Section, Status, Table
from atlas_access.proof.evidence import Attempt
from atlas_access.proof.report import ProofReport, Proven
from atlas_access.proof.verdict import Verdict

EVIDENCE_VERSION = 1
"""Raised when a key of the evidence changes its meaning or goes away."""

_STATUS = {
    Verdict.PROVEN: Status.GOOD,
    Verdict.REFUTED: Status.BAD,
    Verdict.INCONCLUSIVE: Status.UNKNOWN,
}
_SHOWN = 16
_ROLES = (
    "pulumi up --refresh restores the declared roles; or change access.yaml and its decision record together."
)
_ACTIONS = "correct the user's role in Atlas, or what is expected of it, and prove again."
_NAMED = "fix what is named above and prove again."
_HEADS = (
    *("", "user", "cluster", "address", "secret", "version"),
    *("attempts", "inconclusive", "residue", "ms", "running tasks"),
)


def proof_report(found: ProofReport, *, attempts: bool = False) -> Report:
    """The proofs; with `attempts` every attempt is a finding, else those that are not as expected."""
    sections = (_section(each, attempts=attempts) for each in found.proven)
    table = Table(_HEADS, tuple(map(_row, found.proven)))
    return Report(
        name=f"prove {found.title}",
        status=_STATUS[found.verdict],
        label=str(found.verdict).upper(),
        summary=found.summary,
        sections=(Section(table=table), *(each for each in sections if each.lines or each.findings)),
        remedy=_remedy(found),
        notes=found.notes,
        data={
            "version": EVIDENCE_VERSION,
            "title": found.title,
            "verdict": str(found.verdict),
            "seconds": round(found.seconds, 3),
            "proofs": [_evidence(each) for each in found.proven],
        },
        source="access.yaml",
    )


def _remedy(found: ProofReport) -> str:
    if found.verdict is Verdict.PROVEN:
        return ""
    if found.verdict is Verdict.INCONCLUSIVE:
        doubt = f"Inconclusive is not proven: {_NAMED}"
        return doubt if found.proven else "There was nothing to prove."
    if any(each.proof.residue for each in found.proven):
        return (
            "Remove what the residue names, by hand; report it, because the form was measured to be harmless."
        )
    if not any(each.against_the_role for each in found.proven):
        return f"Nothing was changed: {_NAMED}"
    return f"Nothing was changed: {_ROLES if found.complete else _ACTIONS}"


def _row(each: Proven) -> tuple[str, ...]:
    proof = each.proof
    address = proof.address + ("" if proof.address_proven else " (unproven)")
    return (
        *(str(proof.verdict).upper(), proof.user, proof.cluster, address, each.secret),
        *(
            proof.secret_version[:8],
            str(len(proof.attempts)),
            str(proof.inconclusive),
            str(len(proof.residue)),
        ),
        *(f"{proof.ms:.0f}", "hold it" if each.held else ""),
    )


def _section(each: Proven, *, attempts: bool) -> Section:
    tried = each.proof.attempts if attempts else each.doubtful
    findings = (*_findings(each), *map(_attempt, tried))
    title = f"{each.where}: {each.secret}"
    return Section(title, tuple(_lines(each)), findings=findings, shown=0 if attempts else _SHOWN)


def _findings(each: Proven) -> Iterator[Finding]:
    proof = each.proof
    yield from (Finding(Status.BAD, "", each, code="residue") for each in proof.residue)
    yield from proof.findings
    if not (proof.findings or proof.attempts or proof.residue):
        yield Finding(_STATUS[proof.verdict], "", proof.reason, code="attempts")


def _attempt(attempt: Attempt) -> Finding:
    subject = f"{attempt.operation} on {attempt.namespace}"
    message = str(attempt).removeprefix(f"{subject}: ")
    return Finding(_STATUS[attempt.verdict], subject, message, seconds=attempt.ms / 1000)


def _lines(each: Proven) -> Iterator[str]:
    proof = each.proof
    if each.breaks_the_audit_log:
        yield f"This breaks the append-only audit log {each.audit} (ADR 0002)."
    if each.against_the_role and each.declared:
        yield f"Its access is declared at {each.declared}; the server differs."
    if proof.address == "private" and proof.verdict is Verdict.PROVEN and not proof.address_proven:
        yield "Proven by the public address; the private one does not answer from here and stays unproven."


def _evidence(each: Proven) -> dict[str, Any]:
    proof = each.proof
    return {
        "name": each.name,
        "secret": each.secret,
        "secretVersion": proof.secret_version,
        "variables": each.variables,
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
        "byList": proof.by_list,
        "residue": len(proof.residue),
        "left": list(proof.residue),
        "provenAt": proof.proven_at,
        "ms": proof.ms,
        "live": each.live.value,
        "findings": [
            {"subject": each.code, "status": str(each.status), "text": each.message, "remedy": each.remedy}
            for each in proof.findings
        ],
        "tried": [
            {**asdict(attempt), "codeName": attempt.code_name, "verdict": str(attempt.verdict)}
            for attempt in proof.attempts
        ],
    }
