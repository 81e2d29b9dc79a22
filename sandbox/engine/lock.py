"""One run at a time on a stack: a lock file beside its state that names who holds it.

A lock whose process is gone is taken over; a process id that was given out again is told apart by its start time.
Must never end the process that holds a lock.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from sandbox.engine.state import now


class Locked(Exception):
    """Another run holds the stack."""


def _started(pid: int) -> str | None:
    """When the process began, as its kernel counts; None if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return "" if not Path("/proc/self/stat").exists() else None


def _holder(path: Path) -> str | None:
    """Who holds the lock in `path`, or None if it is stale or gone."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        pid, started = int(record["pid"]), str(record["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if _started(pid) != started:
        return None
    return f"{record['operation']} of process {pid}, since {record['since']}"


@contextlib.contextmanager
def locked(state_file: Path, operation: str) -> Iterator[None]:
    """Holds the lock of `state_file` while the block runs; raises Locked with the holder's name."""
    path = state_file.with_name(f"{state_file.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"pid": os.getpid(), "started": _started(os.getpid()), "operation": operation, "since": now()}
    own = path.with_name(f".{path.name}.{os.getpid()}.{id(record)}")
    own.write_text(json.dumps(record), encoding="utf-8")
    try:
        while True:
            try:
                path.hardlink_to(own)  # whole and exclusive at once: nobody ever reads half a lock
                break
            except FileExistsError:
                if holder := _holder(path):
                    raise Locked(
                        f"stack {state_file.stem} is in use by {holder}; wait until it ends, or end that process"
                    ) from None
                _break(path)
    finally:
        own.unlink()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _break(path: Path) -> None:
    """Removes a stale lock: whoever moves it away first looks again, and puts back one that is not stale."""
    aside = path.with_name(f".{path.name}.stale.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.rename(aside)
        if _holder(aside):
            path.hardlink_to(aside)
    aside.unlink(missing_ok=True)
