"""Runs ECS tasks as local processes with the environment, secrets, address and log of their task definition.

A process gets what its task definition gives it, its secrets' values, its role's credentials and the address overlay;
nothing of this process's own environment. Values never reach a log, a record or a command line.
"""

import logging
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moto.sts.models import sts_backends

from sandbox.aws.runtime import Ended, Life
from sandbox.aws.task_logs import LogGroupMissing, TaskLog
from sandbox.aws.task_secrets import SecretsUnreadable, secret_values
from sandbox.ecs.balancer import Balancer
from sandbox.ecs.images import CannotStart, command_of
from sandbox.ecs.targets import Health, Target
from sandbox.ports import HOST

_LOG = logging.getLogger(__name__)
_HEALTH_URL = re.compile(r"https?://[^/\s]+(/[^\s'\"]*)")
_GRACE_SECONDS = 30.0
_DRAIN_SECONDS = 10.0
_STOP_SECONDS = 5.0
_OUTPUT_SECONDS = 1.0
_SESSION_SECONDS = 43200


@dataclass(frozen=True)
class Place:
    """What the tasks of one account meet: their balancer, and the variables of the overlay of addresses."""

    balancer: Balancer
    overlay: Mapping[str, str]


@dataclass(frozen=True)
class Witness:
    """Receives a process's start and end, by a name and its id."""

    started: Callable[[str, int], None]
    ended: Callable[[int], None]


@dataclass
class _Running:
    process: "subprocess.Popen[bytes]"
    place: Place
    target: Target | None
    output: threading.Thread | None = None
    since: float = field(default_factory=time.monotonic)
    stopping_since: float = 0.0
    drained_from: float = 0.0
    gone_since: float = 0.0


class Containers:
    """The runtime whose containers are processes. The agent's thread calls it."""

    def __init__(self, home: Path, witness: Witness) -> None:
        """Take the directory of this project's packages; `places` are filled in before the first task starts."""
        self._home = home
        self._witness = witness
        self._running: dict[str, _Running] = {}
        self.places: dict[str, Place] = {}

    def begin(self, task: Any, definition: Any) -> str | None:
        """Start a task's process; return ECS's stop reason when it cannot."""
        container = definition.container_definitions[0]
        override = _override(task, container["name"])
        account = _account(definition)
        try:
            values = secret_values(definition, task.id)[container["name"]]
            log = TaskLog.of(container, account, task.id)
            command = command_of(
                container["image"], override.get("command") or container.get("command") or ()
            )
        except (SecretsUnreadable, LogGroupMissing, CannotStart) as refused:
            return str(refused)
        place = self.places[account]
        environment = dict(place.overlay) | _credentials(definition) | _identity(task, definition)
        for entry in (*(container.get("environment") or ()), *(override.get("environment") or ())):
            environment[entry["name"]] = entry["value"]
        environment |= values | {"PYTHONPATH": str(self._home), "PYTHONUNBUFFERED": "1"}
        serves = bool(container.get("portMappings")) and task.group.startswith("service:")
        try:
            running = self._spawn(command, environment, place, container if serves else None)
        except OSError as error:
            return f"CannotStartContainerError: {type(error).__name__}"
        self._running[task.task_arn] = running
        self._witness.started(f"task {task.group.partition(':')[2]} {task.id[:8]}", running.process.pid)
        running.output = threading.Thread(target=_follow, args=(running.process, log), daemon=True)
        running.output.start()
        return None

    def observe(self, task: Any) -> Life:
        """How a task's process fares: healthy once the balancer's check is, or it has no address."""
        running = self._running.get(task.task_arn)
        if running is None or running.process.poll() is not None:
            return Life.EXITED
        if running.target is None:
            return Life.RUNNING
        health = running.target.health
        late = health is Health.NEW and time.monotonic() - running.since > _GRACE_SECONDS
        if late or health is Health.UNHEALTHY:
            return Life.UNHEALTHY
        return Life.HEALTHY if health is Health.HEALTHY else Life.RUNNING

    def withdraw(self, task: Any) -> Ended | None:
        """Drain a task, then end its process: SIGTERM, and SIGKILL for one that does not heed it."""
        running = self._running.get(task.task_arn)
        if running is None:
            return Ended()
        code = running.process.poll()
        if code is None and not self._drained(running):
            return None
        if code is None:
            self._terminate(running)
            return None
        if not _all_logged(running):
            return None
        del self._running[task.task_arn]
        if running.target is not None:
            running.place.balancer.deregister(running.target)
        self._witness.ended(running.process.pid)
        return Ended(128 - code if code < 0 else code)

    def stop(self) -> None:
        """End every process at once; nothing is served any more."""
        for running in list(self._running.values()):
            running.process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for running in list(self._running.values()):
            try:
                running.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                running.process.kill()
                running.process.wait()

    def _spawn(
        self,
        command: tuple[str, ...],
        environment: dict[str, str],
        place: Place,
        serves: Mapping[str, Any] | None,
    ) -> _Running:
        listener = None
        if serves is not None:
            # Bound here and handed over: nobody else can take the port between two tasks. Who starts to listen is
            # the task: until then a connection is refused.
            listener = socket.socket()
            listener.bind((HOST, 0))
            environment["TASK_LISTEN_FD"] = str(listener.fileno())
        try:
            process = subprocess.Popen(  # noqa: S603 - a command that sandbox.ecs.images knows
                command,
                env=environment,
                cwd=self._home,
                stdin=subprocess.PIPE if listener else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(listener.fileno(),) if listener else (),
                start_new_session=True,
            )
            if listener is None or serves is None:
                return _Running(process, place, None)
            port = int(listener.getsockname()[1])
            return _Running(process, place, place.balancer.register(HOST, port, _health_path(serves)))
        finally:
            if listener is not None:
                listener.close()

    def _drained(self, running: _Running) -> bool:
        if running.target is None:
            return True
        if not running.drained_from:
            running.drained_from = time.monotonic()
            running.place.balancer.drain(running.target)
        return running.target.drained or time.monotonic() - running.drained_from > _DRAIN_SECONDS

    def _terminate(self, running: _Running) -> None:
        if not running.stopping_since:
            running.stopping_since = time.monotonic()
            running.process.terminate()
        elif time.monotonic() - running.stopping_since > _STOP_SECONDS:
            running.process.kill()


