"""The delay between a change in Atlas and its effect in the cluster: PENDING, then APPLIED.

Changes reach `mongod` in order, each after the delay in force when it was made, or at once when the delay is set to
0. An unavailable server is retried without blocking callers for long; a change that the server refuses is set aside
and reported by name and code, never by content.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from bson.errors import BSONError
from pymongo.errors import OperationFailure, PyMongoError

_RETRY_SECONDS = 0.2
_WAIT_SECONDS = 5.0

_NOT_READY = frozenset({18, 91, 189, 10107, 11600, 11602, 13435, 13436})
"""What a server that is just starting or ending answers: no refusal of the change."""


class _Change(NamedTuple):
    due: float
    name: str
    apply: Callable[[], None]


class Propagation:
    """The queue of one project, applied by a thread of its own."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.refused: list[str] = []
        self._queue: deque[_Change] = deque()
        self._wake = threading.Condition()
        self._applying = threading.Lock()
        self._stopping = False
        self._worker = threading.Thread(target=self._run, name="atlas-propagation", daemon=True)
        self._worker.start()

    @property
    def pending(self) -> int:
        """How many changes the server has yet to learn."""
        return len(self._queue)

    def put(self, name: str, apply: Callable[[], None]) -> None:
        """Queue a change; it is applied `seconds` from now. It may be applied twice, and must bear that."""
        with self._wake:
            self._queue.append(_Change(time.monotonic() + self.seconds, name, apply))
            self._wake.notify()

    def catch_up(self) -> None:
        """With a delay of 0, have all changes applied on return, unless the server does not take them in time."""
        if self.seconds <= 0:
            # Those of before, when there was a delay, go first: they must not hold up this one until they are due.
            self._apply_due(everything=True)

    def settle(self, deadline_seconds: float = 10.0) -> bool:
        """Apply everything now, whether due or not; False when the server does not answer in time."""
        deadline = time.monotonic() + deadline_seconds
        while not self._apply_due(everything=True, wait_seconds=deadline_seconds):
            if time.monotonic() > deadline:
                return False
            time.sleep(_RETRY_SECONDS)
        return True

    def stop(self, deadline_seconds: float = 5.0) -> bool:
        """End the worker and apply what is pending; False when the server did not take it in time."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._worker.join(deadline_seconds)
        return self.settle(deadline_seconds)

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._stopping:
                    return
                wait = self._queue[0].due - time.monotonic() if self._queue else None
                if wait is None or wait > 0:
                    self._wake.wait(wait)
                    continue
            if not self._apply_due(everything=False):
                time.sleep(_RETRY_SECONDS)

    def _apply_due(self, *, everything: bool, wait_seconds: float = _WAIT_SECONDS) -> bool:
        """Apply in order what is due; False when the server does not answer and something is left."""
        if not self._applying.acquire(timeout=wait_seconds):
            return False
        try:
            while self._queue and (everything or self._queue[0].due <= time.monotonic()):
                if not self._apply(self._queue[0]):
                    return False
                self._queue.popleft()
            return True
        finally:
            self._applying.release()

    def _apply(self, change: _Change) -> bool:
        """Apply a change or set it aside as refused; False when the server does not answer."""
        try:
            change.apply()
        except OperationFailure as error:
            if error.timeout or error.code in _NOT_READY:
                return False
            self.refused.append(f"{change.name} refused by the server with code {error.code}")
        except BSONError as error:
            self.refused.append(f"{change.name} cannot be sent ({type(error).__name__})")
        except PyMongoError:
            return False
        return True
