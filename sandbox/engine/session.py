"""What all parts of a run share: checkpoint, providers, the first failure and the slots for steps.

The first failure stops new steps and lets those in flight finish.
"""

import contextlib
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sandbox.engine import events
from sandbox.engine.checkpoint import Checkpoint
from sandbox.engine.errors import EngineError
from sandbox.engine.events import Event, Mask
from sandbox.engine.policy import Policies
from sandbox.engine.provider import ProviderFailed
from sandbox.engine.registry import TYPE_PREFIX, Registry
from sandbox.engine.request import EngineRequest
from sandbox.engine.state import Kind, Resource
from sandbox.engine.values import UnsupportedValue


class Stopped(Exception):
    """The run is over for this caller: something failed, or it was interrupted. The reason is already recorded."""


def one_line(text: str) -> str:
    """An error's summary: its first line, or what follows the frames of a traceback."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if lines and lines[0].startswith("Traceback"):
        last = max(index for index, line in enumerate(lines) if line.startswith(" ") or index == 0)
        lines = [" ".join(lines[last + 1 :]) or lines[-1].strip()]
    return lines[0] if lines else "failed without a word"


def in_full(text: str) -> str:
    """A provider's whole message, as Pulumi shows it; a traceback becomes its last line."""
    lines = [line.rstrip() for line in text.strip().splitlines() if line.strip()]
    return one_line(text) if not lines or lines[0].startswith("Traceback") else "\n".join(lines)


@dataclass(eq=False)
class Session:
    """The run's state of affairs. Its methods may be called from many threads."""

    request: EngineRequest
    olds: tuple[Resource, ...]
    checkpoint: Checkpoint
    report: Callable[[Event], None]
    mask: Mask
    registry: Registry
    policies: Policies
    errors: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    stopping: threading.Event = field(default_factory=threading.Event)
    in_flight: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._slots = threading.Semaphore(self.request.parallel)

    def fail(self, message: str, urn: str = "", *, stop: bool = True, whole: bool = False) -> None:
        """Records a failure; with `stop` no further step begins, with `whole` all of its lines are kept."""
        line = self.mask(message if whole else one_line(message))
        name = urn.split("::", 3)[3] if urn.count("::") >= 3 and "::default" not in urn else ""
        if name and not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line):
            line = f"{name}: {line}"
        with self.lock:
            self.errors.append(line)
            if stop:
                self.stopping.set()
        self.report(events.said("error", line, urn))

    def log(self, severity: str, message: str, urn: str = "", *, ephemeral: bool = False) -> None:
        """Passes on a message of the program or a host."""
        self.report(events.said(severity, self.mask(message), urn, ephemeral=ephemeral))

    def count(self, op: str, resource: Resource) -> None:
        """Counts a resource's operation; default providers are the engine's own affair."""
        if not (resource.type.startswith(TYPE_PREFIX) and resource.name.startswith("default")):
            with self.lock:
                self.counts[op] += 1

    @contextlib.contextmanager
    def step(
        self,
        op: str,
        resource: Resource,
        old: Resource | None = None,
        *,
        kind: Kind | None = None,
    ) -> Iterator[None]:
        """Takes a slot, reports the step, and records a failure; a step with a `kind` is recorded as begun first."""
        with self._slots:
            with self.lock:
                if self.stopping.is_set():
                    raise Stopped
                self.in_flight += 1
            ok, shown = False, "create-replacement" if op == "replace" else op
            try:
                before, after = (None, None) if op == "same" else (old.inputs if old else {}, resource.inputs)
                after = {} if op.startswith("delete") else after
                self.report(events.planned(shown, resource.type, resource.urn, before, after))
                if kind is not None:
                    self.checkpoint.begin(kind, resource)
                yield
                ok = True
            except ProviderFailed as failure:
                if kind is not None:
                    self.checkpoint.end(resource)
                error = self.mask(in_full(str(failure)))
                message = error if error.startswith(op) else f"{op} failed: {error}"
                self.fail(message, resource.urn, whole=True)
                raise Stopped from failure
            finally:
                self.report(events.done(shown, resource.type, resource.urn, ok=ok))
                with self.lock:
                    self.in_flight -= 1

    def active(self) -> None:
        """Raises Stopped if the run is over."""
        if self.stopping.is_set():
            raise Stopped

    @contextlib.contextmanager
    def guarded(self, urn: str) -> Iterator[None]:
        """Turns what a registration refuses into the run's failure."""
        self.active()
        try:
            yield
        except (EngineError, UnsupportedValue) as error:
            self.fail(str(error), urn)
            raise Stopped from error

    def in_parallel(self, work: Callable[[Resource], None], items: list[Resource]) -> list[Resource]:
        """Runs `work` on every item, as many at a time as the run allows; those that were stopped."""

        def done(item: Resource) -> bool:
            try:
                work(item)
            except Stopped:
                return False
            except Exception as error:  # noqa: BLE001 - a fault of ours ends the run with a line, not a thread
                self.fail(f"the engine failed: {type(error).__name__}: {error}", item.urn)
                return False
            return True

        pool = ThreadPoolExecutor(self.request.parallel)
        try:
            return [item for item, ended in zip(items, pool.map(done, items), strict=True) if not ended]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after a second interrupt nothing is waited for
