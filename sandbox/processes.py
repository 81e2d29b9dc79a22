"""The sandbox's own processes: recorded at start, identified by id *and* start time before they are ended."""

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from sandbox.world import write_private

_FILE = "processes.json"
_SAME_MOMENT = 0.05
_DYING_SECONDS = 2.0


@dataclass(frozen=True)
class ProcessRecord:
    """One process: what it is to us, its id, and when it started (seconds since the epoch)."""

    name: str
    pid: int
    started: float

    @classmethod
    def of(cls, name: str, pid: int) -> "ProcessRecord":
        """Record a running process. Raises `psutil.NoSuchProcess` when it is gone already."""
        return cls(name, pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """Return the process while it is alive and still the recorded one."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_MOMENT
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def save(directory: Path, records: Iterable[ProcessRecord]) -> None:
    """Write the records of a sandbox."""
    write_private(directory / _FILE, json.dumps([asdict(record) for record in records]))


def load(directory: Path) -> tuple[ProcessRecord, ...]:
    """Read a sandbox's records; none from a missing or unreadable file. A new supervisor is in the lock file only."""
    known = []
    for name in ("lock", _FILE):
        try:
            entries = json.loads((directory / name).read_text())
            known += [
                ProcessRecord(**entry) for entry in (entries if isinstance(entries, list) else [entries])
            ]
        except (OSError, ValueError, TypeError):
            continue
    return tuple({(record.name, record.pid): record for record in known}.values())


def end(records: Iterable[ProcessRecord], *, grace_seconds: float) -> tuple[str, ...]:
    """Ask the recorded processes to end, end those that do not, and return the names of those that were alive."""
    alive = [(record, process) for record in records if (process := record.process()) is not None]
    for _, process in alive:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _wait([record for record, _ in alive], grace_seconds)
    kill(record for record, _ in alive)
    return tuple(record.name for record, _ in alive)


def kill(records: Iterable[ProcessRecord]) -> tuple[str, ...]:
    """End the recorded processes at once, when nothing they hold is to be kept; return the names of those alive."""
    alive = [(record, process) for record in records if (process := record.process()) is not None]
    for _, process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait([record for record, _ in alive], _DYING_SECONDS)
    return tuple(record.name for record, _ in alive)


def _wait(records: list[ProcessRecord], seconds: float) -> None:
    """Wait until all have ended. One that has, but that its parent has yet to notice, counts as ended."""
    deadline = time.monotonic() + seconds
    while any(record.process() is not None for record in records) and time.monotonic() < deadline:
        time.sleep(0.01)
