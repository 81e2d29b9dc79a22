"""What a server's answer means: three outcomes, and only an authorization refusal is a denial."""

import pytest

from atlas_access.clients.mongo_answers import Answer, Failure, Login, judge_login
from atlas_access.proof.catalogue import operation
from atlas_access.proof.verdict import Outcome, judge

UPDATE = operation("update")
INSERT = operation("insert")


@pytest.mark.parametrize(
    ("code", "message", "outcome"),
    [
        (13, "not authorized on askflorence to execute command", Outcome.DENIED),
        (8000, "(Unauthorized) not authorized on askflorence to execute command", Outcome.DENIED),
        (8000, "user is not allowed to do action [update] on [askflorence.plans]", Outcome.DENIED),
        (8000, "bad auth : Authentication failed.", Outcome.INCONCLUSIVE),
        (8000, "(AtlasError) (Unauthorized) not authorized on askflorence to execute", Outcome.DENIED),
        (8000, "something else went wrong", Outcome.INCONCLUSIVE),
        (8000, "you are over your space quota, not authorized to write", Outcome.INCONCLUSIVE),
        (13, "Command find requires authentication", Outcome.INCONCLUSIVE),
        (371, "User writes blocked", Outcome.INCONCLUSIVE),
        (18, "Authentication failed.", Outcome.INCONCLUSIVE),
        (361, "Collection UUID does not match", Outcome.ALLOWED),
        (11000, "E11000 duplicate key", Outcome.ALLOWED),
        (121, "Document failed validation", Outcome.ALLOWED),
        (12587, "cannot perform operation: an index build is currently running", Outcome.ALLOWED),
        (166, "is a view", Outcome.ALLOWED),
        (263, "Cannot run in a transaction", Outcome.ALLOWED),
        (50, "operation exceeded time limit", Outcome.ALLOWED),
        (24, "Unable to acquire lock", Outcome.ALLOWED),
        (112, "WriteConflict", Outcome.ALLOWED),
        (20, "explain does not support insert", Outcome.INCONCLUSIVE),
        (59, "no such command", Outcome.INCONCLUSIVE),
        (10107, "not primary", Outcome.INCONCLUSIVE),
        (50746, "the server is shutting down", Outcome.INCONCLUSIVE),
        (0, "", Outcome.INCONCLUSIVE),
        (999999, "never heard of", Outcome.INCONCLUSIVE),
    ],
)
def test_a_code_means_what_was_measured(code: int, message: str, outcome: Outcome) -> None:
    assert outcome is judge(UPDATE, Answer(code=code, message=message)).outcome


@pytest.mark.parametrize(
    ("code", "why"),
    [(371, "setUserWriteBlockMode"), (10107, "not the primary"), (999, "code 999 says nothing")],
)
def test_what_is_inconclusive_says_why(code: int, why: str) -> None:
    assert why in judge(UPDATE, Answer(code=code)).why


def test_success_is_allowed() -> None:
    assert Outcome.ALLOWED is judge(UPDATE, Answer()).outcome


@pytest.mark.parametrize("failure", list(Failure))
def test_no_answer_is_inconclusive_and_says_why(failure: Failure) -> None:
    judgement = judge(UPDATE, Answer(failure=failure))
    assert (Outcome.INCONCLUSIVE, str(failure)) == (judgement.outcome, judgement.why)


def test_a_single_write_that_met_another_uuid_was_allowed() -> None:
    assert Outcome.ALLOWED is judge(INSERT, Answer(write_codes=(361, 361))).outcome


def test_one_doubtful_write_among_several_makes_all_doubtful() -> None:
    assert Outcome.INCONCLUSIVE is judge(INSERT, Answer(write_codes=(361, 91))).outcome


def test_a_collection_that_may_be_absent_and_is_was_authorized() -> None:
    assert Outcome.ALLOWED is judge(operation("listIndexes"), Answer(code=26), may_be_absent=True).outcome


def test_a_collection_that_must_be_there_and_is_not_is_inconclusive() -> None:
    assert Outcome.INCONCLUSIVE is judge(operation("listIndexes"), Answer(code=26)).outcome


def test_a_row_s_own_code_is_allowed_for_that_row_only() -> None:
    absent_role = Answer(code=31)
    outcomes = (judge(operation("dropRole"), absent_role).outcome, judge(UPDATE, absent_role).outcome)
    assert (Outcome.ALLOWED, Outcome.INCONCLUSIVE) == outcomes


@pytest.mark.parametrize(
    ("answer", "login"),
    [
        (Answer(), Login.DONE),
        (Answer(code=18), Login.REFUSED),
        (Answer(code=17), Login.REFUSED),
        (Answer(code=8000, message="bad auth : Authentication failed."), Login.REFUSED),
        (Answer(code=8000, message="not authorized"), Login.UNREACHABLE),
        (Answer(code=13), Login.UNREACHABLE),
        (Answer(failure=Failure.TIMEOUT), Login.UNREACHABLE),
    ],
)
def test_only_a_refused_login_may_be_tried_again(answer: Answer, login: Login) -> None:
    assert login is judge_login(answer)


def test_an_answer_s_repr_keeps_the_message_to_itself() -> None:
    assert "a document" not in repr(Answer(code=13, message="a document"))
