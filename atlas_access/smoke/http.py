"""Asks the application one JSON question, within limits, and hands back a record to be judged.

A transport error is retried within a small budget; an answer is never retried, except one that another task-definition
revision gave while the wanted one is taking over. It follows no redirect to another host, reads no more than the limit,
waits no longer than its deadline (headers that trickle in included), and raises for nothing that a server does.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from tenacity import RetryCallState, Retrying, retry_if_result, wait_exponential
from urllib3.exceptions import HTTPError

from atlas_access.base import EndpointRefused, Endpoints, one_line, redact
from atlas_access.clients import session
from atlas_access.smoke.model import Limits
from atlas_access.smoke.replies import Reply, Trouble, same_revision

REVISION_HEADER = "X-Task-Revision"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})
_MOST_REDIRECTS = 3
_CHUNK = 65536
_PAUSE = wait_exponential(multiplier=0.1, max=2.0)
_GRACE = 0.5
T = TypeVar("T")


@dataclass(frozen=True)
class Asker:
    """Asks one deployment. `url` is where it is, `revision` the one that must answer, "" for any.

    `open_session` is how a session is opened: a fresh one per question, so that no dead connection is used again.
    Once `stopped` is true nothing more is tried; after `deadline` (of the steady clock) nothing more is asked.
    """

    url: str
    endpoints: Endpoints
    limits: Limits
    revision: str = ""
    open_session: Callable[[Endpoints], requests.Session] = session
    stopped: Callable[[], bool] = lambda: False
    deadline: float = float("inf")

    def ask(self, path: str, body: Mapping[str, Any], *, once: bool = False) -> Reply:
        """POST a JSON body to a path; `once` sends it at most one time, for what must not happen twice."""
        started = time.monotonic()
        allowed_for = {
            Trouble.UNREACHABLE: self.limits.retry_seconds,
            Trouble.OTHER_REVISION: self.limits.revision_seconds,
        }

        def over(state: RetryCallState) -> bool:
            seconds = 0.0 if once else allowed_for[_reply_of(state).trouble]  # type: ignore[index]
            return time.monotonic() + state.upcoming_sleep >= started + seconds or self.stopped()

        retrying = Retrying(
            retry=retry_if_result(lambda reply: reply.trouble in allowed_for),
            wait=_PAUSE,
            stop=over,
            sleep=time.sleep,
            retry_error_callback=_reply_of,
        )
        reply: Reply = retrying(self._try, path, json.dumps(body).encode())
        tries = int(retrying.statistics["attempt_number"])
        return replace(reply, seconds=time.monotonic() - started, tries=tries)

    def _try(self, path: str, payload: bytes) -> Reply:
        seconds = min(self.limits.request_seconds, self.deadline - time.monotonic())
        if seconds <= 0:
            return Reply(trouble=Trouble.TIMEOUT, detail="the gates' time is over")
        reply = within(seconds + _GRACE, partial(self._once, path, payload, seconds), "smoke question")
        return self._checked(reply or _timeout(seconds))

    def _checked(self, reply: Reply) -> Reply:
        """The reply, or that another revision than the wanted one gave it."""
        if not (self.revision and reply.revision) or reply.trouble is not None:
            return reply
        if same_revision(reply.revision, self.revision):
            return reply
        text = f"{reply.revision} answered, not {self.revision}"
        return replace(reply, trouble=Trouble.OTHER_REVISION, detail=text, body=None)

    def _once(self, path: str, payload: bytes, seconds: float) -> Reply:
        """One question, redirects within the host included."""
        deadline = time.monotonic() + seconds
        address = self.url.rstrip("/") + path
        try:
            with self.open_session(self.endpoints) as opened:
                for _ in range(_MOST_REDIRECTS + 1):
                    with opened.post(
                        self.endpoints.permit(address),
                        data=payload,
                        headers={
                            "Content-Type": "application/json",
                            "Accept": "application/json",
                            "Accept-Encoding": "identity",
                            "Cache-Control": "no-store",
                        },
                        timeout=(seconds, seconds),
                        allow_redirects=False,
                        stream=True,
                    ) as response:
                        if response.status_code not in _REDIRECTS:
                            return self._read(response, deadline)
                        there = urljoin(address, response.headers.get("Location", ""))
                        if response.status_code not in _KEEPS_METHOD or _origin(there) != _origin(address):
                            return Reply(
                                trouble=Trouble.REDIRECT, detail=_redirect(response.status_code, there)
                            )
                        address = there
        except EndpointRefused as refused:
            return Reply(trouble=Trouble.REFUSED, detail=str(refused))
        except requests.exceptions.SSLError as error:
            return Reply(trouble=Trouble.CERTIFICATE, detail=_certificate(error))
        except (requests.exceptions.Timeout, TimeoutError):
            return _timeout(seconds)
        except (requests.exceptions.RequestException, HTTPError, OSError, ValueError) as error:
            return Reply(trouble=Trouble.UNREACHABLE, detail=_cause(error))
        return Reply(trouble=Trouble.REDIRECT, detail=f"more than {_MOST_REDIRECTS} times")

    def _read(self, response: requests.Response, deadline: float) -> Reply:
        """Read an answer up to the limits and understand it."""
        known = Reply(
            status=response.status_code,
            revision=one_line(response.headers.get(REVISION_HEADER, ""), 200),
        )
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            return replace(
                known, trouble=Trouble.NOT_JSON, detail="it is compressed, which was not asked for"
            )
        most = self.limits.answer_bytes
        said = response.headers.get("Content-Length", "")
        too_large = replace(known, trouble=Trouble.TOO_LARGE, detail=f"more than {most} bytes")
        if said.isdigit() and int(said) > most:
            return too_large
        body = bytearray()
        try:
            while chunk := response.raw.read1(_CHUNK):
                body += chunk
                if len(body) > most:
                    return too_large
                if time.monotonic() > deadline:
                    return replace(known, trouble=Trouble.TIMEOUT, detail=f"{len(body)} bytes so far")
        except (HTTPError, OSError) as error:
            return replace(known, trouble=Trouble.UNREACHABLE, detail=f"broke off ({type(error).__name__})")
        try:
            return replace(known, body=json.loads(bytes(body), parse_constant=_refuse_constant))
        except (ValueError, RecursionError):
            kind = one_line(response.headers.get("Content-Type", "no content type"), 60)
            what = "HTML" if "html" in kind.lower() else f"{len(body)} bytes"
            status = "" if known.status == 200 else f"HTTP {known.status}, "
            return replace(known, trouble=Trouble.NOT_JSON, detail=f"{status}{what} ({kind})")


def within(seconds: float, work: Callable[[], T], name: str) -> T | None:
    """Do work that may hang, in a thread that nobody waits for longer than this; None when it has not ended."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits, which raises it
            answer.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    ended, _ = wait((answer,), seconds)
    return answer.result() if ended else None


