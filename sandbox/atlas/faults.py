"""Faults injected on request: what fails, on which route, how often."""

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import Field

from sandbox.atlas.models import Record


class Fault(Record):
    """A fault for the requests whose method and path (shell pattern) match, after `skip` of them, `count` times.

    `status` answers with that status instead of acting, or with `commit` after having acted. `drop` closes the
    connection without an answer, before or after having acted. `malformed` cuts the answer's body short.
    """

    method: str = "*"
    path: str = "*"
    count: int = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)
    delay_seconds: float = Field(default=0.0, ge=0.0, le=600.0)
    status: int | None = Field(default=None, ge=400, le=599)
    error_code: str = "INJECTED"
    retry_after: int | None = Field(default=None, ge=0)
    commit: bool = False
    drop: Literal["before", "after"] | None = None
    malformed: bool = False


class PropagationOrder(Record):
    """How long changes take to reach the server from now on, in one project or (without an id) in all."""

    project_id: str | None = None
    seconds: float = Field(ge=0.0, le=600.0)


@dataclass
class _Waiting:
    fault: Fault
    skip: int
    left: int


class Faults:
    """The faults that wait for their requests; the oldest that matches is taken first."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Let a fault wait for its requests."""
        with self._lock:
            self._waiting.append(_Waiting(fault, fault.skip, fault.count))

    def clear(self) -> None:
        """Forget all faults that wait."""
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for this request, if one is due."""
        with self._lock:
            for waiting in self._waiting:
                if not (fnmatchcase(method, waiting.fault.method) and fnmatchcase(path, waiting.fault.path)):
                    continue
                if waiting.skip:
                    waiting.skip -= 1
                    continue
                waiting.left -= 1
                if not waiting.left:
                    self._waiting.remove(waiting)
                return waiting.fault
        return None

    def listing(self) -> list[dict[str, Any]]:
        """List what still waits."""
        with self._lock:
            return [{**w.fault.json_object(), "skip": w.skip, "count": w.left} for w in self._waiting]
