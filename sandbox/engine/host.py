"""The process of one run: the engine, the program in a thread, its dynamic providers; policy packs are forked from it.

It ends when the operation does. An interrupt, or the end of the caller, lets what was begun come to its end.
"""

import contextlib
import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from sandbox.engine import teardown
from sandbox.engine.checkpoint import Checkpoint, load
from sandbox.engine.deploy import Deployment
from sandbox.engine.errors import EngineError
from sandbox.engine.events import Event, Mask, said
from sandbox.engine.lock import locked
from sandbox.engine.monitor import Log, Monitor
from sandbox.engine.packs import Pack
from sandbox.engine.policy import Policies
from sandbox.engine.program import Program
from sandbox.engine.registry import Registry
from sandbox.engine.request import ROOT, EngineRequest, EngineResult
from sandbox.engine.values import Properties, Secret

_PULSE = 0.02
_DRAIN_SECONDS = 0.5  # what the program started may still hold its output

# A process that lives for one run makes many lasting objects and little garbage.
gc.set_threshold(50_000, 20, 100)


def serve(pipe: Connection, request: EngineRequest) -> None:
    """Runs the operation, writes its events and its result to `pipe`, and ends this process."""
    os.setsid()  # a terminal's interrupt reaches the caller alone, which passes it on
    guard = threading.RLock()

    def send(message: Event | EngineResult) -> None:
        with guard, contextlib.suppress(OSError):
            pipe.send(message)

    mask = Mask()
    mask.learn(Secret(request.passphrase))
    _enter(request)
    packs: list[Pack] = []
    output = _Output(lambda line: send(said("info", mask(line))))
    try:
        for folder in request.policy_packs if request.needs_program else ():
            packs += [Pack(folder, request)]
        output.take()
        hold = contextlib.nullcontext() if request.dry_run else locked(request.state_file, request.operation)
        with hold:
            result = _Run(request, send, mask, packs).result(pipe)
    except (EngineError, OSError) as failure:
        error = mask(str(failure))
        send(said("error", error))
        result = EngineResult(ok=False, error=error, changes={}, outputs={})
    output.let_go()
    for pack in packs:
        pack.end()
    send(result)
    # Threads may still wait for answers that will never come.
    os._exit(0)


def _enter(request: EngineRequest) -> None:
    """Makes this process the program's: its folder, its environment, and its own copies of the project's modules."""
    os.chdir(request.program_dir)
    os.environ.clear()
    os.environ.update(request.host_environment())
    sys.path[:0] = [str(request.program_dir), *os.environ["PYTHONPATH"].split(os.pathsep)]
    if request.program_dir != ROOT:
        for name in list(sys.modules):
            if name.partition(".")[0] in {"atlas_access", "components", "probes", "policy"}:
                del sys.modules[name]


class _Output:
    """What the program and what it starts print, passed on line by line."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._reading, self._writing = os.pipe()
        self._pump = threading.Thread(target=self._pass_on, daemon=True)

    def take(self) -> None:
        """From now on."""
        for number in (1, 2):
            os.dup2(self._writing, number)
        os.close(self._writing)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2))
        self._pump.start()

    def let_go(self) -> None:
        """Passes on what is left of it."""
        if self._pump.is_alive():
            sys.stdout.flush()
            sys.stderr.flush()
            nothing = os.open(os.devnull, os.O_WRONLY)
            for number in (1, 2):
                os.dup2(nothing, number)
            self._pump.join(_DRAIN_SECONDS)

    def _pass_on(self) -> None:
        with os.fdopen(self._reading, errors="replace") as lines:
            for line in lines:
                if line.strip():
                    self._on_line(line.rstrip())


class _Run:
    """One operation, from the state to its result."""

    def __init__(
        self, request: EngineRequest, report: Callable[[Event], None], mask: Mask, packs: list[Pack]
    ) -> None:
        state = load(request.state_file, request.passphrase, request.project, request.stack)
        for item in state.resources:
            mask.learn(item.inputs)
            mask.learn(item.outputs)
        self.request = request
        self.policies = Policies(request, report, mask, packs)
        registry = Registry(request, mask.learn, state.resources)
        checkpoint = Checkpoint(state, None if request.dry_run else request.state_file)
        self.deployment = Deployment(
            request, state.resources, checkpoint, report, mask, registry, self.policies
        )
        self.gave_up = threading.Event()

    def result(self, pipe: Connection) -> EngineResult:
        """Carries the operation out; a second interrupt does not wait for it."""
        deployment, done = self.deployment, threading.Event()

        def operate() -> None:
            try:
                self._operate()
            except (EngineError, OSError) as error:
                deployment.fail(str(error))
            except Exception as error:  # noqa: BLE001 - a fault of ours ends the run with a line
                deployment.fail(f"the engine failed: {type(error).__name__}: {error}")
            done.set()

        for work in (operate, lambda: self._listen(pipe, done)):
            threading.Thread(target=work, daemon=True).start()
        done.wait()
        outputs = Properties()
        if self.gave_up.is_set():
            deployment.checkpoint.give_up()
            deployment.fail("interrupted twice: what was in progress is recorded as pending")
            errors = deployment.errors[-1:]
        else:
            outputs = self._recorded()
            errors = deployment.errors + self.policies.violations
        deployment.checkpoint.give_up()  # whatever still runs fails from here on, which is not its end
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        error = errors[0] + more if errors else ""
        return EngineResult(not error, error, dict(deployment.counts), outputs)

    def _listen(self, pipe: Connection, done: threading.Event) -> None:
        """The caller's interrupts: the first lets what runs come to its end, as does the caller's own."""
        with contextlib.suppress(EOFError, OSError):
            pipe.recv()
        self.deployment.fail(
            "interrupted: what was begun is finished, nothing new begins; interrupt again to give up"
        )
        with contextlib.suppress(EOFError, OSError):
            pipe.recv()
            self.gave_up.set()
            done.set()

    def _recorded(self) -> Properties:
        """The stack's outputs; what was done stays on record, however it ended."""
        try:
            return self.deployment.finish_outputs()
        except (EngineError, OSError) as error:
            self.deployment.fail(str(error))
            return {}

    def _operate(self) -> None:
        deployment = self.deployment
        if self.request.operation == "refresh":
            teardown.refresh(deployment)
        elif self.request.operation == "destroy":
            teardown.delete_rest(deployment, frozenset())
        else:
            self._follow_program()
            while deployment.in_flight:
                time.sleep(_PULSE)
            if not deployment.errors and not self.policies.violations:
                teardown.delete_rest(deployment, deployment.handled)
            if not deployment.errors:
                self.policies.stack_violated(deployment.news.values())

    def _follow_program(self) -> None:
        """Runs the program until it is done or fails."""
        deployment, monitor, log = self.deployment, Monitor(self.deployment), Log(self.deployment)
        program = Program(self.request, monitor, log)
        self.policies.connect()
        monitor.begin()
        while not monitor.finished.wait(_PULSE):
            if program.ended.is_set() and not monitor.finished.is_set():
                if not deployment.stopping.is_set():
                    said = log.program_errors
                    deployment.fail(
                        f"the program failed: {said[-1] if said else 'it ended without a reason'}"
                    )
                return
            if deployment.stopping.is_set() and not deployment.in_flight:
                return
