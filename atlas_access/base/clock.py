"""The time that rollouts and soaks go by. In the sandbox, and nowhere else, it can be advanced.

The advance is a number of seconds in a file of the sandbox's own directory; outside sandbox mode that file is never
inspected. The time by which a running rollout waits does not move.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas_access.base.endpoints import Endpoints

_FILE = "clock"
_LENGTH = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class ClockRefused(ValueError):
    """The clock can be advanced in the sandbox only."""


@dataclass(frozen=True)
class Clock:
    """Wall time, a steady time and a pause; `advanced` are the seconds that a sandbox's soak has waited."""

    advanced: float = 0.0

    def wall(self) -> float:
        """Unix seconds, for what other runs read."""
        return time.time() + self.advanced

    def tick(self) -> float:
        """Seconds that only go forward, for deadlines."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """Sleep; whoever pauses holds a deadline of its own."""
        time.sleep(seconds)


def clock_for(environment: Mapping[str, str], endpoints: Endpoints) -> Clock:
    """The clock of this process: advanced by what the sandbox's file says, in sandbox mode only."""
    directory = environment.get("ATLAS_ACCESS_SANDBOX_DIR", "")
    if not endpoints.sandbox or not directory:
        return Clock()
    return Clock(advanced(Path(directory)))


def advance(directory: Path, seconds: float) -> float:
    """Advance the clock of the sandbox in `directory`; return by how much it is advanced in all.

    Raises:
        ClockRefused: there is no sandbox in that directory, or time would go back.
    """
    if not (directory / "sandbox.json").is_file():
        raise ClockRefused(f"{directory} holds no sandbox: the clock can be advanced in the sandbox only")
    if seconds < 0:
        raise ClockRefused("the clock only goes forward")
    total = advanced(directory) + seconds
    # Written whole: a rollout that reads meanwhile sees the old time or the new one.
    fresh = directory / f".{_FILE}.{os.getpid()}"
    fresh.write_text(f"{total}\n", encoding="utf-8")
    fresh.replace(directory / _FILE)
    return total


def seconds_of(length: str) -> float:
    """Seconds of a length of time such as `30m`. Raises `ClockRefused`."""
    found = _LENGTH.fullmatch(length.strip())
    if found is None:
        raise ClockRefused(f"{length!r} is no length of time: write it as 90s, 30m, 2h or 1d")
    return float(int(found["count"]) * _UNITS[found["unit"]])


def advanced(directory: Path) -> float:
    """By how many seconds the sandbox's clock is advanced."""
    try:
        return max(0.0, float((directory / _FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return 0.0
