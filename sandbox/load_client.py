"""A small keep-alive HTTP/1.1 client for the load; it sends no request twice."""

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.http_messages import Malformed, read_answer

_CONNECT_SECONDS = 5.0
_IDLE_SECONDS = 20.0
"""A connection that rested longer is not used again: the balancer closes it after a minute."""
_LIMIT = 1024 * 1024


class Unanswered(Exception):
    """A request got no answer; the message says why, in a few words."""


@dataclass(frozen=True)
class Answer:
    """An answer: its status, the revision that gave it ("" when it does not say) and its body."""

    status: int
    revision: str
    body: bytes


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    rested: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether the other side still seems to be there."""
        fresh = time.monotonic() - self.rested < _IDLE_SECONDS
        return fresh and not self.reader.at_eof() and not self.writer.is_closing()


class Client:
    """Asks one address. Everything runs on one event loop."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._resting: deque[_Connection] = deque()

    async def ask(self, method: str, path: str, body: bytes, seconds: float) -> Answer:
        """Send one request. Raises `Unanswered`."""
        try:
            async with asyncio.timeout(seconds):
                return await self._ask(method, path, body)
        except TimeoutError:
            raise Unanswered(f"no answer within {seconds:.0f} s") from None
        except (OSError, EOFError) as error:
            raise Unanswered(_why(error)) from None
        except Malformed as error:
            raise Unanswered(f"no HTTP answer: {error}") from None

    def close(self) -> None:
        """Let every connection go."""
        while self._resting:
            self._resting.pop().writer.close()

    async def _ask(self, method: str, path: str, body: bytes) -> Answer:
        connection = await self._connected()
        kept = False
        try:
            head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            if body or method == "POST":
                head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            connection.writer.write(head.encode() + b"\r\n" + body)
            await connection.writer.drain()
            answer = await read_answer(connection.reader, method)
            headers = {name.lower(): value for name, value in answer.headers}
            kept = headers.get(b"connection", b"").lower() != b"close" and answer.length is not None
            return Answer(answer.status, headers.get(b"x-task-revision", b"").decode("latin-1"), answer.body)
        finally:
            if kept:
                connection.rested = time.monotonic()
                self._resting.append(connection)
            else:
                with suppress(OSError):
                    connection.writer.close()

    async def _connected(self) -> _Connection:
        while self._resting:
            # The last one that rested: few connections do most of the work.
            connection = self._resting.pop()
            if connection.usable:
                return connection
            connection.writer.close()
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(self._host, self._port, limit=_LIMIT)
        return _Connection(reader, writer)


def _why(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "the connection was closed without an answer"
    return str(getattr(error, "strerror", "") or type(error).__name__)
