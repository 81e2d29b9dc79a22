"""What came back for one request to the application, as a record that a gate judges.

It holds no header but the revision's, and only a body that was understood as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from atlas_access.base import one_line


class Trouble(StrEnum):
    """Why no answer can be judged."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "no whole answer in time"
    CERTIFICATE = "its certificate is refused"
    REDIRECT = "redirects elsewhere"
    TOO_LARGE = "the answer is too large"
    NOT_JSON = "the answer is not JSON"
    REFUSED = "the address is not permitted"
    OTHER_REVISION = "another revision answers"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: its status and JSON body, or the trouble in its place with one line of detail.

    `revision` is what the application says of itself (X-Task-Revision), "" when it says nothing. `seconds` spans
    retries, `tries` counts them.
    """

    status: int = 0
    body: Any = field(default=None, repr=False)
    revision: str = ""
    trouble: Trouble | None = None
    detail: str = ""
    seconds: float = 0.0
    tries: int = 1

    @property
    def fault(self) -> str:
        """Why this is not a good answer, in words; "" when it is one (status 200, a JSON object, no error in it)."""
        return self.fault_unless(200)

    def fault_unless(self, *statuses: int) -> str:
        """Why this is not a good answer where these statuses are good."""
        if self.trouble is not None:
            return f"{self.trouble}: {self.detail}" if self.detail else str(self.trouble)
        said = error_words(self.body)
        if self.status not in statuses:
            return f"HTTP {self.status}{f' ({said})' if said else ''}"
        if not isinstance(self.body, Mapping):
            return "the answer is JSON, but not an object"
        return f"the answer holds an error ({said})" if said else ""


def error_words(body: object) -> str:
    """What an answer says went wrong, as one short line; "" when it says nothing of an error."""
    if not isinstance(body, Mapping) or not body.get("error"):
        return ""
    error = body["error"]
    if isinstance(error, Mapping):
        error = error.get("message") or error.get("code") or "an error"
    return one_line(error if isinstance(error, str) else "an error", 120)


def same_revision(said: str, wanted: str) -> bool:
    """Whether two names mean one task-definition revision: an ARN, `family:8`, or the bare number."""
    left, right = (each.strip().rpartition("/")[2] for each in (said, wanted))
    if left.isdigit() or right.isdigit():
        return left.rpartition(":")[2] == right.rpartition(":")[2]
    return left == right
