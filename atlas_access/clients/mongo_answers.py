"""What a server's answer means: allowed, denied or inconclusive; and what the answers of one proof add up to.

Only a server's authorization refusal is a denial. Anything that this module does not know is inconclusive, and
inconclusive never passes. A reply's text is read only for the wordings that code 8000 needs.
"""

from dataclasses import dataclass, field
from enum import StrEnum

ATLAS_ERROR = 8000
AUTHENTICATION_FAILED = 18
# Measured: a login whose user comes into being between its two steps ends with this code.
LOGIN_INTERRUPTED = 17

ATLAS_BAD_LOGIN = "bad auth"


class Failure(StrEnum):
    """Why no answer of the server came back."""

    NETWORK = "the connection failed"
    TIMEOUT = "the server did not answer in time"
    NAME = "the host's name could not be resolved"
    TLS = "the TLS handshake failed"
    REPLICA_SET = "no host belongs to the replica set that the option replicaSet names"
    MODE = "the server is too old for this driver, or not behind a load balancer, as the option loadBalanced says"
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
    refused = refused or (answer.code == ATLAS_ERROR and ATLAS_BAD_LOGIN in answer.message.lower())
    return Login.REFUSED if refused and answer.failure is None else Login.UNREACHABLE
