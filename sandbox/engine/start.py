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


def patient() -> None:
    """Looks for garbage rarely; there is little of it in a process that lives for one run."""
    gc.set_threshold(50_000, 20, 100)


def outlive_nobody(end: Callable[[], object]) -> None:
    """Calls `end` once the engine's end of our input is gone: a killed engine leaves nothing behind."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        end()

    threading.Thread(target=wait, daemon=True).start()


def _interrupt() -> None:
    """The SDK's hosts stop serving at SIGINT; a call in progress, a rollout perhaps, still comes to its end."""
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    patient()
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # ignored where the engine runs in the background
    outlive_nobody(_interrupt)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
