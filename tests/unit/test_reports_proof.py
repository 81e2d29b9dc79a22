"""A proof in words: the way out fits what speaks against the credential."""

import pytest

from access.evidence import Attempt, Finding, Proof, Subject
from access.verdict import Outcome, Verdict
from reports.proof import ProofReport, Proven
from reports.proof_text import lines

DENIED = Attempt("update", "askflorence.agent_audit_log", Outcome.DENIED, Outcome.DENIED, 13, "Unauthorized")
ALLOWED = Attempt("update", "askflorence.agent_audit_log", Outcome.DENIED, Outcome.ALLOWED)


def last_line(attempt: Attempt, *findings: Finding, complete: bool = True) -> str:
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
        residue=0,
        audit_uuid="",
        proven_at="2026-01-01T00:00:00Z",
        ms=1.0,
    )
    report = ProofReport("staging", (Proven(proof, "staging/mongodb/app-read-v2"),), 1.0, complete=complete)
    return list(lines(report))[-1]


def refuted(subject: Subject) -> Finding:
    return Finding(subject, Verdict.REFUTED, "something is wrong")


@pytest.mark.parametrize("subject", [Subject.ROLES, Subject.EXCESS, Subject.MISSING])
def test_a_role_that_differs_is_restored_by_an_update(subject: Subject) -> None:
    assert "restores the declared roles" in last_line(DENIED, refuted(subject))


def test_an_attempt_that_contradicts_is_a_roles_matter_too() -> None:
    assert "restores the declared roles" in last_line(ALLOWED)
    assert "correct the user's role in Atlas" in last_line(ALLOWED, complete=False)


@pytest.mark.parametrize("subject", [Subject.AUDIT, Subject.SECRET, Subject.LOGIN])
def test_what_no_role_can_mend_is_left_to_what_was_named(subject: Subject) -> None:
    assert last_line(DENIED, refuted(subject)).endswith("Way out: mend what is named above and prove again.")
