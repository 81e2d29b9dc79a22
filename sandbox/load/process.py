"""Starts, marks and ends the load process of a demo or a test."""

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.load.report import LoadReport, Mark
from sandbox.load.run import Orders
from sandbox.world import SandboxError, World

_HOME = Path(__file__).resolve().parents[2]
_END_SECONDS = 30.0


class LoadProcess:
    """Constant load from `begin` to `end`, or as a `with` block; `mark` is thread-safe."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self.report: LoadReport | None = None

    @classmethod
    def of(cls, world: World, rate: float, *, scenarios: Path, seconds: float = 900.0) -> Self:
        """The load on every service of a sandbox, `rate` requests a second on each."""
        urls = {name: world.of(name).service_url for name in world.environments}
        overlay = world.environment(next(iter(urls)))
        kept = {
            name: value
            for name, value in overlay.items()
            if name.startswith("ATLAS_ACCESS_") or name.endswith("_URL")
        }
        return cls(
            Orders(urls=urls, scenarios=str(scenarios.resolve()), overlay=kept, rate=rate, seconds=seconds)
        )

    def begin(self) -> Self:
        """Start the process and return once it asks. Raises `SandboxError` when the services do not answer well."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.load.run"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=_HOME,
            start_new_session=True,
        )
        if "ready" not in self._answered(self._orders.model_dump_json()):
            raise SandboxError(f"the load did not begin: {self._why()}")
        return self

    def mark(self, name: str) -> Mark:
        """Name this moment and return the counts until then. Raises `SandboxError` when the load has ended."""
        with self._lock:
            line = self._answered(" ".join(name.split()))
        try:
            return Mark.model_validate_json(line)
        except ValueError:
            raise SandboxError(f"the load has ended: {self._why()}") from None

    def end(self) -> LoadReport:
        """Let it end, and return its report. Raises `SandboxError` when it gave none."""
        if self.report is None:
            process = self._running()
            try:
                out, error = process.communicate(timeout=_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                out, error = process.communicate()
            try:
                self.report = LoadReport.model_validate_json(out.strip().rpartition("\n")[2])
            except ValueError:
                raise SandboxError(f"the load gave no report: {error.strip()[-200:]}") from None
        return self.report

    def __enter__(self) -> Self:
        return self.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            process.communicate()

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None:
            raise SandboxError("the load has not begun")
        return self._process

    def _answered(self, line: str) -> str:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            return ""
        with suppress(OSError):
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
        return process.stdout.readline()

    def _why(self) -> str:
        process = self._running()
        process.kill()
        _, error = process.communicate()
        return error.strip().rpartition("\n")[2][-200:] or "it ended without a word"
