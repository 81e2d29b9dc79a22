"""What CloudWatch Logs holds of a time: a service's error lines, and whether a mail's events name a recipient.

Lines are redacted: they may hold what a person typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from atlas_access.base import Endpoints, one_line, redact
from atlas_access.clients.aws import client, pages
from atlas_access.clients.errors import AwsUnavailable

if TYPE_CHECKING:
    from botocore.session import Session

_MOST_PAGES = 20
_MOST_PARTS = 64
_SHOWN = 200
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}")
_MAIL_EVENT = re.compile(r'"eventType"\s*:\s*"([A-Za-z ]{1,40})"')
"""SES event publishing: what happened to a mail, such as Send, Delivery, Bounce or Reject (SES API, event record)."""


@dataclass(frozen=True)
class Logs:
    """One log group."""

    group: str
    region: str
    endpoints: Endpoints
    session: Session | None = field(default=None, repr=False, compare=False)

    def lines(self, words: Sequence[str], since: float, until: float | None = None) -> Iterator[str]:
        """The lines of a time (Unix seconds) that hold one of these words, as they are. Raises `AwsUnavailable`.

        CloudWatch's filter preselects, and every line is inspected again: not every server knows each pattern.
        """
        wanted: dict[str, Any] = {"logGroupName": self.group, "startTime": int(since * 1000)}
        if until is not None:
            wanted["endTime"] = int(until * 1000)
        if all('"' not in word for word in words):
            wanted["filterPattern"] = " ".join(f'?"{word}"' for word in words)
        for page in pages(self._client.filter_log_events, "events", _MOST_PAGES, **wanted):
            texts = (str(event.get("message", "")) for event in page.get("events", ()))
            yield from (text for text in texts if any(word in text for word in words))

    @cached_property
    def _client(self) -> Any:
        return client("logs", self.region, self.endpoints, session=self.session)


def stream_lines(logs: Any, group: str, stream: str) -> list[str]:
    """The lines of one log stream, none while there is no such stream. Raises `AwsUnavailable`.

    GetLogEvents says its end by the same token again, for which botocore has no paginator.
    """
    asked: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    found: list[str] = []
    for _ in range(_MOST_PARTS):
        try:
            page = logs.get_log_events(**asked)
        except AwsUnavailable as error:
            if error.code == "ResourceNotFoundException":
                break
            raise
        found += [str(each.get("message", "")) for each in page.get("events", ())]
        token = page.get("nextForwardToken")
        if not page.get("events") or not token or token == asked.get("nextToken"):
            break
        asked["nextToken"] = token
    return found


def mail_event(line: str, email: str) -> str:
    """What happened to a mail to an address, in SES's own word; "" when the line is no event of SES for it."""
    found = _MAIL_EVENT.search(line) if email in line else None
    return found[1] if found else ""


def shown(line: str) -> str:
    """A line of a log, fit to be shown: one line, without secrets and without anybody's address."""
    return one_line(_ADDRESS.sub("(an address)", redact(line)), _SHOWN)
