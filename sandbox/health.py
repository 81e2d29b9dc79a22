"""Reports which parts of a sandbox are alive, and the remedy when one is not."""

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sandbox import processes
from sandbox.lock import is_held
from sandbox.world import SandboxError, World

SUPERVISOR = "supervisor"
_TIMEOUT = 0.5


@dataclass(frozen=True)
class Part:
    """One part of the sandbox: where it answers, and whether it does."""

    name: str
    where: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class Status:
    """All parts, and the remedy when one is dead (empty when all are alive)."""

    directory: Path
    parts: tuple[Part, ...]
    remedy: str

    @property
    def ok(self) -> bool:
        """Whether every part is alive."""
        return all(part.ok for part in self.parts)


def status(directory: Path) -> Status:
    """Check every part. Raises `SandboxError` when no sandbox was started here."""
    directory = directory.absolute()
    world = World.load(directory)
    parts = [
        _part(part.name, part.where) if part.ok and part.name != SUPERVISOR else part
        for part in _processes(world, directory)
    ]
    urls = {"atlas": world.atlas_url, "aws": world.aws_url, "control": world.control_url}
    parts += [_part(name, urlsplit(url).netloc) for name, url in urls.items()]
    parts.append(_part("private endpoint", world.private_address))
    for name, environment in world.environments.items():
        if environment.service_url:
            parts.append(_part(f"service {name}", urlsplit(environment.service_url).netloc))
    for stack in world.environments:
        for provider, port in world.of(stack).provider_ports.items():
            parts.append(_part(f"provider {provider} {stack}", f"127.0.0.1:{port}"))
    return Status(directory, tuple(parts), _remedy(parts))


def require_alive(world: World) -> None:
    """Raises `SandboxError` when a process has ended; an address cut on purpose is no obstacle."""
    remedy = _remedy(_processes(world, world.directory))
    if remedy:
        raise SandboxError(remedy)


def _processes(world: World, directory: Path) -> list[Part]:
    if (directory / "kept").exists():
        raise SandboxError(
            f"the sandbox in {directory} has ended and was kept: `atlas-access sandbox reset` starts anew"
        )
    records = {record.name: record for record in processes.load(directory)}
    supervisor = records.get(SUPERVISOR)
    alive = supervisor is not None and supervisor.process() is not None and is_held(directory)
    where = f"pid {supervisor.pid}" if supervisor else ""
    parts = [Part(SUPERVISOR, where, alive, "" if alive else "process gone")]
    for name, environment in world.environments.items():
        record = records.get(f"mongod {name}")
        gone = record is None or record.process() is None
        parts.append(
            Part(f"mongod {name}", environment.mongod.address, not gone, "process gone" if gone else "")
        )
    return parts


def _part(name: str, address: str) -> Part:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_TIMEOUT):
            return Part(name, address, ok=True)
    except OSError as error:
        refused = isinstance(error, ConnectionRefusedError)
        return Part(name, address, ok=False, detail="refuses connections" if refused else "does not answer")


def _remedy(parts: list[Part]) -> str:
    dead = [part.name for part in parts if not part.ok]
    if not dead:
        return ""
    if dead == ["private endpoint"]:
        return "the private endpoint is cut: restore it, or `atlas-access sandbox reset` starts anew"
    named = f"{dead[0]} is" if len(dead) == 1 else f"{dead[0]} and {len(dead) - 1} more parts are"
    return (
        f"{named} dead: `atlas-access sandbox reset` starts anew, `atlas-access sandbox down` clears it away"
    )
