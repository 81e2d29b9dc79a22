"""The application started from an env file, as on a developer's machine."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import requests

from sandbox.ports import HOST
from sandbox.replays.stage import Answer, Stage, until

_HOME = Path(__file__).parents[2]
_SECONDS = 20.0


@dataclass(frozen=True)
class LocalCopy:
    """The application on a developer's machine: its address, and the file that its output goes to."""

    url: str
    output: Path

    def ask(self, path: str, body: Mapping[str, object]) -> Answer:
        """Ask it as a script on the same machine does."""
        reply = requests.post(self.url + path, json=dict(body), timeout=_SECONDS)
        return Answer(reply.status_code, reply.json())

    def line(self, words: str) -> str:
        """The first line of its output that holds these words; "" when none comes."""

        def first() -> str:
            lines = self.output.read_text(encoding="utf-8", errors="replace").splitlines()
            return next((line for line in lines if words in line), "")

        return str(until(first, 3.0))


@contextmanager
def running_from(stage: Stage, file: Path, build: str) -> Iterator[LocalCopy]:
    """The application of a build, with the variables of an env file, on a free loopback port."""
    variables = dict(
        line.split("=", 1) for line in file.read_text(encoding="utf-8").splitlines() if "=" in line
    )
    output = file.with_name("output.log")
    with socket.socket() as listener, output.open("wb") as sink:
        listener.bind((HOST, 0))
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        process = _start(stage, variables, build, listener, sink)
        try:
            until(
                lambda: "serving" in output.read_text(encoding="utf-8") or process.poll() is not None,
                _SECONDS,
            )
            yield LocalCopy(url, output)
        finally:
            process.terminate()
            process.wait(_SECONDS)
            if process.stdin is not None:
                process.stdin.close()


def _start(
    stage: Stage, variables: Mapping[str, str], build: str, listener: socket.socket, sink: IO[bytes]
) -> subprocess.Popen[bytes]:
    unquoted = {name.strip(): value.strip().strip("'\"") for name, value in variables.items()}
    environment = {
        **stage.world.environment(stage.stack),
        **unquoted,
        "PATH": os.defpath,
        "PYTHONPATH": str(_HOME),
        "PYTHONUNBUFFERED": "1",
        "TASK_LISTEN_FD": str(listener.fileno()),
    }
    return subprocess.Popen(  # noqa: S603 - the demonstration's own application
        [sys.executable, "-m", "sandbox.app.task", build],
        env=environment,
        cwd=_HOME,
        stdin=subprocess.PIPE,
        stdout=sink,
        stderr=subprocess.STDOUT,
        pass_fds=(listener.fileno(),),
        start_new_session=True,
    )
