"""The whole migration: creates a sandbox, moves both stacks under constant load, and always tears everything down."""

import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from atlas_access.manifest import load_manifest
from atlas_access.review import Matrix, build
from atlas_access.smoke import MISSING, find_chromium
from sandbox import lifecycle
from sandbox.demo.kept_receipt import PAGE, users, write
from sandbox.demo.play import Audience, Notes, Player
from sandbox.demo.receipt import Chapter, Receipt
from sandbox.demo.story import story
from sandbox.deploy import Engine, choose
from sandbox.load.process import LoadProcess
from sandbox.mongod.process import MongodError, find_mongod
from sandbox.world import Options, SandboxError, World

RATE = 51.0  # requests a second on each environment's service


@dataclass(frozen=True)
class Played:
    """What the demo came to: its receipt with the pages' files, and the access matrix with what was proven."""

    receipt: Receipt
    matrix: Matrix
    page: Path

    @property
    def exit_code(self) -> int:
        """0 only when the story came to its end and every request was served well; else the worst of the codes."""
        worst = max((each.exit_code for each in self.receipt.deployments), default=0)
        return worst or int(not self.receipt.done)


def play(
    directory: Path,
    program_dir: Path,
    engine: Engine,
    audience: Audience,
    options: Options = Options(service=True),  # noqa: B008 - a frozen record
) -> Played:
    """Play the demo in `directory`, leaving only its receipt; raises what `lifecycle.up` and `deploy.deploy` raise."""
    notes, began = Notes(), time.monotonic()
    world = lifecycle.up(directory, options)
    try:
        line = describe(world, engine)
        audience.up(line)
        before = users(world)
        notes.chapters.append(Chapter("sandbox up", time.monotonic() - began))
        with LoadProcess.of(world, RATE, scenarios=program_dir / "smoke.yaml") as load:
            Player(world, directory, program_dir, engine, audience, notes, load).acts(story())
            after = users(world)
            report = load.end()
        manifest = load_manifest((program_dir / "access.yaml").read_text(encoding="utf-8"))
        matrix = build(manifest, [proof.observation for each in notes.deployments for proof in each.proofs])
        receipt = Receipt(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            sandbox=line,
            before=before,
            after=after,
            deployments=tuple(notes.deployments),
            releases=tuple(notes.releases),
            gates=tuple(notes.gates),
            load=report,
            accepted=matrix.accepted,
            chapters=tuple(notes.chapters),
            notes=()
            if find_chromium()
            else (f"Gate 6 was NOT RUN: {MISSING}. Outside a sandbox that stops a rollout.",),
            failure=notes.failure,
        )
        write(receipt, matrix, directory, world.secrets())
        return Played(receipt, matrix, directory / PAGE)
    finally:
        lifecycle.down(directory, keep=False)


def describe(world: World, engine: Engine) -> str:
    """What runs, in one line: `Sandbox: 2 mongod 6.0.5 · Atlas emulator · moto · engine: embedded (…) · seed 4711`."""
    servers = f"{len(world.environments)} mongod {mongod_version()}"
    kind = "easy world" if world.options.easy else f"seed {world.options.seed}"
    return f"Sandbox: {servers} · Atlas emulator · moto · engine: {choose(engine).name} · {kind}"


def mongod_version() -> str:
    """The version of the `mongod` that sandboxes run. Raises `SandboxError` when there is none."""
    try:
        path = find_mongod()
    except MongodError as error:
        raise SandboxError(str(error)) from None
    done = subprocess.run(  # noqa: S603 - the mongod that the sandbox itself runs
        [str(path), "--version"], capture_output=True, text=True, check=False, timeout=30
    )
    first, *_ = done.stdout.splitlines() or ["of an unknown version"]
    return first.removeprefix("db version v")


__all__ = ["RATE", "Audience", "Played", "describe", "mongod_version", "play"]
