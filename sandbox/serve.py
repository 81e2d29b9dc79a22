"""The supervisor process, `python -m sandbox.serve DIR`: holds the directory's lock and serves until a signal."""

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from atlas_access.base import redact
from sandbox.atlas import EmulatorError
from sandbox.lock import DirectoryLock
from sandbox.mongod import MongodError
from sandbox.processes import ProcessRecord
from sandbox.supervisor import Supervisor
from sandbox.world import Options, SandboxError

_LOG = logging.getLogger("sandbox.serve")
_WATCH_SECONDS = 1.0


class _Redacting(logging.Formatter):
    """Formats a record, its traceback too, and masks what has the form of a secret."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal; return 0, or 1 when the start failed."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.serve", description="A sandbox's supervisor process."
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--options", default="{}", help="as JSON, see sandbox.world.Options")
    parser.add_argument("--ready-fd", type=int, help="where to say that everything is up, or why not")
    parser.add_argument("--lock-fd", type=int, help="the directory's lock, when the starter holds it already")
    given = parser.parse_args(arguments)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    directory = given.directory.resolve()
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    own = ProcessRecord.of("supervisor", os.getpid())
    try:
        lock = (
            DirectoryLock.adopted(directory, given.lock_fd)
            if given.lock_fd
            else DirectoryLock.take(directory)
        )
        supervisor = Supervisor(directory, Options(**json.loads(given.options)), own)
        supervisor.start()
    except (SandboxError, MongodError, EmulatorError, OSError) as error:
        _say(given.ready_fd, {"error": redact(str(error))})
        _LOG.error("not started: %s", error)
        return 1
    except Exception as error:  # noqa: BLE001 - the starter must hear of it, whatever it is
        _say(given.ready_fd, {"error": f"the sandbox failed to start ({type(error).__name__})"})
        _LOG.exception("not started")
        return 1
    _say(given.ready_fd, {"ok": True})
    _LOG.info("up")
    _serve(supervisor, stop)
    supervisor.stop()
    lock.release()
    _LOG.info("down")
    return 0


def _serve(supervisor: Supervisor, stop: threading.Event) -> None:
    reported: set[str] = set()
    while not stop.wait(_WATCH_SECONDS):
        for name in set(supervisor.dead()) - reported:
            reported.add(name)
            _LOG.error("mongod %s has ended by itself", name)


def _say(descriptor: int | None, message: dict[str, object]) -> None:
    if descriptor is None:
        return
    with suppress(OSError), os.fdopen(descriptor, "w") as pipe:
        pipe.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    sys.stdout.flush()
    code = main()
    logging.shutdown()
    # Threads of libraries may still wait for something; everything of ours has ended.
    os._exit(code)
