"""The retry policy of HTTP requests: what is safe to repeat, for a named reason, within one deadline.

AWS requests are retried by botocore. No answer's text is part of an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from tenacity import RetryCallState, Retrying, retry_if_result, wait_exponential

RETRIED = frozenset({429, 500, 502, 503, 504})
"""Statuses that say "later": too many requests, and a server or gateway that failed."""

TRIES = 4
LARGEST_ANSWER = 16 * 1024 * 1024
_PAUSE = wait_exponential(multiplier=0.25, max=1.0)
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 20.0


class Unanswered(Exception):
    """No usable answer came within the deadline; `why` is one plain line without a secret."""

    def __init__(self, why: str, status: int = 0) -> None:
        self.why, self.status = why, status
        super().__init__(why)


@dataclass(frozen=True)
class HttpReply:
    """An answer: status, headers, and its body as text."""

    status: int
    headers: Mapping[str, str]
    text: str = field(repr=False)


@dataclass(frozen=True)
class _Try:
    """One request: its reply where one came, and how it went in words."""

    reply: HttpReply | None
    why: str

    def repeatable(self, *, harmless: bool) -> bool:
        """Whether it is to be sent again; a request that changes something only where it was refused unread."""
        if self.reply is None:
            return harmless
        return later(self.reply) and (harmless or self.reply.status in (429, 403))


@dataclass
class Retry:
    """How long one job may take in all, counted from its making; tests replace `sleep`, `clock` (seconds) and `now`."""

    seconds: float = 60.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self._end = self.clock() + self.seconds

    @property
    def left(self) -> float:
        """Seconds until the deadline, at least 0."""
        return max(0.0, self._end - self.clock())

    def ask(
        self, session: requests.Session, method: str, url: str, *, repeat: bool, **more: Any
    ) -> HttpReply:
        """Send a request and return its answer, whatever its status unless that says "later".

        With `repeat` (for requests that change nothing, or the same thing twice) it is sent up to 4 times on 429, 500,
        502, 503, 504, a time-out, a lost connection or a cut answer; without, only on 429, which refuses before acting.
        `Retry-After` is honoured. Raises `Unanswered`, and `EndpointRefused` before a byte is sent.
        """
        if not self.left:
            raise Unanswered("the deadline had passed")
        retrying = Retrying(
            retry=retry_if_result(lambda tried: tried.repeatable(harmless=repeat)),
            wait=self._pause,
            stop=lambda state: state.attempt_number >= TRIES or state.upcoming_sleep >= self.left,
            retry_error_callback=self._give_up,
            sleep=self.sleep,
        )
        tried: _Try = retrying(self._once, session, method, url, **more)
        if tried.reply is None or later(tried.reply):
            raise Unanswered(tried.why, tried.reply.status if tried.reply else 0)
        return tried.reply

    def _give_up(self, state: RetryCallState) -> _Try:
        tried: _Try = state.outcome.result()  # type: ignore[union-attr]
        status = tried.reply.status if tried.reply else 0
        if state.attempt_number >= TRIES:
            raise Unanswered(f"{tried.why}, {TRIES} times", status)
        wait = f"asks to wait {state.upcoming_sleep:.0f} s, longer than the deadline allows"
        raise Unanswered(f"{tried.why}, and {wait}", status)

    def _once(self, session: requests.Session, method: str, url: str, **more: Any) -> _Try:
        left = max(0.01, self.left)
        limits = (min(_CONNECT_SECONDS, left), min(_READ_SECONDS, left))
        try:
            with session.request(
                method, url, timeout=limits, allow_redirects=False, stream=True, **more
            ) as response:
                body = self._body(response)
                encoding = response.encoding or "utf-8"
        except requests.Timeout:
            return _Try(None, "no answer in time")
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
            return _Try(None, "the answer was cut short")
        except requests.ConnectionError:
            return _Try(None, "the connection failed")
        except requests.RequestException as error:
            raise Unanswered(f"the request could not be sent ({type(error).__name__})") from None
        try:
            text = body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            raise Unanswered("the answer is not text") from None
        reply = HttpReply(response.status_code, response.headers, text)
        return _Try(reply, f"it answered {response.status_code}")

    def _body(self, response: requests.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(65536):
            parts.append(part)
            size += len(part)
            if size > LARGEST_ANSWER:
                raise Unanswered(f"the answer is larger than {LARGEST_ANSWER // 1024 // 1024} MiB")
            if not self.left:
                raise Unanswered("the deadline passed while the answer came in")
        return b"".join(parts)

    def _pause(self, state: RetryCallState) -> float:
        reply = state.outcome.result().reply  # type: ignore[union-attr]
        asked = None if reply is None else self._retry_after(reply)
        return _PAUSE(state) if asked is None else asked

    def _retry_after(self, reply: HttpReply) -> float | None:
        """Seconds that the answer asks to wait: `Retry-After` as seconds or a date, or GitHub's reset time."""
        asked = reply.headers.get("Retry-After", "").strip()
        if asked.isascii() and asked.isdigit():
            return float(asked[:9])
        if asked:
            try:
                return max(0.0, (parsedate_to_datetime(asked) - self.now()).total_seconds())
            except (TypeError, ValueError):
                return None
        reset = reply.headers.get("X-RateLimit-Reset", "").strip()
        if exhausted(reply) and reset.isascii() and reset.isdigit():
            return max(1.0, float(reset[:12]) - self.now().timestamp())
        return None


def exhausted(reply: HttpReply) -> bool:
    """Whether an answer refuses because a rate limit is used up, as GitHub says it."""
    return reply.headers.get("X-RateLimit-Remaining", "").strip() == "0"


def later(reply: HttpReply) -> bool:
    """Whether an answer says to come back later."""
    limited = reply.status == 403 and (exhausted(reply) or "Retry-After" in reply.headers)
    return reply.status in RETRIED or limited
