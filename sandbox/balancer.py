"""A load balancer on loopback: HTTP/1.1 in front of the tasks of one service.

Requests go to healthy targets in turn; a target that refuses the connection is skipped, since it received nothing. As
with an Application Load Balancer, unhealthy targets serve if no other is left, and without targets the answer is 503.
"""

import asyncio
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from sandbox.http_messages import (
    Malformed,
    Request,
    TooLarge,
    forwarded,
    plain,
    read_answer,
    read_request,
    relayed,
)
from sandbox.ports import HOST, free_port
from sandbox.targets import Target, Targets

_CONNECT_SECONDS = 2.0
_CHECK_SECONDS = 5.0
"""As of the container health checks of ECS: a machine that is busy is not yet a task that is ill."""
_ANSWER_SECONDS = 60.0
_IDLE_SECONDS = 60.0
_STOP_SECONDS = 2.0
_LIMIT = 65536
_FAILED = 500
_REMEMBERED = 100_000


class Balancer:
    """One address. Targets come and go by `register`, `drain` and `deregister`, which any thread may call."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._targets = Targets(_healthy)
        self._clients: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._thread: threading.Thread | None = None
        self._failures: deque[float] = deque(maxlen=_REMEMBERED)
        self.url = ""

    def start(self, port: int = 0) -> str:
        """Listen and return the URL. Raises `OSError` when the port is in use."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port or free_port()))
        except OSError:
            listener.close()
            raise
        self._thread = threading.Thread(target=self._loop.run_forever, name="balancer", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(listener), self._loop).result(_STOP_SECONDS)
        self.url = f"http://{HOST}:{listener.getsockname()[1]}"
        return self.url

    def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._thread is None:
            return
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        if not self._loop.is_running():
            self._loop.close()
        self._thread = None

    def register(self, host: str, port: int, path: str) -> Target:
        """Add an address whose health is checked at `path`; the returned target shows its result."""
        target = Target(host, port, path)
        self._soon(lambda: self._targets.add(target))
        return target

    def drain(self, target: Target) -> None:
        """Send no new request to a target; its `drained` is set when the last one has ended."""
        self._soon(lambda: self._targets.drain(target))

    def deregister(self, target: Target) -> None:
        """Forget a target."""
        self._soon(lambda: self._targets.remove(target))

    def failed(self, seconds: float) -> int:
        """Return how many requests were answered with 5xx in the last so many seconds, by a target or in its place."""
        since = time.monotonic() - seconds
        return sum(1 for moment in self._failures.copy() if moment >= since)

    def _soon(self, act: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended: nothing is balanced any more
            self._loop.call_soon_threadsafe(act)

    async def _listen(self, listener: socket.socket) -> None:
        self._server = await asyncio.start_server(self._client, sock=listener, limit=_LIMIT, backlog=256)

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        self._targets.clear()
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._clients.add(task)
            task.add_done_callback(self._clients.discard)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError):
            # The caller went away, was idle for too long, or the balancer ends: nobody is left to answer.
            return
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; return whether the connection stays open for the next."""
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                request = await read_request(reader, writer)
        except Malformed as error:
            writer.write(plain(413 if isinstance(error, TooLarge) else 400, str(error)))
            await writer.drain()
            return False
        if request is None:
            return False
        status, answer = await self._served(request)
        if status >= _FAILED:
            self._failures.append(time.monotonic())
        writer.write(answer)
        await writer.drain()
        return request.keep_alive

    async def _served(self, request: Request) -> tuple[int, bytes]:
        tried: set[Target] = set()
        while (target := self._targets.next(tried)) is not None:
            tried.add(target)
            # Counted before anything is awaited, so that a drain that begins now waits for this request.
            target.in_flight += 1
            try:
                return await _ask(target, request)
            except _NotDelivered:
                target.refused()
            except TimeoutError:
                return 504, plain(504, "the target did not answer in time", keep_alive=request.keep_alive)
            except (OSError, EOFError, Malformed):
                return 502, plain(
                    502, "the target ended before it had answered", keep_alive=request.keep_alive
                )
            finally:
                target.ended()
        return 503, plain(503, "no target is healthy", keep_alive=request.keep_alive)


class _NotDelivered(OSError):
    """Nothing of a request reached the target: another may have it."""


async def _ask(target: Target, request: Request) -> tuple[int, bytes]:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(target.host, target.port, limit=_LIMIT)
    except (OSError, TimeoutError) as error:
        raise _NotDelivered from error
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            writer.write(forwarded(request, f"{target.host}:{target.port}"))
            await writer.drain()
            answer = await read_answer(reader, request.method)
        return answer.status, relayed(answer, keep_alive=request.keep_alive)
    finally:
        writer.close()


async def _healthy(target: Target) -> bool:
    check = Request("GET", target.path, (), b"", keep_alive=False)
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            status, _ = await _ask(target, check)
    except (OSError, EOFError, TimeoutError, Malformed):
        return False
    return 200 <= status < 400
