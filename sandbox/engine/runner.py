"""Runs one operation on one stack, from the lock to the result."""

import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import FrameType

from sandbox.engine import hosts, teardown, wire
from sandbox.engine.builtin import Builtin
from sandbox.engine.checkpoint import Checkpoint, load
from sandbox.engine.deploy import Deployment
from sandbox.engine.errors import EngineError
from sandbox.engine.events import Diagnostic, Event, Mask, Summary
from sandbox.engine.lock import locked
from sandbox.engine.monitor import Engine, Monitor
from sandbox.engine.policy import Policies
from sandbox.engine.registry import DYNAMIC, TYPE_PREFIX, Registry
from sandbox.engine.request import EngineRequest, EngineResult, check
from sandbox.values import Properties, Secret

_PULSE = 0.02


@dataclass
class _Run:
    request: EngineRequest
    diagnostics: list[Diagnostic] = field(default_factory=list)
    mask: Mask = field(default_factory=Mask)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def report(self, event: Event) -> None:
        """Passes on an event, one at a time; a listener's closed pipe does not fail the run."""
        with self._guard:
            if isinstance(event, Diagnostic) and not event.ephemeral and event.severity != "debug":
                self.diagnostics.append(event)
            with contextlib.suppress(BrokenPipeError):
                self.request.on_event(event)

    def line(self, text: str) -> None:
        """Passes on what the program or a host prints."""
        self.report(Diagnostic("info", self.mask(text)))


def run(request: EngineRequest) -> EngineResult:
    """Runs one operation; failures are in the result's `error`. A preview takes no lock and writes nothing."""
    started = time.monotonic()
    outcome = _Run(request)
    error, counts, outputs = "", dict[str, int](), Properties()
    try:
        check(request)
        hold = contextlib.nullcontext() if request.dry_run else locked(request.state_file, request.operation)
        with hold, _interruptible():
            error, counts, outputs = _operate(outcome)
    except (EngineError, OSError, KeyboardInterrupt) as failure:
        error = outcome.mask(str(failure) or "interrupted while the run began or ended")
        outcome.report(Diagnostic("error", error))
    duration = round(time.monotonic() - started, 3)
    outcome.report(Summary(not error, counts, duration, error))
    return EngineResult(not error, error, counts, outputs, duration, tuple(outcome.diagnostics))


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM stops a run as Ctrl-C does; only the main thread may ask for it."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _operate(outcome: _Run) -> tuple[str, dict[str, int], Properties]:
    request, mask = outcome.request, outcome.mask
    mask.learn(Secret(request.passphrase))
    pool = ThreadPoolExecutor(max_workers=request.parallel * 4 + 16)
    server = wire.server(pool)
    port = server.add_insecure_port("127.0.0.1:0")
    address = f"127.0.0.1:{port}"
    needs_program = request.operation in ("preview", "up")
    program = _start_program(outcome) if needs_program else None
    policies = Policies(request, outcome.report, mask)
    deployment: Deployment | None = None
    monitor: Monitor | None = None
    try:
        if needs_program:
            policies.launch(address, outcome.line)
        state = load(request.state_file, request.passphrase, request.project, request.stack)
        for item in state.resources:
            mask.learn(item.inputs)
            mask.learn(item.outputs)
        checkpoint = Checkpoint(state, None if request.dry_run else request.state_file)
        registry = Registry(request, address, Builtin(request), mask.learn, outcome.line)
        deployment = Deployment(
            request, state.resources, checkpoint, outcome.report, mask, registry, policies
        )
        monitor, engine = Monitor(deployment), Engine(deployment)
        wire.resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
        wire.engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
        server.start()
        if program is not None:
            program.write_line(_settings(request, address))
            if any(item.type == f"{TYPE_PREFIX}{DYNAMIC}" for item in state.resources):
                deployment.registry.dynamic()
            policies.connect(address)
            monitor.begin()
        return _Work(deployment, monitor, engine, program).watched()
    finally:
        if deployment is not None:
            deployment.checkpoint.give_up()  # whatever still runs fails from here on, which is not its end
        if program is not None:
            program.stop(0.2)
        if monitor is not None:
            monitor.end()
        if deployment is not None:
            deployment.registry.close()
        policies.close()
        server.stop(0).wait()
        pool.shutdown(wait=False, cancel_futures=True)


