"""Processes that the engine starts (program, dynamic host, policy packs), each in a session of its own."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from sandbox.engine.errors import EngineError

_END_SECONDS = 5.0
_LEFT_SECONDS = 2.0  # how long what a host started may take to end by itself


class HostFailed(EngineError):
    """A host did not start, or went away."""


class Host:
    """A started process; its output goes line by line to `on_line`, and the last of it into what is said of its end."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        on_line: Callable[[str], None],
        *,
        announces_port: bool = True,
    ) -> None:
        self.name, self._on_line, self._tail = name, on_line, ""
        self._port: int | None = None
        self._known = threading.Event()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._pumps = [
            threading.Thread(target=self._pump, args=(stream, announces), daemon=True)
            for stream, announces in ((self._process.stdout, announces_port), (self._process.stderr, False))
            if stream is not None
        ]
        for pump in self._pumps:
            pump.start()

    def _pump(self, stream: IO[str], announces: bool) -> None:  # noqa: FBT001
        with contextlib.suppress(ValueError):
            for line in stream:
                if announces and self._port is None and line.strip().isdigit():
                    self._port = int(line)
                    self._known.set()
                elif line.strip():
                    self._tail = line.strip()
                    self._on_line(line.rstrip())
        if announces:
            self._known.set()

    def write_line(self, line: str) -> None:
        """Writes one line to the process; its input stays open until the engine ends."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()

    def address(self, seconds: float = 30.0) -> str:
        """host:port where it serves; raises HostFailed if it ends or stays silent for so long."""
        self._known.wait(seconds)
        if self._port is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0 if self._known.is_set() else 0)  # its output has ended; it is about to
            raise HostFailed(f"{self.name} did not start: {self.obituary() or 'it named no port'}")
        return f"127.0.0.1:{self._port}"

    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def obituary(self) -> str:
        """How it ended, with its last words; "" while it runs."""
        code = self.code()
        if code is None:
            return ""
        for pump in self._pumps:
            pump.join(1.0)
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        return f"it {how}" + (f" ({self._tail})" if self._tail else "")

    def stop(self, seconds: float = _END_SECONDS) -> None:
        """Ends the host first, then what it started: a browser driver asked at the same time leaves its profile."""
        if self._process.poll() is None:
            self._send(os.kill, signal.SIGTERM, seconds)
        for pump in self._pumps:
            pump.join(_LEFT_SECONDS)
        self._send(os.killpg, signal.SIGKILL, _END_SECONDS)
        for pump in self._pumps:
            pump.join(0.5)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    stream.close()

    def _send(self, send: Callable[[int, int], None], number: signal.Signals, seconds: float) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(self._process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
