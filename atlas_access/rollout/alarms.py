"""The CloudWatch alarms of `smoke.yaml` that a rollout and a soak watch.

ALARM is red. INSUFFICIENT_DATA, and what cannot be read, is unknown: it is reported, and nothing is green before OK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from atlas_access.base import Clock, ManifestInvalid
from atlas_access.clients import Alarm
from atlas_access.smoke import load_smoke

ASKED_SECONDS = 5.0
"""How old an answer of CloudWatch may be; alarms themselves are evaluated every ten seconds at most."""


def alarm_names(stack: str, folder: Path) -> tuple[str, ...]:
    """The alarms that `smoke.yaml` names for a stack; () where there is no such file, or one that the gates refuse."""
    try:
        smoke = load_smoke((folder / "smoke.yaml").read_bytes())
    except (OSError, ManifestInvalid):
        return ()
    return tuple(each.replace("{env}", stack) for each in smoke.alarms)


@dataclass
class Watched:
    """Alarms, asked again once their answer is `ASKED_SECONDS` old."""

    ask: Callable[[], tuple[Alarm, ...]]
    clock: Clock
    _found: tuple[Alarm, ...] = ()
    _next: float = field(default=float("-inf"))

    def __call__(self) -> tuple[Alarm, ...]:
        """What CloudWatch answered last."""
        now = self.clock.tick()
        if now >= self._next:
            self._found, self._next = self.ask(), now + ASKED_SECONDS
        return self._found


def red(alarms: Iterable[Alarm], before: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """A line for each alarm in ALARM, but for those that were so `before`."""
    return tuple(str(each) for each in alarms if each.ok is False and each.name not in before)


def unsettled(alarms: Iterable[Alarm]) -> tuple[str, ...]:
    """A line for each alarm that is not OK."""
    return tuple(str(each) for each in alarms if not each.ok)


def names_red(alarms: Iterable[Alarm]) -> frozenset[str]:
    """The names of those in ALARM."""
    return frozenset(each.name for each in alarms if each.ok is False)
