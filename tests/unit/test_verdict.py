"""What a server's answer means: three outcomes, and only an authorization refusal is a denial."""

import pytest

from atlas_access.clients.mongo_answers import Answer, Failure, Login, judge_login
from atlas_access.proof.catalogue import operation
from atlas_access.proof.verdict import Outcome, judge

UPDATE = operation("update")


@pytest.mark.parametrize(
    ("code", "message", "outcome"),
    [
        (13, "not authorized on askflorence to execute command", Outcome.DENIED),
        (8000, "(Unauthorized) not authorized on askflorence to execute command", Outcome.DENIED),
        (8000, "user is not allowed to do action [update] on [askflorence.plans]", Outcome.DENIED),
        (8000, "bad auth : Authentication failed.", Outcome.INCONCLUSIVE),
        (8000, "something else went wrong", Outcome.INCONCLUSIVE),
        (18, "Authentication failed.", Outcome.INCONCLUSIVE),
        (361, "Collection UUID does not match", Outcome.ALLOWED),
        (11000, "E11000 duplicate key", Outcome.ALLOWED),
        (263, "Cannot run in a transaction", Outcome.INCONCLUSIVE),
        (20, "explain does not support insert", Outcome.INCONCLUSIVE),
        (59, "no such command", Outcome.INCONCLUSIVE),
        (10107, "not primary", Outcome.INCONCLUSIVE),
        (50, "operation exceeded time limit", Outcome.INCONCLUSIVE),
        (0, "", Outcome.INCONCLUSIVE),
        (999999, "never heard of", Outcome.INCONCLUSIVE),
    ],
)
def test_a_code_means_what_was_measured(code: int, message: str, outcome: Outcome) -> None:
    assert outcome is judge(UPDATE, Answer(code=code, message=message)).outcome


@pytest.mark.parametrize("failure", list(Failure))
def test_no_answer_is_inconclusive_and_says_why(failure: Failure) -> None:
    judgement = judge(UPDATE, Answer(failure=failure))
    assert (Outcome.INCONCLUSIVE, str(failure)) == (judgement.outcome, judgement.why)


@pytest.mark.parametrize(
    ("name", "answer", "absent", "outcome"),
    [
        ("update", Answer(), False, Outcome.ALLOWED),
        ("insert", Answer(write_codes=(361, 361)), False, Outcome.ALLOWED),
        ("insert", Answer(write_codes=(361, 91)), False, Outcome.INCONCLUSIVE),
        ("listIndexes", Answer(code=26), True, Outcome.ALLOWED),
        ("listIndexes", Answer(code=26), False, Outcome.INCONCLUSIVE),
        ("dropRole", Answer(code=31), False, Outcome.ALLOWED),
        ("update", Answer(code=31), False, Outcome.INCONCLUSIVE),
    ],
    ids=[
        "success",
        "every single write met another UUID",
        "one doubtful write among several",
        "a collection that may be absent",
        "a collection that must be there",
        "a code of this row",
        "a code of another row",
    ],
)
def test_an_answer_is_judged_with_its_row(name: str, answer: Answer, absent: bool, outcome: Outcome) -> None:
    assert outcome is judge(operation(name), answer, may_be_absent=absent).outcome


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
