"""What the server's answer to one operation means: allowed, denied or inconclusive.

Only a server's authorization refusal is a denial. Anything that this module does not know is inconclusive, and
inconclusive never passes.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from atlas_access.clients import ATLAS_BAD_LOGIN, ATLAS_ERROR, AUTHENTICATION_FAILED, Answer
from atlas_access.proof.operation import UNAUTHORIZED, Form, Operation

NAMESPACE_NOT_FOUND = 26
MAX_TIME_EXPIRED = 50
ILLEGAL_OPERATION = 20
_AFTER_AUTHORIZATION = frozenset({24, MAX_TIME_EXPIRED, 112, 121, 166, 263, 361, 11000, 12587})
"""LockTimeout, MaxTimeMSExpired, WriteConflict, DocumentValidationFailure, CommandNotSupportedOnView, not on a capped
collection in a transaction, CollectionUUIDMismatch, DuplicateKey, an index is being built: servers authorize before any
of these (measured)."""

_NOT_PRIMARY = frozenset({91, 189, 10058, 10107, 11600, 11602, 13435, 13436, 50746})
_NAMED = {
    AUTHENTICATION_FAILED: "the login was refused",
    371: "writes of users are blocked on this cluster (setUserWriteBlockMode)",
    **dict.fromkeys(_NOT_PRIMARY, "the server is not the primary"),
}
_LOGIN_IS_GONE = "requires authentication"
_ATLAS_DENIAL = re.compile(
    r"(\(?(atlaserror|unauthorized)\)?:? *)*(user is )?not (allowed to do action|authorized on) "
)


class Outcome(StrEnum):
    """What one attempt showed: what the server allows, not whether that is good; `denied` is often as wanted."""

    ALLOWED = "allowed"
    DENIED = "denied"
    INCONCLUSIVE = "inconclusive"


class Verdict(StrEnum):
    """What a whole proof showed, in the words that states and evidence record and the policy pack reads."""

    PROVEN = "proven"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


class Judgement(NamedTuple):
    """An outcome, the code that decided it, and why when it is not plain."""

    outcome: Outcome
    code: int | None = None
    why: str = ""


def judge(operation: Operation, answer: Answer, *, may_be_absent: bool = False) -> Judgement:
    """Decide what an answer to an operation shows.

    A single write's code counts as the answer's own. Servers authorize before they look for the collection, so "not
    found" for one that may be absent was authorized. A success of a command with a random collectionUUID means that
    the server ignored the UUID: allowed, and possibly with a trace.
    """
    if answer.failure is not None:
        return Judgement(Outcome.INCONCLUSIVE, answer.code, str(answer.failure))
    if answer.code == NAMESPACE_NOT_FOUND:
        if may_be_absent:
            return Judgement(Outcome.ALLOWED, answer.code, "the collection is absent, which is declared")
        return Judgement(Outcome.INCONCLUSIVE, answer.code, "the collection does not exist")
    if answer.code is not None:
        return _of_code(operation, answer.code, answer.message.lower())
    if answer.write_codes:
        judgements = [_of_code(operation, code, "") for code in answer.write_codes]
        doubtful = [each for each in judgements if each.outcome is not Outcome.ALLOWED]
        return doubtful[0] if doubtful else judgements[0]
    return Judgement(Outcome.ALLOWED)


def _of_code(operation: Operation, code: int, message: str) -> Judgement:
    if code == UNAUTHORIZED and _LOGIN_IS_GONE in message:
        return Judgement(
            Outcome.INCONCLUSIVE, code, "the login ended: was the user deleted or changed meanwhile?"
        )
    if code == UNAUTHORIZED:
        return Judgement(Outcome.DENIED, code)
    if code == ATLAS_ERROR:
        return _of_atlas(code, message)
    if code in operation.allowed | _AFTER_AUTHORIZATION:
        return Judgement(Outcome.ALLOWED, code)
    if code == ILLEGAL_OPERATION and operation.form is Form.EXPLAIN:
        return Judgement(Outcome.INCONCLUSIVE, code, "the server does not explain this command")
    return Judgement(
        Outcome.INCONCLUSIVE, code, _NAMED.get(code, f"code {code} says nothing about privileges")
    )


def _of_atlas(code: int, message: str) -> Judgement:
    """Code 8000 has two known meanings; Atlas also uses it for quotas, whose text speaks of authorization too."""
    if ATLAS_BAD_LOGIN in message:
        return Judgement(Outcome.INCONCLUSIVE, code, "the login was refused")
    if _ATLAS_DENIAL.match(message):
        return Judgement(Outcome.DENIED, code)
    return Judgement(
        Outcome.INCONCLUSIVE, code, "Atlas refused it with a wording that says nothing of privileges"
    )
