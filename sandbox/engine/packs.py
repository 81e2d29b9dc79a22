"""A policy pack's process, forked before the engine has threads or connections, because it must not share them."""

import contextlib
import io
import json
import multiprocessing
import os
import runpy
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from sandbox.engine.errors import EngineError
from sandbox.engine.request import EngineRequest

_START_SECONDS = 30.0


class Pack:
    """The process of one pack; it names the port where it serves, and ends with this process."""

    def __init__(self, folder: Path, request: EngineRequest) -> None:
        if not (folder / "PulumiPolicy.yaml").is_file():
            raise EngineError(f"{folder} has no PulumiPolicy.yaml; point to the folder of a policy pack")
        self.name = f"policy pack {folder.name}"
        self._port, self._known = 0, threading.Event()
        self._output, writing = os.pipe()
        ended, self._alive = os.pipe()
        self._process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(folder, _environment(request), writing, ended, self._alive), daemon=True
        )
        self._process.start()
        os.close(writing)
        os.close(ended)

    def follow(self, on_line: Callable[[str], None]) -> None:
        """Passes on what it prints, in a thread."""

        def pump() -> None:
            with os.fdopen(self._output, errors="replace") as lines:
                for line in lines:
                    if not self._port and line.strip().isdigit():
                        self._port = int(line)
                        self._known.set()
                    elif line.strip():
                        on_line(line.rstrip())
            self._known.set()

        threading.Thread(target=pump, daemon=True).start()

    def address(self) -> str:
        """host:port where it serves; raises EngineError if it ends or stays silent."""
        self._known.wait(_START_SECONDS)
        if not self._port:
            self._process.join(1.0 if self._known.is_set() else 0)
            code = self._process.exitcode
            how = "it named no port" if code is None else f"it exited with code {code}"
            raise EngineError(f"{self.name} did not start: {how}")
        return f"127.0.0.1:{self._port}"

    def end(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.join()


def _environment(request: EngineRequest) -> dict[str, str]:
    return {
        "PULUMI_PROJECT": request.project,
        "PULUMI_STACK": request.stack,
        "PULUMI_ORGANIZATION": request.organization,
        "PULUMI_DRY_RUN": "true" if request.dry_run else "false",
        # Pulumi's SDK for packs knows the stack's settings from here only, whatever ConfigureStack says.
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
    }


def _exit_at_end(ended: int) -> None:
    """Ends this process with the one that holds the other end of the pipe."""
    os.read(ended, 1)
    os._exit(0)


def _serve(folder: Path, environment: dict[str, str], writing: int, ended: int, alive: int) -> None:
    """What the pack's process runs."""
    os.close(alive)
    threading.Thread(target=_exit_at_end, args=(ended,), daemon=True).start()
    os.environ.update(environment)
    os.chdir(folder)
    for number in (1, 2):
        os.dup2(writing, number)
    # The SDK does not flush what it writes to the buffer.
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), write_through=True)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    sys.path.insert(0, str(folder))
    sys.argv = ["pulumi.policy", "", "."]
    code = 1
    with contextlib.suppress(Exception):
        try:
            runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)
            code = 0
        except SystemExit as exit_:
            code = exit_.code if isinstance(exit_.code, int) else 1
    os._exit(code)
