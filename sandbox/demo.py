"""The whole job in one go: a sandbox from nothing, staging and then prod on proven credentials, all torn down again.

It must always tear down what it started, however it ends, and never go on after a deployment that failed.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from access.manifest import load_manifest
from reports import matrix_html
from reports.deployment import Deployment, Operation, Progress
from reports.deployment_text import summary_line
from reports.matrix import Matrix, build
from rollout.clock import advance
from sandbox import lifecycle
from sandbox.deploy import Engine, Order, choose, deploy
from sandbox.mongod import MongodError, find_mongod
from sandbox.world import Options, SandboxError, World

_UNGATED = {"allowUngatedRollout": "true"}
_SOAK_SECONDS = 31 * 60

STEPS = (
    Order("staging", Operation.PREVIEW, "provision"),
    Order("staging", Operation.UP, "provision"),
    Order("staging", Operation.UP, "bind", settings=_UNGATED),
    Order("prod", Operation.UP, "provision"),
    Order("prod", Operation.UP, "bind", settings=_UNGATED),
)
"""What the demo deploys, in the order that the real migration takes."""


@dataclass(frozen=True)
class Audience:
    """Whom the demo tells: the sandbox's own line, each deployment as it begins, goes on and has ended."""

    up: Callable[[str], None]
    begins: Callable[[Order], None]
    goes_on: Callable[[Progress], None]
    ended: Callable[[Deployment], None]


@dataclass(frozen=True)
class Played:
    """What the demo came to: its deployments, the access matrix with their proofs, and the receipt's file."""

    sandbox: str
    deployments: tuple[Deployment, ...]
    matrix: Matrix
    receipt: Path

    @property
    def exit_code(self) -> int:
        """The worst of the deployments' codes; 0 only when every one was made."""
        return max((each.exit_code for each in self.deployments), default=0)


def play(directory: Path, program_dir: Path, engine: Engine, audience: Audience) -> Played:
    """Play the demo in `directory` and leave nothing but its receipt there.

    Raises what `sandbox.lifecycle.up` and `sandbox.deploy.deploy` raise.
    """
    world = lifecycle.up(directory, Options(service=True))
    try:
        told = describe(world, engine)
        audience.up(told)
        done = _deployed(world, directory, program_dir, engine, audience)
        text = (program_dir / "access.yaml").read_text(encoding="utf-8")
        proofs = [proof.observation for each in done for proof in each.proofs]
        matrix = build(load_manifest(text), proofs)
        receipt = directory / "receipt.html"
        story = [told, *(summary_line(each) for each in done if each.operation is not Operation.PREVIEW)]
        receipt.write_text(matrix_html.render(matrix, story), encoding="utf-8")
    finally:
        lifecycle.down(directory, keep=False)
    return Played(told, tuple(done), matrix, receipt)


def describe(world: World, engine: Engine) -> str:
    """What runs, in one line: `Sandbox: 2 mongod 6.0.5 · Atlas emulator · moto · engine: embedded (…)`."""
    count = len(world.environments)
    return (
        f"Sandbox: {count} mongod {mongod_version()} · Atlas emulator · moto · engine: {choose(engine).name}"
    )


def mongod_version() -> str:
    """The version of the `mongod` that sandboxes run. Raises `SandboxError` when there is none."""
    try:
        path = find_mongod()
    except MongodError as error:
        raise SandboxError(str(error)) from None
    told = subprocess.run(  # noqa: S603 - the mongod that the sandbox itself runs
        [str(path), "--version"], capture_output=True, text=True, check=False, timeout=30
    )
    first, *_ = told.stdout.splitlines() or ["of an unknown version"]
    return first.removeprefix("db version v")


def _deployed(
    world: World, directory: Path, program_dir: Path, engine: Engine, audience: Audience
) -> list[Deployment]:
    done: list[Deployment] = []
    for step in STEPS:
        audience.begins(step)
        done.append(deploy(world, replace(step, engine=engine, program_dir=program_dir), audience.goes_on))
        audience.ended(done[-1])
        if done[-1].failure:
            break
        if step.phase == "bind" and (directory / "sandbox.json").is_file():
            advance(directory, _SOAK_SECONDS)
    return done
