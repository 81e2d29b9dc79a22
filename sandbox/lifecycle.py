"""The operations on a sandbox: up, status, logs, reset, down. Only recorded processes and files are touched."""

import json
import os
import secrets
import select
import shutil
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from atlas_access.base import redact
from sandbox import processes
from sandbox.lock import DirectoryLock, is_held
from sandbox.mongod import process as mongod
from sandbox.ports import port_is_free, troubles
from sandbox.world import ENVIRONMENTS, START, Options, SandboxError, World, write_private

PORTS = 8
_FOLDERS = ("mongo", "logs", "stacks", "pulumi", "baselines")
_FILES = ("sandbox.json", "keys.json", "processes.json", "kept", "clock", "lock")
_MARKER = ".gitignore"
_GRACE_SECONDS = 5.0
_DYING_SECONDS = 1.0
# Supervisors started by this process, so that they do not stay behind as zombies.
_children: dict[int, "subprocess.Popen[bytes]"] = {}


@dataclass(frozen=True)
class Ended:
    """What `down` did: which processes it ended, and whether the files stay."""

    processes: tuple[str, ...]
    kept: bool


def up(directory: Path, options: Options | None = None, *, deadline_seconds: float = 60.0) -> World:
    """Start a sandbox in a directory and return its handle once everything answers.

    Raises `SandboxError` when one runs here, ended uncleanly or is kept, the directory holds something else, a port
    is in use, `mongod` is missing, or the start failed.
    """
    chosen = options or Options()
    chosen = replace(chosen, seed=chosen.seed or secrets.randbelow(10**6) + 1)
    directory = directory.absolute()
    _check_ports(chosen.base_port)
    _prepare(directory)
    left_behind = (directory / "lock").exists()
    lock = DirectoryLock.take(directory)
    obstacle = _stale(directory) if left_behind else _kept(directory)
    if obstacle:
        lock.let_go()
        if not left_behind:
            (directory / "lock").unlink()
        raise SandboxError(obstacle)
    for name in _FOLDERS:
        (directory / name).mkdir(mode=0o700, exist_ok=True)
    try:
        failure = _launch(directory, chosen, lock, deadline_seconds)
    except BaseException:
        # An interrupted start leaves nothing behind: the supervisor does not hear a terminal's Ctrl-C.
        down(directory, keep=False)
        raise
    if failure:
        down(directory, keep=False, _logs=True)
        raise SandboxError(failure)
    return World.load(directory)


def down(directory: Path, *, keep: bool | None = None, _logs: bool = False) -> Ended:
    """End every process of the sandbox, also after a crash, and delete its files unless kept (None: as `up` asked)."""
    directory = directory.absolute()
    kept = _keeps(directory) if keep is None else keep
    ended = _end(directory, "supervisor", kept=kept)
    # The file now lists what it had started.
    ended += _end(directory, "", kept=kept)
    for environment in ENVIRONMENTS:
        # One that was started but not yet recorded when its supervisor died.
        mongod.end_leftover(directory / "mongo" / environment, deadline_seconds=_GRACE_SECONDS)
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            del _children[pid]
    # The system takes the lock from a process that was killed only when its last thread has ended.
    deadline = time.monotonic() + _DYING_SECONDS
    while is_held(directory) and time.monotonic() < deadline:
        time.sleep(0.01)
    if is_held(directory):
        raise SandboxError(f"a sandbox is just being started in {directory}: try again in a moment")
    if kept and directory.exists():
        write_private(directory / "kept", time.strftime("%Y-%m-%dT%H:%M:%SZ\n", time.gmtime()))
        for name in ("processes.json", "lock"):
            (directory / name).unlink(missing_ok=True)
    elif directory.exists():
        _clear(directory, logs=_logs)
    return Ended(ended, kept)


def reset(directory: Path, *, deadline_seconds: float = 60.0) -> World:
    """Start anew in the legacy state, with the options that the sandbox here was started with."""
    try:
        options = World.load(directory).options
    except SandboxError:
        options = Options(service=True)
    down(directory, keep=False)
    return up(directory, options, deadline_seconds=deadline_seconds)


def logs(directory: Path, part: str | None = None, *, lines: int = 50) -> tuple[tuple[str, str], ...]:
    """Return the last log lines as (part, line), redacted. Raises `SandboxError` when there are none."""
    found = sorted((directory / "logs").glob("*.log"))
    if not found:
        raise SandboxError(f"no sandbox has run in {directory}: {START}")
    names = [path.stem for path in found]
    if part is not None and part not in names:
        raise SandboxError(f"no log of {part!r} in {directory}: there are {', '.join(names)}")
    try:
        masked = World.load(directory).secrets()
    except SandboxError:
        masked = ()
    rows: list[tuple[str, str]] = []
    for path in found:
        if part in (None, path.stem):
            with path.open(errors="replace") as stream:
                rows += [(path.stem, redact(line.rstrip("\n"), masked)) for line in deque(stream, lines)]
    return tuple(rows)


