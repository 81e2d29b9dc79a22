"""A balancer's targets, tried in turn. A target is new until its first good health check."""

import threading
from dataclasses import dataclass
from enum import Enum

_FAILURES = 3


class Health(Enum):
    """What health checks say of a target; `NEW` until the first good one."""

    NEW = "new"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(eq=False)
class Target:
    """One address behind a balancer."""

    host: str
    port: int
    path: str
    health: Health = Health.NEW
    draining: bool = False
    in_flight: int = 0
    failures: int = 0

    @property
    def drained(self) -> bool:
        """Whether it gets no new request and the last one has ended."""
        return self.draining and self.in_flight == 0

    def checked(self, *, healthy: bool) -> None:
        """Take note of a health check; a target that was healthy stays so for a few bad ones."""
        if healthy:
            self.failures, self.health = 0, Health.HEALTHY
        else:
            self.failed()

    def failed(self, times: int = 1) -> None:
        """Count failed checks in a row."""
        self.failures += times
        if self.health is Health.HEALTHY and self.failures >= _FAILURES:
            self.health = Health.UNHEALTHY

    def refused(self) -> None:
        """Note that nothing listens there any more: the next request need not find out again."""
        self.failed(_FAILURES)


class Targets:
    """The targets of one balancer. Methods may be called by any thread."""

    def __init__(self) -> None:
        self._targets: list[Target] = []
        self._turn = 0
        self._lock = threading.Lock()

    def __contains__(self, target: Target) -> bool:
        return target in self._targets

    def add(self, target: Target) -> None:
        """Take a target in; it serves once it is healthy."""
        with self._lock:
            self._targets.append(target)

    def drain(self, target: Target) -> None:
        """Send nothing new there."""
        with self._lock:
            target.draining = True

    def remove(self, *targets: Target) -> None:
        """Forget targets; all of them if none is named."""
        with self._lock:
            self._targets = [each for each in self._targets if targets and each not in targets]

    def take(self, tried: set[Target]) -> Target | None:
        """Count a request on the next untried target; as in an ALB, unhealthy ones serve if no other is left."""
        with self._lock:
            left = [each for each in self._targets if not each.draining and each not in tried]
            able = [each for each in left if each.health is Health.HEALTHY]
            able = able or [each for each in left if each.health is Health.UNHEALTHY]
            if not able:
                return None
            self._turn += 1
            target = able[self._turn % len(able)]
            target.in_flight += 1
            return target

    def ended(self, target: Target) -> None:
        """Count a request's end."""
        with self._lock:
            target.in_flight -= 1
