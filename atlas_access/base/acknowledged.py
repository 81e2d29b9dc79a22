"""What people state because no system shows it: each with who stated it, when and why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints, model_validator


class What(StrEnum):
    """What can be acknowledged."""

    TERRAFORM_RELEASED = "terraform-released"
    TERRAFORM_SECRETS_RELEASED = "terraform-secrets-released"
    AUDIT_LOG_REMADE = "audit-log-remade"
    SOAK_WITHOUT_LOGIN_HISTORY = "soak-without-login-history"
    SOAK_WITHOUT_SIGN_UP = "soak-without-sign-up"
    LOCAL_VERIFIED = "local-verified"
    CODE_VERIFIED = "code-verified"
    NO_LOGIN_HISTORY = "no-login-history"
    SERVICE_ACCOUNT_ENDS = "service-account-ends"


OLD_NAMES = {
    "terraformReleased": What.TERRAFORM_RELEASED,
    "acceptedAuditUuid": What.AUDIT_LOG_REMADE,
    "soakWithoutLoginHistory": What.SOAK_WITHOUT_LOGIN_HISTORY,
    "soakWithoutSignUp": What.SOAK_WITHOUT_SIGN_UP,
    "localVerifiedAt": What.LOCAL_VERIFIED,
    "codeVerifiedAt": What.CODE_VERIFIED,
    "noLoginHistoryAt": What.NO_LOGIN_HISTORY,
}
"""Settings that held an acknowledgement before there was a list of them."""

_VALUES = {
    What.AUDIT_LOG_REMADE: (r"[0-9a-f]{32}", "the audit log's UUID"),
    What.SERVICE_ACCOUNT_ENDS: (r"\d{4}-\d{2}-\d{2}", "a date"),
}
"""Which statements carry a value, its form, and what it is."""


def _written(value: object) -> object:
    """Take a time only as a text or a YAML timestamp: pydantic reads a number as seconds."""
    if not isinstance(value, str | datetime) or (isinstance(value, str) and value.strip("0123456789.") == ""):
        raise ValueError("write a time as 2026-05-12T09:14:00Z")
    return value


class Acknowledgement(BaseModel):
    """One statement: what, by which role, when, why; `value` is the new audit log's UUID, or a date."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: What
    by: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9 ._/-]{0,63}$")]
    at: Annotated[AwareDatetime, BeforeValidator(_written)]
    why: Annotated[str, StringConstraints(pattern=r"^\S[^\r\n]{0,299}$")]
    value: str = ""

    @model_validator(mode="after")
    def _valued(self) -> Acknowledgement:
        form, named = _VALUES.get(self.what, ("", "nothing"))
        if re.fullmatch(form, self.value, re.ASCII) is None:
            raise ValueError(f"`value` of {self.what} holds {named}")
        if self.what is What.SERVICE_ACCOUNT_ENDS:
            date.fromisoformat(self.value)
        return self


def form_of(what: What) -> str:
    """How an acknowledgement is written, for a message."""
    value = f", value: {_VALUES[what][1]}" if what in _VALUES else ""
    return f"{{what: {what}, by: ROLE, at: TIME, why: REASON{value}}}"


def odd_ones(each: Sequence[Acknowledgement], now: datetime | None) -> Iterator[tuple[int, str, str]]:
    """Which entries state again what one before them states, or lie after `now`: number, problem, remedy."""
    for number, entry in enumerate(each):
        if entry.what in {before.what for before in each[:number]}:
            yield number, f"states {entry.what} again", "Keep the newer one."
        if now is not None and entry.at > now:
            yield number, "lies in the future", "Set `at` to when it was found."
