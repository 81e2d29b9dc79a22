"""Waits out a stack's own soak: its errors, its alarms and its gates, until it has run long enough.

The decision is pure. A spike, an alarm in ALARM or a red gate ends the soak at once; what is unknown is reported and
asked again, and only stops the end from being green.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from atlas_access.base import Clock, Endpoints, Phase, Settings, clock_for, redact
from atlas_access.rollout.gates import NOT_RUN, UNGATED, Gates, Round, safely
from atlas_access.rollout.model import short
from atlas_access.rollout.observe_soak import Preceding, observed
from atlas_access.rollout.open_incident import StopLine
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.service_tags import ServiceTags
from atlas_access.rollout.smoke_gates import AnotherStack, UnusableGates
from atlas_access.rollout.soak import Errors, ObservedSoak, named, refusals
from atlas_access.rollout.stack import follower
from atlas_access.rollout.wiring import gates_for
from atlas_access.smoke import letting_go

POLL_SECONDS, SANDBOX_POLL_SECONDS = 60.0, 0.5
GATES_SECONDS = 600.0
"""Between two rounds of the gates 1 to 7; gate 8 sends mail and runs once, at the end."""
LONGEST = 2
"""How many times the soak's length is waited at most: each new deployment of the service begins the soak anew."""


@dataclass(frozen=True)
class Soak:
    """What a watch has learnt: the last look, and what the gates said last, None before they were asked."""

    look: ObservedSoak | str
    needed: int
    gates: Round | None = None

    @property
    def red(self) -> tuple[str, ...]:
        """What ends the soak."""
        if isinstance(self.look, str):
            return ()
        reasons = [
            f"{each.name}: {each.answer.value}: {each.why}"
            for each in self.look.sources
            if each.answer in (Errors.SPIKE, Errors.ALARM)
        ]
        if self.look.service_tags.lease is None and self.look.bound_since is None:
            reasons.append(f"{short(self.look.service.revision)} runs, on which no green rollout ended")
        if self.look.service_tags.held is not None:
            reasons.append("the service was rolled back and is held")
        return (*reasons, *(self.gates.failures if self.gates and not self.gates.unknown else ()))

    @property
    def unclear(self) -> tuple[str, ...]:
        """Why it is not green now; () where it has soaked and every answer is clear."""
        if isinstance(self.look, str):
            return (self.look,)
        return (*refusals(self.look, self.needed), *(self.gates.failures if self.gates else ()))

    @property
    def soaked(self) -> bool:
        """Whether it has run long enough, whatever its sources answered."""
        return isinstance(self.look, ObservedSoak) and self.look.minutes >= self.needed

    def __str__(self) -> str:
        if isinstance(self.look, str):
            return self.look
        runs = short(self.look.service.revision)
        return (
            f"{runs} has soaked {self.look.minutes:.0f} of {self.needed} minutes; {named(self.look.sources)}"
        )


@letting_go
def watch_soak(
    stack: str, settings: Settings, endpoints: Endpoints, tell: Callable[[str], None], *, wait: bool
) -> str:
    """Return in one line how the soak ended, green. Without `wait`, how it is now, with all gates.

    Raises `RolloutFailed` with exit code 1 for what is red, 3 for what is unknown or not yet soaked.
    """
    asks = follower(stack, endpoints) or settings
    before = Preceding.of(stack, settings, "", asks, own=True)

    def look() -> ObservedSoak | str:
        return observed(before, settings.aws_account_id, endpoints, clock_for(os.environ, endpoints))

    if settings.phase is Phase.PROVISION and _unbound(look()):
        return f"{stack}: no soak: nothing is bound in phase provision"

    def asked(*, all_eight: bool) -> Gates | None:
        other = None if all_eight else AnotherStack(signs_up=False)
        gates = gates_for(stack, settings, endpoints, other=other)
        return gates or (None if settings.allow_ungated_rollout else UnusableGates(UNGATED))

    every = SANDBOX_POLL_SECONDS if endpoints.sandbox else POLL_SECONDS
    line = StopLine(stack, settings.github_repository, endpoints, os.environ, tell)
    with line.watching(lambda failure: failure.exit_code == 1):
        return _Watch(stack, before.minutes, look, asked, tell, clock_for(os.environ, endpoints), every).end(
            wait=wait
        )


def _unbound(look: ObservedSoak | str) -> bool:
    return isinstance(look, ObservedSoak) and look.service_tags == ServiceTags()


@dataclass
class _Watch:
    stack: str
    needed: int
    look: Callable[[], ObservedSoak | str]
    gates: Callable[..., Gates | None]
    tell: Callable[[str], None]
    clock: Clock
    every: float = POLL_SECONDS

    def end(self, *, wait: bool) -> str:
        clock, found = self.clock, Soak(self.look(), self.needed)
        last = clock.tick() + LONGEST * self.needed * 60
        gated, said = clock.tick() + GATES_SECONDS, ""
        while wait and not found.soaked and not found.red and clock.tick() < last:
            if str(found) != said:
                said = str(found)
                self.tell(redact(said))
            clock.pause(self.every)
            gates = None
            if clock.tick() >= gated and isinstance(found.look, ObservedSoak):
                gates, gated = self._round(found.look, all_eight=False), clock.tick() + GATES_SECONDS
                self.tell(redact(f"gates 1 to 7: {gates}"))
            found = Soak(self.look(), self.needed, gates)
        if isinstance(found.look, ObservedSoak) and not found.red:
            found = Soak(found.look, self.needed, self._round(found.look, all_eight=True))
        if not found.red and not found.unclear:
            return f"{self.stack}: {found}; gates {found.gates}"
        raise self._failed(found)

    def _round(self, look: ObservedSoak, *, all_eight: bool) -> Round:
        """One round of the gates on what runs, a red one once more."""
        gates = self.gates(all_eight=all_eight)
        if gates is None:
            return NOT_RUN
        refused = gates.refusals()
        if refused:
            return Round(refused, unknown=True)
        found = safely(gates, look.service.revision, lambda: False)
        return found if found.green else safely(gates, look.service.revision, lambda: False)

    def _failed(self, found: Soak) -> RolloutFailed:
        head = "SOAK FAILED" if found.red else "SOAK NOT KNOWN"
        lines = [f"{head}  {self.stack}: {'; '.join(found.red or found.unclear)}", str(found)]
        if found.red:
            lines.append(
                f"Whoever follows {self.stack} is refused. Next: atlas-access rollback {self.stack} "
                "(docs/runbooks/rollback.md), then docs/runbooks/incident.md"
            )
        else:
            lines.append(f"Make what is named readable, or wait; then atlas-access soak {self.stack} --watch")
        return RolloutFailed("\n  ".join(lines), 1 if found.red else 3)