def _all_logged(running: _Running) -> bool:
    """Whether all that an ended process printed is in its log; what a child of its own prints is not waited for."""
    running.gone_since = running.gone_since or time.monotonic()
    late = time.monotonic() - running.gone_since > _OUTPUT_SECONDS
    return late or running.output is None or not running.output.is_alive()


def _follow(process: "subprocess.Popen[bytes]", log: TaskLog) -> None:
    """Carry a process's output into its log until it ends."""
    if process.stdout is None:
        return
    try:
        with process.stdout as stream:
            for line in stream:
                log.write(line.decode(errors="replace").rstrip("\n"))
    except (OSError, ValueError) as error:
        _LOG.warning("the output of a task is lost: %s", type(error).__name__)
    process.wait()
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def _override(task: Any, container: str) -> Mapping[str, Any]:
    overrides = (task.overrides or {}).get("containerOverrides") or ()
    return next((o for o in overrides if o.get("name", container) == container), {})


def _identity(task: Any, definition: Any) -> dict[str, str]:
    """ECS's metadata about a container."""
    return {
        "TASK_REVISION": f"{definition.family}:{definition.revision}",
        "TASK_ID": task.id,
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
    }


def _credentials(definition: Any) -> dict[str, str]:
    """Temporary credentials of the task role, as ECS's credentials endpoint hands them out."""
    if not getattr(definition, "task_role_arn", None):
        return {}
    session = sts_backends[_account(definition)]["aws"].assume_role(
        region_name=definition.arn.split(":")[3],
        role_session_name="task",
        role_arn=definition.task_role_arn,
        policy=None,
        duration=_SESSION_SECONDS,
        external_id=None,
    )
    return {
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
    }


def _account(definition: Any) -> str:
    return str(definition.arn.split(":")[4])


def _health_path(container: Mapping[str, Any]) -> str:
    """The path that the container's health check asks for."""
    command = " ".join((container.get("healthCheck") or {}).get("command") or ())
    found = _HEALTH_URL.search(command)
    return found[1] if found else "/healthz"
