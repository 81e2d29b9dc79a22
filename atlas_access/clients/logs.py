"""What CloudWatch Logs holds of a time: a service's error lines, and whether a mail's events name a recipient.

It must never show a line's text unredacted: lines may hold what a person typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.session import Session

from atlas_access.base import Endpoints, one_line, redact
from atlas_access.clients.aws import AwsUnavailable, ask, client

_MOST_PAGES = 20
_SHOWN = 200
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}")
_SENT = re.compile(r'"eventType"\s*:\s*"(?:Send|Delivery)"')
"""SES event publishing: what says that a mail went out, and not that it was rejected (SES API, event record)."""


@dataclass(frozen=True)
class Logs:
    """One log group, read from a time on (milliseconds since 1970)."""

    group: str
    region: str
    endpoints: Endpoints
    session: Session | None = field(default=None, repr=False, compare=False)

    def lines(self, words: Sequence[str], since: int) -> Iterator[str]:
        """The lines that hold one of these words, as they are. Raises `AwsUnavailable`.

        CloudWatch's filter preselects, and every line is looked at again: not every server knows each pattern.
        """
        wanted: dict[str, Any] = {"logGroupName": self.group, "startTime": since}
        if all('"' not in word for word in words):
            wanted["filterPattern"] = " ".join(f'?"{word}"' for word in words)
        for _ in range(_MOST_PAGES):
            page = ask(f"reading the log group {self.group}", self._client.filter_log_events, **wanted)
            for event in page.get("events", ()):
                text = str(event.get("message", ""))
                if any(word in text for word in words):
                    yield text
            if not page.get("nextToken") or page["nextToken"] == wanted.get("nextToken"):
                return
            wanted["nextToken"] = page["nextToken"]
        raise AwsUnavailable(f"reading the log group {self.group}", "more pages than are read")

    @cached_property
    def _client(self) -> Any:
        return client("logs", self.region, self.endpoints, session=self.session)


def says_sent(line: str, email: str) -> bool:
    """Whether a line is an event of SES that says a mail to an address was sent or delivered."""
    return email in line and _SENT.search(line) is not None


def shown(line: str) -> str:
    """A line of a log, fit to be shown: one line, without secrets and without anybody's address."""
    return one_line(_ADDRESS.sub("(an address)", redact(line)), _SHOWN)
