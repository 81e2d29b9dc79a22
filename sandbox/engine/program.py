"""Runs the program's `__main__.py` in a thread, as Pulumi's language host does, against a monitor in this process.

A RunError is reported without a traceback.
"""

import asyncio
import contextlib
import linecache
import logging
import runpy
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
from pulumi import runtime

from sandbox.engine.request import EngineRequest


class Program:
    """The program, started at once; `ended` is set when it is over, after an error was reported."""

    def __init__(self, request: EngineRequest, monitor: Any, log: Any) -> None:
        self.ended = threading.Event()
        self._request, self._monitor, self._log = request, monitor, log
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        request = self._request
        try:
            runtime.set_all_config(dict(request.config))
            runtime.configure(
                runtime.Settings(
                    project=request.project,
                    stack=request.stack,
                    organization=request.organization,
                    parallel=request.parallel,
                    dry_run=request.dry_run,
                    monitor=self._monitor,
                    engine=self._log,
                    root_directory=str(Path.cwd()),
                )
            )
            logging.getLogger("asyncio").setLevel(logging.CRITICAL)
            sys.argv = ["__main__.py"]
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            # A program of hundreds of resources queues its calls.
            loop.set_default_executor(ThreadPoolExecutor(max_workers=max(request.parallel, 1) * 4))
            loop.run_until_complete(
                runtime.run_in_stack(lambda: _nothing(runpy.run_path("__main__.py", run_name="__main__")))
            )
        except BaseException as error:  # noqa: BLE001 - reports whatever ended the program
            with contextlib.suppress(Exception):
                _report(error)
        self.ended.set()


def _nothing(_: object) -> None:
    """Discards what a program's module leaves behind."""


def _line(error: BaseException) -> str:
    """The error as one line: what, and where in the program."""
    here = str(Path.cwd())
    places = [
        (Path(frame.filename).resolve(), frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<")
    ]
    own = [
        (path.relative_to(here), line)
        for path, line in places
        if path.is_relative_to(here)
        and ".venv" not in path.parts
        and Path(__file__).parent not in path.parents
    ]
    place = f" ({own[-1][0]}:{own[-1][1]})" if own else ""
    text = " ".join(str(error).split())
    if isinstance(error, SystemExit):
        return f"it called exit({error.code!r}) before it was done{place}"
    return f"{type(error).__name__}: {text}{place}" if text else f"{type(error).__name__}{place}"


def _report(error: BaseException) -> None:
    if isinstance(error, pulumi.RunError):
        if "monitor has terminated" not in str(error):
            pulumi.log.error(str(error))
        return
    linecache.checkcache()
    pulumi.log.error(_line(error))
