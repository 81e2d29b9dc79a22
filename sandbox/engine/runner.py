"""Runs one operation on one stack in a process of its own, and passes on its events until it ends.

That process is forked from one that has imported Pulumi's SDKs: they are imported once, for all runs of a caller.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

from sandbox.engine.errors import EngineError
from sandbox.engine.events import Event, said
from sandbox.engine.request import EngineRequest, EngineResult, check

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["sandbox.engine.preload"])
_LEFT_SECONDS = 2.0  # how long what the program started may take to end by itself


def run(request: EngineRequest, on_event: Callable[[Event], None] = lambda _: None) -> EngineResult:
    """Runs one operation; failures are in the result's `error`. A preview takes no lock and writes nothing."""
    try:
        check(request)
        ours, theirs = _PROCESSES.Pipe()
        process = _PROCESSES.Process(target=_host, args=(theirs, request), name=f"engine {request.stack}")
        with _interrupts_go_to(ours):
            process.start()
            theirs.close()
            result = _followed(ours, on_event)
            process.join()
        if process.pid is not None:
            _end_group(process.pid)
    except (EngineError, OSError) as failure:
        return _failed(str(failure), on_event)
    ended = f"the program or a provider of it ended the run: it {_how(process.exitcode)}"
    return result or _failed(ended, on_event)


def _failed(error: str, on_event: Callable[[Event], None]) -> EngineResult:
    _pass_on(said("error", error), on_event)
    return EngineResult(ok=False, error=error, changes={}, outputs={})


def _host(pipe: Connection, request: EngineRequest) -> None:
    """What the new process runs; imported there alone, because it needs Pulumi's SDK."""
    from sandbox.engine import host

    host.serve(pipe, request)


def _followed(pipe: Connection, on_event: Callable[[Event], None]) -> EngineResult | None:
    """Passes on the events of a run; its result, None if its process ended without one."""
    with pipe, contextlib.suppress(EOFError, ConnectionError):
        while not isinstance(message := pipe.recv(), EngineResult):
            _pass_on(message, on_event)
        return message
    return None


def _pass_on(event: Event, on_event: Callable[[Event], None]) -> None:
    """A listener's closed pipe does not fail the run."""
    with contextlib.suppress(BrokenPipeError):
        on_event(event)


@contextlib.contextmanager
def _interrupts_go_to(pipe: Connection) -> Iterator[None]:
    """Passes on SIGINT and SIGTERM while the block runs; only the main thread receives them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        with contextlib.suppress(OSError):
            pipe.send("interrupt")

    before = [
        (number, signal.signal(number, interrupt))
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _end_group(group: int) -> None:
    """Ends what the program started, a browser for example, if it does not end by itself."""
    until = time.monotonic() + _LEFT_SECONDS
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < until:
            os.killpg(group, 0)
            time.sleep(0.02)
        os.killpg(group, signal.SIGKILL)


def _how(code: int | None) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code and code < 0 else f"exited with code {code}"