def _launch(directory: Path, options: Options, lock: DirectoryLock, deadline_seconds: float) -> str | None:
    """Start the supervisor, wait for its word, and return why it did not start."""
    read_fd, write_fd = os.pipe()
    given = [str(directory), json.dumps(asdict(options)), str(write_fd), str(lock.file)]
    log_path = directory / "logs" / "supervisor.log"
    descriptor = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    home = str(Path(__file__).parent.parent)
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    try:
        process = subprocess.Popen(  # noqa: S603 - this Python, this module
            [sys.executable, "-m", "sandbox.serve", *given],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            pass_fds=(write_fd, lock.file),
            start_new_session=True,
            env=_inherited() | {"PYTHONPATH": path},
        )
    except OSError:
        lock.let_go()
        raise
    else:
        _children[process.pid] = process
        lock.hand_over(json.dumps(asdict(processes.ProcessRecord.of("supervisor", process.pid))))
    finally:
        os.close(write_fd)
        os.close(descriptor)
    with os.fdopen(read_fd) as pipe:
        ready, _, _ = select.select([pipe], [], [], deadline_seconds)
        line = pipe.readline() if ready else ""
    if not ready:
        return f"the sandbox was not up after {deadline_seconds:.0f} s: see {log_path}, then try again"
    answer = json.loads(line) if line else {"error": "the sandbox's supervisor ended while it started"}
    return None if answer.get("ok") else f"{answer['error']} (log: {log_path})"


def _inherited() -> dict[str, str]:
    """Return this process's variables without those that would make moto behave otherwise than the sandbox needs."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MOTO_", "TEST_SERVER_MODE"))
    }


def _check_ports(base: int) -> None:
    if base == 0:
        return
    if not 1024 <= base <= 65535 - PORTS:
        raise SandboxError(f"base port {base} is out of range: choose one from 1024 to {65535 - PORTS}")
    for port in range(base, base + PORTS):
        if troubles(port):
            raise SandboxError(
                f"port {port} holds 404 or 500, at which the real Atlas provider stumbles: choose another base port"
            )
        if not port_is_free(port):
            raise SandboxError(
                f"port {port} is in use: choose another base port, or none and free ports are taken"
            )


def _prepare(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours = (directory / _MARKER).exists() or not any(directory.iterdir())
        if not ours:
            raise SandboxError(f"{directory} holds other files: choose a new or empty directory with --dir")
        directory.chmod(0o700)
        (directory / _MARKER).write_text("*\n")
    except OSError as error:
        raise SandboxError(
            f"{directory} cannot be used ({error.strerror}): choose another directory with --dir"
        ) from None


def _end(directory: Path, name: str, *, kept: bool) -> tuple[str, ...]:
    """End the recorded process of that name, or all: in order when files are kept, else at once."""
    records = [r for r in processes.load(directory) if not name or r.name == name]
    if kept:
        return processes.end(records, grace_seconds=_GRACE_SECONDS)
    return processes.kill(records)


def _kept(directory: Path) -> str:
    if not (directory / "kept").exists():
        return ""
    return (
        f"{directory} holds a sandbox that was kept: `atlas-access sandbox reset` starts anew there, "
        "or choose another directory with --dir"
    )


def _stale(directory: Path) -> str:
    alive = [record.name for record in processes.load(directory) if record.process() is not None]
    left = f"; left running: {', '.join(alive)}" if alive else ""
    return (
        f"the last sandbox in {directory} did not end in order (its lock is stale{left}): "
        "`atlas-access sandbox down` clears it, then start again"
    )


def _keeps(directory: Path) -> bool:
    try:
        return World.load(directory).options.keep
    except (SandboxError, KeyError, TypeError):
        return False


def _clear(directory: Path, *, logs: bool) -> None:
    """Delete what the sandbox made, and the directory when nothing else is in it."""
    for name in _FOLDERS:
        if not (logs and name == "logs"):
            shutil.rmtree(directory / name, ignore_errors=True)
    for name in _FILES:
        (directory / name).unlink(missing_ok=True)
    if [path.name for path in directory.iterdir()] == [_MARKER]:
        (directory / _MARKER).unlink()
        directory.rmdir()
