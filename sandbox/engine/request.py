"""The engine's request and result, and the checks before anything starts; endpoints must be on this machine."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from atlas_access.base import is_loopback
from sandbox.engine.errors import EngineError

ROOT: Final = Path(__file__).resolve().parents[2]
OPERATIONS = ("preview", "up", "destroy", "refresh")
# Families of variables that send traffic somewhere, and the schemes that do; file:// stays here by nature.
_NAMES = re.compile(r"^(AWS_|MONGODB|MONGO_|ATLAS_|PULUMI_|GITHUB_API_URL$|HUBSPOT)")
_REMOTE = re.compile(r"^(https?|mongodb(\+srv)?|grpc|wss?)://", re.IGNORECASE)
_NEEDED = {"aws": "AWS_ENDPOINT_URL", "mongodbatlas": "MONGODB_ATLAS_BASE_URL"}


class EngineRefused(EngineError):
    """The request cannot be run; nothing was started."""


@dataclass(frozen=True)
class EngineRequest:
    """One run.

    `config` maps `project:key` to text; `environment` is all that the program and packs get; `provider_ports` maps
    packages to ports. `call_seconds` is how long a call of those providers and of a pack may take; a dynamic provider,
    which carries whole rollouts out, takes its time.
    """

    operation: str
    program_dir: Path
    project: str
    stack: str
    config: Mapping[str, str]
    environment: Mapping[str, str] = field(repr=False)
    state_file: Path
    provider_ports: Mapping[str, int]
    passphrase: str = field(repr=False)
    policy_packs: tuple[Path, ...] = ()
    parallel: int = 8
    call_seconds: float = 300.0
    organization: str = "organization"

    @property
    def needs_program(self) -> bool:
        """Whether the program takes part."""
        return self.operation in ("preview", "up")

    @property
    def dry_run(self) -> bool:
        """True for a preview."""
        return self.operation == "preview"

    def host_environment(self) -> dict[str, str]:
        """The environment of a program or host: the given one plus what a process needs to start, without proxies."""
        needed = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        given = {key: text for key, text in self.environment.items() if not key.lower().endswith("_proxy")}
        path = os.pathsep.join(filter(None, [given.get("PYTHONPATH"), str(ROOT)]))
        return {**needed, **given, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "NO_PROXY": "*"}


@dataclass(frozen=True)
class EngineResult:
    """A run's result: `error` is "" when `ok`, `changes` counts resources by operation."""

    ok: bool
    error: str
    changes: Mapping[str, int]
    outputs: Mapping[str, Any]


def stays_here(url: str) -> bool:
    """True if every host of `url` is on this machine."""
    try:
        netloc = urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return False
    return bool(netloc) and all(is_loopback(re.sub(r":\d*$", "", host)) for host in netloc.split(","))


def check(request: EngineRequest) -> None:
    """Raises EngineRefused for what is wrong before anything is started."""
    if request.operation not in OPERATIONS:
        raise EngineRefused(f"operation {request.operation!r} is unknown; use one of {', '.join(OPERATIONS)}")
    if not (request.program_dir / "__main__.py").is_file():
        raise EngineRefused(f"{request.program_dir} has no __main__.py; point to the folder of the program")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", request.stack):
        raise EngineRefused(f"stack name {request.stack!r} is not one; use letters, digits, _, . and -")
    for name, text in sorted(request.environment.items()):
        if _NAMES.match(name) and _REMOTE.match(text) and not stays_here(text):
            raise EngineRefused(
                f"{name} is not on this machine; the sandbox engine talks to loopback addresses only"
            )
    for package, name in _NEEDED.items():
        if package in request.provider_ports and not request.environment.get(name):
            raise EngineRefused(f"{name} is not set; without it {package} would be called in the cloud")
