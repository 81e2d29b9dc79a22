"""A balancer's targets: added, health-checked, drained, removed, all on the balancer's event loop.

A target is new until its first good health check, and receives no new request once it drains.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

_EAGER_SECONDS = 0.05
_CALM_SECONDS = 1.0
_FAILURES = 3


class Health(Enum):
    """What health checks say of a target; `NEW` until the first good one."""

    NEW = "new"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(eq=False)
class Target:
    """One address behind a balancer. `drained` becomes true once it drains and the last request has ended."""

    host: str
    port: int
    path: str
    health: Health = Health.NEW
    draining: bool = False
    drained: bool = False
    in_flight: int = 0
    failures: int = 0
    checks: "asyncio.Task[None] | None" = field(default=None, repr=False)

    @property
    def serving(self) -> bool:
        """Whether a new request may go there."""
        return self.health is Health.HEALTHY and not self.draining

    def ended(self) -> None:
        """Count a request's end."""
        self.in_flight -= 1
        self.settle()

    def settle(self) -> None:
        """Note that the target is drained, when it is."""
        self.drained = self.draining and self.in_flight == 0

    def failed(self, times: int = 1) -> None:
        """Count failed checks in a row; a target that was healthy stays so for a few."""
        self.failures += times
        if self.health is Health.HEALTHY and self.failures >= _FAILURES:
            self.health = Health.UNHEALTHY

    def refused(self) -> None:
        """Note that nothing listens there any more: the next request need not find out again."""
        self.failed(_FAILURES)


class Targets:
    """The targets of one balancer, each tried in turn."""

    def __init__(self, check: Callable[[Target], Awaitable[bool]]) -> None:
        self._check = check
        self._targets: list[Target] = []
        self._turn = 0

    def add(self, target: Target) -> None:
        """Begin to check a target; it serves from its first good check on."""
        self._targets.append(target)
        target.checks = asyncio.get_running_loop().create_task(self._watch(target))

    def drain(self, target: Target) -> None:
        """Send nothing new there."""
        target.draining = True
        target.settle()

    def remove(self, target: Target) -> None:
        """Forget a target."""
        if target.checks is not None:
            target.checks.cancel()
        if target in self._targets:
            self._targets.remove(target)

    def clear(self) -> None:
        """Forget every target."""
        for target in list(self._targets):
            self.remove(target)

    def next(self, tried: set[Target]) -> Target | None:
        """Return the next untried target in turn, or None; as in an ALB, unhealthy ones serve when no other is left."""
        left = [target for target in self._targets if not target.draining and target not in tried]
        able = [target for target in left if target.serving]
        able = able or [target for target in left if target.health is Health.UNHEALTHY]
        if not able:
            return None
        self._turn += 1
        return able[self._turn % len(able)]

    async def _watch(self, target: Target) -> None:
        while True:
            if await self._check(target):
                target.failures = 0
                target.health = Health.HEALTHY
            else:
                target.failed()
            calm = target.health is Health.HEALTHY and not target.failures
            await asyncio.sleep(_CALM_SECONDS if calm else _EAGER_SECONDS)
