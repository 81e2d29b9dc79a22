"""A proof in words: the remedy fits what speaks against the credential."""

import pytest

from atlas_access.base import Finding, Format, render
from atlas_access.proof.evidence import Attempt, Proof, Subject, refuted
from atlas_access.proof.proof_report import proof_report
from atlas_access.proof.report import ProofReport, Proven
from atlas_access.proof.verdict import Outcome

DENIED = Attempt("update", "askflorence.agent_audit_log", Outcome.DENIED, Outcome.DENIED, 13, "Unauthorized")
ALLOWED = Attempt("update", "askflorence.agent_audit_log", Outcome.DENIED, Outcome.ALLOWED)


def report_lines(attempt: Attempt, *findings: Finding, complete: bool = True) -> list[str]:
    proof = Proof(
        user="app_read",
        environment="staging",
        cluster="staging",
        address="public",
        secret_version="1",
        expectations_digest="",
        server_version="6.0.5",
        attempts=(attempt,),
        findings=findings,
        residue=(),
        audit_uuid="",
        proven_at="2026-01-01T00:00:00Z",
        ms=1.0,
    )
    declared = "access.yaml:49 (read)"
    proven = Proven(
        proof, "staging/mongodb/app-read-v2", declared=declared, audit="askflorence.agent_audit_log"
    )
    found = ProofReport("staging", (proven,), 1.0, complete=complete)
    return render(proof_report(found), Format.TEXT).splitlines()


def last_line(attempt: Attempt, *findings: Finding, complete: bool = True) -> str:
    return report_lines(attempt, *findings, complete=complete)[-1]


@pytest.mark.parametrize("subject", [Subject.ROLES, Subject.EXCESS, Subject.MISSING])
def test_a_role_that_differs_is_restored_by_an_update(subject: Subject) -> None:
    assert "restores the declared roles" in last_line(DENIED, refuted(subject, "something is wrong"))


def test_an_attempt_that_contradicts_is_a_roles_matter_too() -> None:
    assert "restores the declared roles" in last_line(ALLOWED)
    assert "correct the user's role in Atlas" in last_line(ALLOWED, complete=False)


@pytest.mark.parametrize("subject", [Subject.AUDIT, Subject.SECRET, Subject.LOGIN])
def test_what_no_role_can_fix_is_left_to_what_was_named(subject: Subject) -> None:
    expected = "  Remedy: Nothing was changed: fix what is named above and prove again."
    assert expected == last_line(DENIED, refuted(subject, "something is wrong"))


def test_the_first_line_is_the_answer() -> None:
    assert report_lines(ALLOWED)[0].startswith("REFUTED  staging: 0/1 proven")
    assert report_lines(DENIED)[0].startswith("PROVEN  staging: 1/1 proven")


def test_what_breaks_the_audit_log_is_said_with_the_place_of_the_declaration() -> None:
    lines = report_lines(ALLOWED)
    assert "  This breaks the append-only audit log askflorence.agent_audit_log (ADR 0002)." in lines
    assert "  Its access is declared at access.yaml:49 (read); the server differs." in lines


def test_reading_the_audit_log_does_not_break_it() -> None:
    read = Attempt("find", "askflorence.agent_audit_log", Outcome.DENIED, Outcome.ALLOWED)
    assert [] == [line for line in report_lines(read) if "breaks" in line]
