"""`python -m sandbox.engine.start MODULE [ARGUMENT...]`: runs a host of Pulumi's SDK, for as long as the engine lives.

Garbage collection runs rarely: importing the SDKs makes many lasting objects, whose scans are a quarter of the start.
"""

import gc
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable


def collect_rarely() -> None:
    """Collects garbage rarely: a process that lives for one run has little."""
    gc.set_threshold(50_000, 20, 100)


def exit_with_engine(end: Callable[[], object]) -> None:
    """Calls `end` when the engine closes our input, as it does when it is killed."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        end()

    threading.Thread(target=wait, daemon=True).start()


def _interrupt() -> None:
    """Stops the SDK's host by SIGINT, after the call in progress."""
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    collect_rarely()
    # It is ignored where the engine runs in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    exit_with_engine(_interrupt)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
