"""Runs one operation on one stack, from the lock to the result."""

import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import FrameType

from sandbox.engine import hosts, teardown, wire
from sandbox.engine.builtin import Builtin
from sandbox.engine.checkpoint import Checkpoint, load
from sandbox.engine.client import DYNAMIC
from sandbox.engine.deploy import Deployment
from sandbox.engine.errors import EngineError
from sandbox.engine.events import Diagnostic, Event, Mask
from sandbox.engine.lock import locked
from sandbox.engine.monitor import Engine, Monitor
from sandbox.engine.policy import Policies
from sandbox.engine.registry import TYPE_PREFIX, Registry
from sandbox.engine.request import EngineRequest, EngineResult, check
from sandbox.values import Properties, Secret

_PULSE = 0.02


@dataclass
class _Run:
    request: EngineRequest
    mask: Mask = field(default_factory=Mask)
    _guard: threading.RLock = field(default_factory=threading.RLock)  # an interrupt reports too

    def report(self, event: Event) -> None:
        """Passes on an event, one at a time; a listener's closed pipe does not fail the run."""
        with self._guard, contextlib.suppress(BrokenPipeError):
            self.request.on_event(event)

    def line(self, text: str) -> None:
        """Passes on what the program or a host prints."""
        self.report(Diagnostic("info", self.mask(text)))


def run(request: EngineRequest) -> EngineResult:
    """Runs one operation; failures are in the result's `error`. A preview takes no lock and writes nothing."""
    outcome = _Run(request)
    error, counts, outputs = "", dict[str, int](), Properties()
    try:
        check(request)
        hold = contextlib.nullcontext() if request.dry_run else locked(request.state_file, request.operation)
        interrupts = _Interrupts()
        with hold, interrupts.handled():
            error, counts, outputs = _operate(outcome, interrupts)
    except (EngineError, OSError, KeyboardInterrupt) as failure:
        error = outcome.mask(str(failure) or "interrupted while the run began or ended")
        outcome.report(Diagnostic("error", error))
    return EngineResult(not error, error, counts, outputs)


@dataclass
class _Interrupts:
    """SIGINT and SIGTERM: the first lets what runs come to its end, any other one ends the run."""

    deployment: Deployment | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The handler."""
        del number, frame
        deployment, self.deployment = self.deployment, None
        if deployment is None:
            raise KeyboardInterrupt
        deployment.fail(
            "interrupted: what was begun is finished, nothing new begins; interrupt again to give up"
        )

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Handles them while the block runs; only the main thread may ask for it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = [
            (number, signal.signal(number, self))
            for number in (signal.SIGINT, signal.SIGTERM)
            if signal.getsignal(number) is not signal.SIG_IGN
        ]
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)


def _operate(outcome: _Run, interrupts: _Interrupts) -> tuple[str, dict[str, int], Properties]:
    request, mask = outcome.request, outcome.mask
    mask.learn(Secret(request.passphrase))
    pool = ThreadPoolExecutor(max_workers=request.parallel * 4 + 16)
    server = wire.server(pool)
    port = server.add_insecure_port("127.0.0.1:0")
    address = f"127.0.0.1:{port}"
    needs_program = request.operation in ("preview", "up")
    program: hosts.Host | None = None
    policies = Policies(request, outcome.report, mask)
    deployment: Deployment | None = None
    monitor: Monitor | None = None
    try:
        if needs_program:
            program = hosts.Host(
                "the program",
                [sys.executable, "-u", "-m", "sandbox.engine.program"],
                request.host_environment(),
                request.program_dir,
                outcome.line,
                announces_port=False,
            )
            policies.launch(address, outcome.line)
        state = load(request.state_file, request.passphrase, request.project, request.stack)
        for item in state.resources:
            mask.learn(item.inputs)
            mask.learn(item.outputs)
        checkpoint = Checkpoint(state, None if request.dry_run else request.state_file)
        registry = Registry(request, address, Builtin(request), mask.learn, outcome.line, state.resources)
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
            policies.connect()
            monitor.begin()
        interrupts.deployment = deployment
        return _done(deployment, monitor, lambda: _work(deployment, monitor, engine, program))
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


def _settings(request: EngineRequest, address: str) -> str:
    names = ("project", "stack", "organization", "parallel", "dry_run")
    settings = {name: getattr(request, name) for name in names}
    runtime = {**settings, "monitor": address, "engine": address}
    return json.dumps({"runtime": runtime, "config": dict(request.config)})


def _done(
    deployment: Deployment, monitor: Monitor, work: Callable[[], None]
) -> tuple[str, dict[str, int], Properties]:
    """Runs the operation to its end; error, counts and outputs."""
    outputs = Properties()
    try:
        try:
            work()
        finally:  # what was done stays on record, however it ended
            outputs = deployment.finish_outputs()
            monitor.released.set()
    except KeyboardInterrupt:
        deployment.checkpoint.give_up()
        deployment.fail("interrupted twice: what was in progress is recorded as pending")
        return deployment.errors[-1], dict(deployment.counts), {}
    except (EngineError, OSError) as error:
        deployment.fail(str(error))
    errors = deployment.errors + deployment.policies.violations
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return (errors[0] + more if errors else ""), dict(deployment.counts), outputs


def _work(deployment: Deployment, monitor: Monitor, engine: Engine, program: hosts.Host | None) -> None:
    """The operation itself."""
    if deployment.request.operation == "refresh":
        teardown.refresh(deployment)
    elif program is None:
        teardown.delete_rest(deployment, frozenset())
    else:
        _follow(deployment, monitor, engine, program)
        while deployment.in_flight:
            time.sleep(_PULSE)
        if not deployment.errors and not deployment.policies.violations:
            teardown.delete_rest(deployment, deployment.handled)
        if not deployment.errors:
            deployment.policies.stack_violated(deployment.news.values())


def _follow(deployment: Deployment, monitor: Monitor, engine: Engine, program: hosts.Host) -> None:
    """Waits until the program is done or fails."""
    while not monitor.finished.wait(_PULSE):
        if program.code() is not None:
            if not deployment.stopping.is_set():
                said = engine.program_errors
                deployment.fail(f"the program failed: {said[-1] if said else program.obituary()}")
            return
        if deployment.stopping.is_set() and not deployment.in_flight:
            return