def _timeout(seconds: float) -> Reply:
    return Reply(trouble=Trouble.TIMEOUT, detail=f"within {seconds:.0f} s" if seconds >= 1 else "")


def _reply_of(state: RetryCallState) -> Reply:
    reply: Reply = state.outcome.result()  # type: ignore[union-attr]
    return reply


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _redirect(status: int, there: str) -> str:
    scheme, host = _origin(there)
    return f"HTTP {status} to {one_line(redact(f'{scheme}://{host}'), 100)}; set smokeUrl to where the application is"


def _certificate(error: BaseException) -> str:
    """OpenSSL's own words for what is wrong with a certificate; they quote nothing secret."""
    observed: BaseException | None = error
    for _ in range(8):
        if isinstance(observed, ssl.SSLCertVerificationError):
            return one_line(observed.verify_message, 120)
        inner = getattr(observed, "reason", None) or (
            observed.args[0] if observed and observed.args else None
        )
        if not isinstance(inner, BaseException):
            break
        observed = inner
    return "the TLS handshake failed"


def _cause(error: BaseException) -> str:
    """What broke a connection, by the error's kind: its text may hold addresses in any form."""
    text = str(error)
    for words, meaning in (
        ("Connection refused", "the connection is refused"),
        ("Name or service not known", "the name is unknown"),
        ("No address associated", "the name is unknown"),
        ("Temporary failure in name resolution", "the name cannot be resolved"),
        ("No route to host", "there is no route"),
        ("RemoteDisconnected", "it closed the connection without an answer"),
        ("reset by peer", "it reset the connection"),
    ):
        if words in text:
            return meaning
    return type(error).__name__


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
