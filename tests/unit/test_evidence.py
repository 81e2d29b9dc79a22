"""A proof is proven only when nothing in it is doubtful, and its evidence reads back as written."""

from dataclasses import replace

import pytest

from atlas_access.base import Finding
from atlas_access.proof.evidence import Attempt, Proof, Subject, doubtful, noted, refuted
from atlas_access.proof.verdict import Outcome, Verdict

ALLOWED = Attempt("find", "askflorence.plans", Outcome.ALLOWED, Outcome.ALLOWED, ms=0.3)
DENIED = Attempt("insert", "askflorence.plans", Outcome.DENIED, Outcome.DENIED, 13, "Unauthorized", 0.2)
WRONG = Attempt("update", "askflorence.plans", Outcome.DENIED, Outcome.ALLOWED, ms=1.1)
DOUBTFUL = Attempt("delete", "askflorence.plans", Outcome.DENIED, Outcome.INCONCLUSIVE, 91, why="in doubt")
REFUTED = refuted(Subject.EXCESS, "app_read can erase documents")
UNSURE = doubtful(Subject.SERVER, "the server is not the primary")
NOTED = noted(Subject.SERVER, "the server is newer than the documented sets")


def _proof(*attempts: Attempt, findings: tuple[Finding, ...] = (), residue: tuple[str, ...] = ()) -> Proof:
    return Proof(
        user="app_read",
        environment="prod",
        cluster="staging",
        address="private",
        secret_version="version-1",
        expectations_digest="0" * 64,
        server_version="6.0.5",
        attempts=attempts,
        findings=findings,
        residue=residue,
        audit_uuid="",
        proven_at="2026-05-12T09:14:00Z",
        ms=120.5,
    )


@pytest.mark.parametrize(
    ("proof", "verdict"),
    [
        (_proof(ALLOWED, DENIED), Verdict.PROVEN),
        (_proof(ALLOWED, WRONG), Verdict.REFUTED),
        (_proof(ALLOWED, DOUBTFUL), Verdict.INCONCLUSIVE),
        (_proof(WRONG, DOUBTFUL), Verdict.REFUTED),
        (_proof(), Verdict.INCONCLUSIVE),
        (_proof(ALLOWED, findings=(REFUTED,)), Verdict.REFUTED),
        (_proof(ALLOWED, findings=(UNSURE,)), Verdict.INCONCLUSIVE),
        (_proof(ALLOWED, findings=(UNSURE, REFUTED)), Verdict.REFUTED),
        (_proof(ALLOWED, residue=("the index x",)), Verdict.REFUTED),
        (_proof(ALLOWED, findings=(NOTED,)), Verdict.PROVEN),
    ],
)
def test_a_proof_is_as_good_as_its_worst_part(proof: Proof, verdict: Verdict) -> None:
    assert verdict is proof.verdict


def test_a_proven_proof_needs_no_reason() -> None:
    assert "" == _proof(ALLOWED).reason


def test_a_reason_names_what_is_found_before_single_attempts() -> None:
    reason = _proof(WRONG, findings=(REFUTED,)).reason
    assert f"{REFUTED.message}; {WRONG}" == reason


def test_the_same_contradiction_on_many_collections_is_said_once() -> None:
    many = [replace(WRONG, namespace=f"askflorence.{number}") for number in range(5)]
    reason = _proof(*many).reason
    assert "update on askflorence.0: expected denied, allowed and 4 more namespaces" == reason


def test_a_long_list_of_reasons_is_cut_and_counted() -> None:
    findings = tuple(replace(REFUTED, message=f"finding {number}") for number in range(5))
    assert "finding 0; finding 1; finding 2; and 2 more" == _proof(findings=findings).reason


def test_an_attempt_prints_as_a_sentence_with_its_code() -> None:
    assert "insert on askflorence.plans: expected denied, denied (13 Unauthorized)" == str(DENIED)


@pytest.mark.parametrize(
    "proof",
    [_proof(ALLOWED, DENIED, WRONG, DOUBTFUL, findings=(REFUTED, UNSURE), residue=("an index",)), _proof()],
)
def test_evidence_reads_back_as_it_was_written(proof: Proof) -> None:
    assert proof == Proof.from_json(proof.to_json())


def test_a_residue_is_the_first_reason_and_says_how_it_is_removed() -> None:
    reason = _proof(ALLOWED, findings=(REFUTED,), residue=("drop the index x",)).reason
    assert f"drop the index x; {REFUTED.message}" == reason


def test_inconclusive_attempts_and_those_decided_by_the_list_are_counted() -> None:
    listed = replace(DENIED, tried=False)
    proof = _proof(ALLOWED, DOUBTFUL, listed, replace(DOUBTFUL, tried=False))
    assert (2, 1) == (proof.inconclusive, proof.by_list)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"columns": [], "attempts": []}'])
def test_a_text_that_is_no_evidence_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Proof.from_json(text)
