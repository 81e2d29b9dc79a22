"""A lock file beside a stack's state that names its holder; the system releases it when the holder dies."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from sandbox.engine.errors import EngineError
from sandbox.engine.state import now


@contextlib.contextmanager
def locked(state_file: Path, operation: str) -> Iterator[None]:
    """Holds the lock of `state_file` while the block runs; raises EngineError with the holder's name."""
    state_file.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(state_file.with_name(f"{state_file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(file, 200, 0).decode(errors="replace") or "another run"
            raise EngineError(
                f"stack {state_file.stem} is in use by {holder}; wait until it ends, or end that process"
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{operation} of process {os.getpid()}, since {now()}".encode(), 0)
        try:
            yield
        finally:
            # A child that is just being started may hold the descriptor for a moment.
            fcntl.flock(file, fcntl.LOCK_UN)
    finally:
        os.close(file)
