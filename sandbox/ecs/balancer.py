"""A load balancer on loopback: HTTP/1.1 in front of the tasks of one service.

Requests go to healthy targets in turn; a target that refuses the connection is skipped, since it received nothing. As
with an Application Load Balancer, unhealthy targets serve if no other is left, and without targets the answer is 503.
"""

import threading
import time
from collections import deque
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple

from sandbox.ecs.targets import Health, Target, Targets
from sandbox.kept_alive import Headers, KeptAliveHandler, KeptAliveServer
from sandbox.ports import HOST, free_port

_CONNECT_SECONDS = 2.0
_CHECK_SECONDS = 5.0
"""As of the container health checks of ECS: a machine that is busy is not yet a task that is ill."""
_ANSWER_SECONDS = 60.0
_EAGER_SECONDS = 0.05
_CALM_SECONDS = 1.0
_REMEMBERED = 100_000
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_OWN = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "Connection": "close"}


class _Answer(NamedTuple):
    status: int
    headers: Headers
    body: bytes
    reason: str | None = None


class Balancer:
    """One address. Targets come and go by `register`, `drain` and `deregister`, which any thread may call."""

    def __init__(self) -> None:
        self._targets = Targets()
        self._server: _Server | None = None
        self._failures: deque[float] = deque(maxlen=_REMEMBERED)
        self.url = ""

    def start(self, port: int = 0) -> str:
        """Listen and return the URL. Raises `OSError` when the port is in use."""
        self._server = _Server((HOST, port or free_port()), _Handler)
        self._server.balancer = self
        self._server.serve("balancer")
        self.url = f"http://{HOST}:{self._server.server_port}"
        return self.url

    def stop(self) -> None:
        """Stop listening and drop every connection."""
        self._targets.remove()
        if self._server is not None:
            self._server.end()

    def register(self, host: str, port: int, path: str) -> Target:
        """Add an address whose health is checked at `path`; the returned target shows its result."""
        target = Target(host, port, path)
        self._targets.add(target)
        threading.Thread(target=self._watch, args=(target,), daemon=True).start()
        return target

    def drain(self, target: Target) -> None:
        """Send no new request to a target; its `drained` is true when the last one has ended."""
        self._targets.drain(target)

    def deregister(self, target: Target) -> None:
        """Forget a target."""
        self._targets.remove(target)

    def failed(self, seconds: float) -> int:
        """Return how many requests were answered with 5xx in the last so many seconds, by a target or in its place."""
        since = time.monotonic() - seconds
        return sum(1 for moment in self._failures.copy() if moment >= since)

    def answer(self, method: str, path: str, headers: Headers, body: bytes) -> _Answer:
        """Answer one request, by a target or in its place."""
        answer = self._served(method, path, headers, body)
        if answer.status >= 500:
            self._failures.append(time.monotonic())
        return answer

    def _served(self, method: str, path: str, headers: Headers, body: bytes) -> _Answer:
        tried: set[Target] = set()
        while (target := self._targets.take(tried)) is not None:
            tried.add(target)
            try:
                return _ask(target, method, path, headers, body)
            except _NotDelivered:
                target.refused()
            except TimeoutError:
                return _plain(504, "the target did not answer in time")
            except (OSError, HTTPException, ValueError):
                return _plain(502, "the target ended before it had answered")
            finally:
                self._targets.ended(target)
        return _plain(503, "no target is healthy")

    def _watch(self, target: Target) -> None:
        while target in self._targets:
            target.checked(healthy=_healthy(target))
            calm = target.health is Health.HEALTHY and not target.failures
            time.sleep(_CALM_SECONDS if calm else _EAGER_SECONDS)


class _NotDelivered(Exception):
    """Nothing of a request reached the target: another may have it."""


class _Server(KeptAliveServer):
    balancer: Balancer


class _Handler(KeptAliveHandler):
    server: _Server

    def serve(self) -> None:
        """Answer one request; one that could be understood in two ways is refused."""
        body = self.body()
        if body is None or self.headers.defects:
            self.send_error(400)
            return
        self.reply(*self.server.balancer.answer(self.command, self.path, self.headers.items(), body))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve  # noqa: N815


def _ask(
    target: Target, method: str, path: str, headers: Headers, body: bytes, seconds: float = _ANSWER_SECONDS
) -> _Answer:
    connection = HTTPConnection(target.host, target.port, timeout=_CONNECT_SECONDS)
    try:
        try:
            connection.connect()
        except OSError as error:
            raise _NotDelivered from error
        connection.sock.settimeout(seconds)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        own = {**_OWN, "Content-Length": str(len(body))} if body or method not in ("GET", "HEAD") else _OWN
        for name, value in (*_end_to_end(headers, "expect", "content-length", *own), *own.items()):
            connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        content = answer.read()
        dropped = () if method == "HEAD" else ("content-length",)
        kept = _end_to_end(answer.getheaders(), "server", "date", *dropped)
        return _Answer(answer.status, kept, content, answer.reason)
    finally:
        connection.close()


def _end_to_end(headers: Headers, *dropped: str) -> list[tuple[str, str]]:
    given = list(headers)
    named = {part.strip().lower() for n, v in given if n.lower() == "connection" for part in v.split(",")}
    without = _HOP_BY_HOP | named | {name.lower() for name in dropped}
    return [(name, value) for name, value in given if name.lower() not in without]


def _healthy(target: Target) -> bool:
    try:
        answer = _ask(target, "GET", target.path, (("Host", target.host),), b"", _CHECK_SECONDS)
    except (_NotDelivered, OSError, HTTPException):
        return False
    return 200 <= answer.status < 400


def _plain(status: int, message: str) -> _Answer:
    text = f"{status} {HTTPStatus(status).phrase}: {message}\n"
    return _Answer(status, (("Content-Type", "text/plain; charset=utf-8"),), text.encode())
