"""Proofs as lines of text and as Markdown: the answer first, then each credential, then what speaks against it.

It must never be the only place of a fact: the JSON carries the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from atlas_access.proof.evidence import Attempt
from atlas_access.proof.report import ProofReport, Proven
from atlas_access.proof.verdict import Verdict

SHOWN = 8
_DOUBT = "Inconclusive is not proven: mend what is named above and prove again."
_REFUTED = "Nothing was changed. Way out: "
_ROLES = (
    "pulumi up --refresh restores the declared roles; or change access.yaml and its decision record together."
)
_ACTIONS = "correct the user's role in Atlas, or what is expected of it, and prove again."
_NAMED = "mend what is named above and prove again."


def lines(report: ProofReport, *, attempts: bool = False) -> Iterator[str]:
    """The report in lines; with `attempts` one line for each besides."""
    yield report.summary
    for each in report.proven:
        yield f"  {headline(each)}"
        yield from (f"    {line}" for line in _against(each))
        if attempts:
            yield from (f"    {attempt_line(attempt)}" for attempt in each.proof.attempts)
    yield from (f"  {note}" for note in report.notes)
    if report.verdict is Verdict.REFUTED:
        yield f"  {_REFUTED}{_way_out(report)}"
    elif report.verdict is Verdict.INCONCLUSIVE:
        yield f"  {_DOUBT if report.proven else 'There was nothing to prove.'}"


def _way_out(report: ProofReport) -> str:
    """What mends it: the role, where an attempt or the server's own list speaks against one."""
    if not any(each.against_the_role for each in report.proven):
        return _NAMED
    return _ROLES if report.complete else _ACTIONS


def headline(each: Proven) -> str:
    """One credential in one line."""
    proof = each.proof
    version = f" version {proof.secret_version[:8]}" if proof.secret_version else ""
    held = ", held by the running tasks" if each.held else ""
    return (
        f"{str(proof.verdict).upper():<12} {each.where}: {len(proof.attempts)} attempts, {proof.ms:.0f} ms; "
        f"{each.secret}{version}{held}"
    )


def attempt_line(attempt: Attempt) -> str:
    """One attempt: outcome, the server's code, milliseconds, what on what, and what was expected."""
    code = "ok" if attempt.code is None else f"{attempt.code} {attempt.code_name}".rstrip()
    sign = "" if attempt.verdict is Verdict.PROVEN else f"  <- expected {attempt.expected}"
    why = f" ({attempt.why})" if attempt.why else ""
    what = f"{attempt.operation} on {attempt.namespace}"
    return f"{attempt.outcome:<12} {code:<28} {attempt.ms:>7.1f} ms  {what}{why}{sign}"


def markdown(report: ProofReport, *, attempts: bool = False) -> str:
    """The report as Markdown."""
    rows = [
        f"## {report.summary}",
        "",
        "| | user | cluster | address | secret | attempts | inconclusive | residue | ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for each in report.proven:
        proof = each.proof
        cells = (
            *(str(proof.verdict), proof.user, proof.cluster, _address(each), f"`{each.secret}`"),
            *(len(proof.attempts), proof.inconclusive, proof.residue, f"{proof.ms:.0f}"),
        )
        rows.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    against = [(each, line) for each in report.proven for line in _against(each)]
    rows += ["", *(f"- {each.proof.user}: {line}" for each, line in against)] if against else []
    rows += ["", *report.notes] if report.notes else []
    for each in report.proven if attempts else ():
        rows += ["", f"### {each.where}", "", "```", *map(attempt_line, each.proof.attempts), "```"]
    return "\n".join(rows) + "\n"


def _against(each: Proven) -> Iterator[str]:
    proof = each.proof
    findings = [finding.text for finding in proof.findings]
    yield from findings[:SHOWN]
    bad = [str(attempt) for attempt in each.doubtful]
    yield from bad[:SHOWN]
    more = max(0, len(findings) - SHOWN) + max(0, len(bad) - SHOWN)
    if more:
        yield f"and {more} more: --attempts shows every attempt"
    if each.breaks_the_audit_log:
        yield f"This breaks the append-only audit log {each.audit} (ADR 0002)."
    if each.against_the_role and each.declared:
        yield f"What it may do is declared at {each.declared}; the server has it otherwise."
    if proof.address == "private" and proof.verdict is Verdict.PROVEN and not proof.address_proven:
        yield "proven by the public address; the private one does not answer from here and stays unproven"


def _address(each: Proven) -> str:
    return each.proof.address + ("" if each.proof.address_proven else " (unproven)")
