"""A whole sandbox for some tests, deployments in it, and commands that run as a person runs them."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from atlas_access.cli.main import run
from atlas_access.review.deployment import Deployment, Operation, Progress
from sandbox import lifecycle
from sandbox.deploy import Engine, Order, deploy
from sandbox.world import Options, World

ROOT = Path(__file__).resolve().parents[2]
CLOUD = ("AWS_", "ATLAS_", "MONGODB_", "GITHUB_", "GH_")
UNGATED = {"allowUngatedRollout": "true"}


@contextmanager
def sandbox(directory: Path, **options: Any) -> Iterator[World]:
    world = lifecycle.up(directory, Options(**options))
    try:
        yield world
    finally:
        lifecycle.down(directory, keep=False)


def deployed(
    world: World,
    stack: str,
    phase: str,
    operation: Operation = Operation.UP,
    *,
    say: Callable[[Progress], object] = lambda _: None,
    program_dir: Path = ROOT,
    **more: Any,
) -> Deployment:
    captured = (world.directory / "baselines" / f"{stack}.json").exists()
    more.setdefault("settings", {} if captured else UNGATED)
    order = Order(stack, operation, phase, Engine.EMBEDDED, program_dir, **more)
    return deploy(world, order, say)


@pytest.fixture(scope="module")
def provisioned_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A sandbox whose staging stack is provisioned; not for longer than a file, because no sandbox is idle."""
    with sandbox(tmp_path_factory.mktemp("provisioned"), propagation_seconds=0.2) as world:
        assert "" == deployed(world, "staging", "provision").failure
        yield world


def refused_logins(world: World, stack: str) -> dict[str, int]:
    """How often a cluster has refused a login, by user, in mongod's own log; our own proofs' clients are left out."""
    proofs, refused = set(), []
    for line in (world.directory / "logs" / f"mongod-{stack}.log").read_text(encoding="utf-8").splitlines():
        said = json.loads(line) if '"client metadata"' in line or '"Authentication failed"' in line else {}
        attr = said.get("attr", {})
        if attr.get("doc", {}).get("application", {}).get("name", "").startswith("atlas-access"):
            proofs.add(said["ctx"])
        elif "principalName" in attr and said["ctx"] not in proofs:
            refused.append(attr["principalName"])
    return dict(Counter(refused))


def run_command(
    world: World, stack: str, *arguments: str, seconds: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run `atlas-access` in a process of its own, in the stack's environment."""
    return subprocess.run(
        [sys.executable, "-m", "atlas_access.cli.main", *arguments],
        cwd=ROOT,
        env={**os.environ, **world.environment(stack)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def run_here(world: World, stack: str, *arguments: str, **more: str) -> tuple[int, str, str]:
    """Run `atlas-access` in this process, in nothing but the stack's environment; its code and both outputs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "MONGOD") if name in os.environ}
    environment = {**kept, **world.environment(stack), "COLUMNS": "200", **more}
    with (
        patch.dict(os.environ, environment, clear=True),
        chdir(ROOT),
        redirect_stdout(StringIO()) as out,
        redirect_stderr(StringIO()) as err,
    ):
        code = run(list(arguments))
    return code, out.getvalue(), err.getvalue()


def enter(world: World, stack: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """Give this process the stack's environment and nothing else of a cloud's."""
    monkeypatch.chdir(ROOT)
    for name in [name for name in os.environ if name.startswith(CLOUD)]:
        monkeypatch.delenv(name)
    for name, value in world.environment(stack).items():
        monkeypatch.setenv(name, value)
    return world


def copy_program(directory: Path) -> Path:
    """The program, its files and what it is made of, to be changed by a test."""
    directory.mkdir(parents=True, exist_ok=True)
    for pattern in ("__main__.py", "*.yaml", "atlas_access", "components", "probes"):
        for path in ROOT.glob(pattern):
            if path.is_dir():
                shutil.copytree(path, directory / path.name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, directory)
    return directory


def register_proof_family(ecs: Any, family: str) -> str:
    """Register a family whose image holds this project, as an operator would; the runtime's execution role."""
    running = ecs.describe_task_definition(taskDefinition="askflorence-staging-app")["taskDefinition"]
    container = {
        "name": "proof",
        "image": "registry.example.com/atlas-access:1",
        "essential": True,
        "logConfiguration": running["containerDefinitions"][0]["logConfiguration"],
        "command": ["python"],
    }
    size = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
    ecs.register_task_definition(family=family, containerDefinitions=[container], **size)
    return str(running["executionRoleArn"])
