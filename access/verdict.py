"""What a server's answer means: allowed, denied or inconclusive; and what the answers of one proof add up to.

Only a server's authorization refusal is a denial. Anything that this module does not know is inconclusive, and
inconclusive never passes. It must never read a reply's text for more than the wordings that code 8000 needs.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from access.operation import (
    DUPLICATE_KEY,
    NAMESPACE_NOT_FOUND,
    NOT_IN_TRANSACTION,
    UNAUTHORIZED,
    UUID_MISMATCH,
    Form,
    Operation,
)

ATLAS_ERROR = 8000
AUTHENTICATION_FAILED = 18
# Measured: a login whose user comes into being between its two steps ends with this code.
LOGIN_INTERRUPTED = 17
ILLEGAL_OPERATION = 20
NOT_PRIMARY = frozenset({91, 189, 10058, 10107, 11600, 11602, 13435, 13436})

_ATLAS_DENIALS = ("not allowed to do action", "not authorized")
_ATLAS_BAD_LOGIN = "bad auth"


class Outcome(StrEnum):
    """What one attempt showed."""

    ALLOWED = "allowed"
    DENIED = "denied"
    INCONCLUSIVE = "inconclusive"


class Verdict(StrEnum):
    """What a whole proof showed."""

    PROVEN = "proven"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


class Failure(StrEnum):
    """Why no answer of the server came back."""

    NETWORK = "the connection failed"
    TIMEOUT = "the server did not answer in time"
    DEADLINE = "the proof's deadline had passed"
    GARBLED = "the answer could not be understood"
    LOST = "an earlier attempt lost the connection"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one command.

    `code` is the server's error code (0 for an error without one, None for success), `write_codes` those of single
    writes, `written` how many documents it says were written. `message` is kept out of every repr: it may quote
    documents.
    """

    code: int | None = None
    code_name: str = ""
    message: str = field(default="", repr=False)
    write_codes: tuple[int, ...] = ()
    written: int = 0
    failure: Failure | None = None

    @property
    def ok(self) -> bool:
        """Whether the server carried the command out."""
        return self.failure is None and self.code is None and not self.write_codes


@dataclass(frozen=True, slots=True)
class Judgement:
    """An outcome, the code that decided it, and why when it is not plain."""

    outcome: Outcome
    code: int | None = None
    why: str = ""


def judge(operation: Operation, answer: Answer, *, may_be_absent: bool = False) -> Judgement:
    """Decide what an answer to an operation shows (codes measured on mongod 6.0.5).

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
        return _of_code(operation, answer.code, answer.message)
    if answer.write_codes:
        judgements = [_of_code(operation, code, "") for code in answer.write_codes]
        doubtful = [each for each in judgements if each.outcome is not Outcome.ALLOWED]
        return doubtful[0] if doubtful else judgements[0]
    return Judgement(Outcome.ALLOWED)


def _of_code(operation: Operation, code: int, message: str) -> Judgement:
    if code == UNAUTHORIZED:
        return Judgement(Outcome.DENIED, code)
    if code == ATLAS_ERROR:
        return _of_atlas(code, message.lower())
    if code in operation.allowed | {UUID_MISMATCH, DUPLICATE_KEY}:
        return Judgement(Outcome.ALLOWED, code)
    return Judgement(Outcome.INCONCLUSIVE, code, _doubt(operation, code))


def _of_atlas(code: int, message: str) -> Judgement:
    if _ATLAS_BAD_LOGIN in message:
        return Judgement(Outcome.INCONCLUSIVE, code, "the login was refused")
    if any(wording in message for wording in _ATLAS_DENIALS):
        return Judgement(Outcome.DENIED, code)
    return Judgement(
        Outcome.INCONCLUSIVE, code, "Atlas refused it with a wording that says nothing of privileges"
    )


def _doubt(operation: Operation, code: int) -> str:
    if code == AUTHENTICATION_FAILED:
        return "the login was refused"
    if code in NOT_PRIMARY:
        return "the server is not the primary"
    if code == NOT_IN_TRANSACTION:
        return "the server refuses it in a transaction: is the collection capped?"
    if code == ILLEGAL_OPERATION and operation.form is Form.EXPLAIN:
        return "the server does not explain this command"
    return f"code {code} says nothing about privileges"


class Login(StrEnum):
    """What came of a login."""

    DONE = "logged in"
    REFUSED = "the server refused the login"
    UNREACHABLE = "the server could not be asked"


def judge_login(answer: Answer) -> Login:
    """Decide what a login's answer means: only a refused login may be tried again, within the propagation window."""
    if answer.ok:
        return Login.DONE
    refused = answer.code in (AUTHENTICATION_FAILED, LOGIN_INTERRUPTED)
    refused = refused or (answer.code == ATLAS_ERROR and _ATLAS_BAD_LOGIN in answer.message.lower())
    return Login.REFUSED if refused and answer.failure is None else Login.UNREACHABLE
