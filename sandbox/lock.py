"""A directory's lock, held by its supervisor for life; a leftover lock file shows an unclean end."""

import fcntl
import os
from pathlib import Path

from sandbox.world import SandboxError


class DirectoryLock:
    """The held lock of a directory; `file` is given to the supervisor, who keeps it when the starter lets go."""

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self.file = file

    @classmethod
    def take(cls, directory: Path) -> "DirectoryLock":
        """Take the lock. Raises `SandboxError` when a sandbox runs here."""
        path = directory / "lock"
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise SandboxError(
                f"a sandbox already runs in {directory}: use it, end it with `atlas-access sandbox down`, "
                "or choose another directory with --dir"
            ) from None
        return cls(path, file)

    @classmethod
    def adopted(cls, directory: Path, file: int) -> "DirectoryLock":
        """Return the lock that the starter took and handed over."""
        return cls(directory / "lock", file)

    def hand_over(self, holder: str) -> None:
        """Write who holds the lock from now on, and close this process's descriptor: the holder inherited it."""
        os.ftruncate(self.file, 0)
        os.pwrite(self.file, holder.encode(), 0)
        self.let_go()

    def let_go(self) -> None:
        """Close this process's descriptor; whoever inherited it still holds the lock."""
        os.close(self.file)

    def release(self) -> None:
        """Remove the file and give the lock up."""
        self._path.unlink(missing_ok=True)
        os.close(self.file)


def is_held(directory: Path) -> bool:
    """Whether a live process holds the lock."""
    try:
        file = os.open(directory / "lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