def _start_program(outcome: _Run) -> hosts.Host:
    request = outcome.request
    command, environment = [sys.executable, "-u", "-m", "sandbox.engine.program"], request.host_environment()
    folder = request.program_dir
    return hosts.Host("the program", command, environment, folder, outcome.line, announces_port=False)


def _settings(request: EngineRequest, address: str) -> str:
    return json.dumps(
        {
            "address": address,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "parallel": request.parallel,
            "dry_run": request.dry_run,
            "config": dict(request.config),
        }
    )


class _Work(threading.Thread):
    """The operation itself, off the main thread, so that an interrupt reaches that one at any time."""

    def __init__(
        self, deployment: Deployment, monitor: Monitor, engine: Engine, program: hosts.Host | None
    ) -> None:
        super().__init__(daemon=True)
        self._deployment, self._monitor, self._engine, self._program = deployment, monitor, engine, program
        self._outputs: Properties = {}
        self._error: BaseException | None = None
        self._ended = threading.Event()

    def run(self) -> None:
        """Runs it; an error is kept for the caller."""
        try:
            try:
                self._operate()
            finally:  # what was done stays on record, however it ended
                self._outputs = self._deployment.finish_outputs()
                self._monitor.released.set()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
            self._error = error
        finally:
            self._ended.set()

    def watched(self) -> tuple[str, dict[str, int], Properties]:
        """Run it to its end, which the first interrupt allows and the second does not; error, counts and outputs."""
        deployment = self._deployment
        try:
            self.start()
            try:
                self._wait()
            except KeyboardInterrupt:
                deployment.fail(
                    "interrupted: what was begun is finished, nothing new begins; interrupt again to give up"
                )
                self._wait()
        except KeyboardInterrupt:
            deployment.checkpoint.give_up()
            deployment.fail("interrupted twice: what was in progress is recorded as pending")
            return deployment.errors[-1], dict(deployment.counts), {}
        if self._error is not None:
            if not isinstance(self._error, (EngineError, OSError)):
                raise self._error
            deployment.fail(str(self._error))
        errors = deployment.errors + deployment.policies.violations
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return (errors[0] + more if errors else ""), dict(deployment.counts), self._outputs

    def _wait(self) -> None:
        """Waits for its end. Not by `join`, which takes a thread for ended when an interrupt cuts it short."""
        while not self._ended.wait(0.2):
            pass

    def _operate(self) -> None:
        deployment, operation = self._deployment, self._deployment.request.operation
        if operation == "refresh":
            teardown.refresh(deployment)
        elif operation == "destroy":
            teardown.delete_rest(deployment, frozenset())
        else:
            self._follow_program()
            self._settle()
            if not deployment.errors and not deployment.policies.violations:
                teardown.delete_rest(deployment, deployment.handled)
            if not deployment.errors:
                deployment.policies.stack_violated(deployment.news.values(), deployment.goals)

    def _follow_program(self) -> None:
        """Waits until the program is done or fails."""
        deployment, program, monitor = self._deployment, self._program, self._monitor
        assert program is not None  # noqa: S101 - previews and updates have one
        while not monitor.finished.wait(_PULSE):
            if program.code() is not None:
                if not deployment.stopping.is_set():
                    said = self._engine.program_errors
                    reason = said[-1] if said else program.obituary()
                    deployment.fail(f"the program failed: {reason}")
                return
            if deployment.stopping.is_set() and not deployment.in_flight:
                return

    def _settle(self) -> None:
        """Waits until steps in flight have finished."""
        while self._deployment.in_flight:
            time.sleep(_PULSE)
