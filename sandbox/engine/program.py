"""The program's process: `python -m sandbox.engine.program`, in the program's own folder.

Reads one line of JSON (the engine's addresses and the stack's settings), runs `__main__.py` as Pulumi's language host
does, and exits 0, or 1 after reporting the error. A RunError is reported without a traceback.
"""

import asyncio
import contextlib
import json
import linecache
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi
from pulumi import runtime

from sandbox.engine.start import collect_rarely, exit_with_engine


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
        if path.is_relative_to(here) and ".venv" not in path.parts
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
    if not isinstance(error, SystemExit):
        linecache.checkcache()
        lines = traceback.format_exception(error)
        pulumi.log.debug("".join(lines))
    pulumi.log.error(_line(error))


def main() -> int:
    """Runs the program; the exit code."""
    collect_rarely()
    settings = json.loads(sys.stdin.readline())
    exit_with_engine(lambda: os._exit(1))
    runtime.set_all_config(settings["config"])
    runtime.configure(runtime.Settings(**settings["runtime"], root_directory=str(Path.cwd())))
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    sys.argv = ["__main__.py"]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(settings["runtime"]["parallel"], 1) * 4))

    def program() -> None:
        runpy.run_path("__main__.py", run_name="__main__")

    try:
        loop.run_until_complete(runtime.run_in_stack(program))
    except BaseException as error:  # noqa: BLE001 - reports whatever ended the program
        with contextlib.suppress(Exception):
            _report(error)
        return 1
    return 0


if __name__ == "__main__":
    result = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads may still wait for answers that will never come; everything that matters is with the engine.
    os._exit(result)
