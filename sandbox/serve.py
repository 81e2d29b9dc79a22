"""The supervisor process, `python -m sandbox.serve`: holds the directory's lock and serves until a signal."""

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
from sandbox.mongod.process import MongodError
from sandbox.processes import ProcessRecord
from sandbox.supervisor import Supervisor
from sandbox.world import Options, SandboxError

_LOG = logging.getLogger("sandbox.serve")
_WATCH_SECONDS = 1.0


class _Redacting(logging.Formatter):
    """Formats a record, its traceback too, and masks what has the form of a secret."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def main(arguments: Sequence[str]) -> int:
    """Run until a signal; return 0, or 1 when the start failed.

    Takes a directory, `Options` as JSON, the descriptor on which to report the start, and that of the directory's lock.
    """
    given, options, ready, lock_file = arguments
    directory, ready_fd = Path(given).resolve(), int(ready)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    own = ProcessRecord.of("supervisor", os.getpid())
    try:
        lock = DirectoryLock.adopted(directory, int(lock_file))
        supervisor = Supervisor(directory, Options(**json.loads(options)), own)
        supervisor.start()
    except (SandboxError, MongodError, EmulatorError, OSError) as error:
        _say(ready_fd, {"error": redact(str(error))})
        _LOG.error("not started: %s", error)
        return 1
    except Exception as error:  # noqa: BLE001 - the starter must hear of it, whatever it is
        _say(ready_fd, {"error": f"the sandbox failed to start ({type(error).__name__})"})
        _LOG.exception("not started")
        return 1
    _say(ready_fd, {"ok": True})
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


def _say(descriptor: int, message: dict[str, object]) -> None:
    with suppress(OSError), os.fdopen(descriptor, "w") as pipe:
        pipe.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    sys.stdout.flush()
    code = main(sys.argv[1:])
    logging.shutdown()
    # Threads of libraries may still wait for something; everything of ours has ended.
    os._exit(code)
