"""An HTTP client for the load, with kept connections; it sends no request twice."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from urllib3 import HTTPConnectionPool, Timeout, connection_from_url
from urllib3.exceptions import HTTPError, ReadTimeoutError

_CONNECT_SECONDS = 5.0


class Unanswered(Exception):
    """A request got no answer; the message says why, in a few words."""


@dataclass(frozen=True)
class Answer:
    """An answer: its status, the revision that gave it ("" when it does not say) and its body."""

    status: int
    revision: str
    body: bytes


class Client:
    """Asks one address, with `at_once` requests at most."""

    def __init__(self, url: str, at_once: int) -> None:
        self._pool: HTTPConnectionPool = connection_from_url(url, maxsize=at_once)
        self._threads = ThreadPoolExecutor(at_once)

    async def ask(self, method: str, path: str, body: bytes, seconds: float) -> Answer:
        """Send one request. Raises `Unanswered`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._ask, method, path, body, seconds)

    def close(self) -> None:
        """Let every connection go."""
        self._threads.shutdown(wait=False)
        self._pool.close()

    def _ask(self, method: str, path: str, body: bytes, seconds: float) -> Answer:
        headers = {"Content-Type": "application/json"} if body else {}
        timeout = Timeout(connect=_CONNECT_SECONDS, read=seconds)
        try:
            answer = self._pool.urlopen(
                method, path, body or None, headers, retries=False, redirect=False, timeout=timeout
            )
        except ReadTimeoutError:
            raise Unanswered(f"no answer within {seconds:.0f} s") from None
        except (HTTPError, OSError) as error:
            raise Unanswered(f"no answer: {type(error).__name__}") from None
        return Answer(answer.status, answer.headers.get("X-Task-Revision", ""), answer.data)
