"""One deployment of a stack in the sandbox: checks the inputs, chooses the engine, runs it, returns a record."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from atlas_access.base import check_settings
from atlas_access.manifest import judged, load_manifest
from atlas_access.review import Deployment, Operation, Progress
from atlas_access.rollout import ServiceState
from components.settings import read_files
from sandbox.engine import outcome
from sandbox.engine.embedded import Embedded
from sandbox.engine.pulumi_cli import PulumiCli, holds_resources, prepare_project
from sandbox.engine.recorder import Recorder
from sandbox.engine.stack_files import PHASES, StackFiles, read_stack
from sandbox.health import require_alive
from sandbox.world import SandboxError, World

POLICY = Path(__file__).resolve().parents[1] / "policy"
"""The pack that every preview and every update runs."""


class Engine(StrEnum):
    """Which engine deploys: the CLI when it is on PATH (auto), the CLI or an error, or ours."""

    AUTO = "auto"
    PULUMI = "pulumi"
    EMBEDDED = "embedded"


@dataclass(frozen=True)
class Order:
    """What to deploy and how; `phase` and `settings` override the stack's file.

    `policy` is our pack, `policy_packs` run beside it.
    `refresh` first reads the real state, so that the update corrects manual changes.
    """

    stack: str
    operation: Operation = Operation.UP
    phase: str | None = None
    engine: Engine = Engine.AUTO
    program_dir: Path = Path()
    settings: Mapping[str, str] = field(default_factory=dict)
    events: Path | None = None
    policy: Path = POLICY
    policy_packs: tuple[Path, ...] = ()
    refresh: bool = False


def choose(wanted: Engine, world: World | None = None) -> PulumiCli | Embedded:
    """Return the engine to use; auto keeps the one that deployed a stack of `world` before.

    Raises `SandboxError` when the CLI is wanted and missing or too old, or another engine deployed a stack already.
    """
    used = engine_of(world) if world is not None else None
    if used is not None and wanted not in {Engine.AUTO, used}:
        raise SandboxError(
            f"this sandbox's stacks were deployed by --engine {used.value}, and engines do not share their states: "
            f"use --engine {used.value}, or start anew with `atlas-access sandbox reset`"
        )
    chosen = wanted if used is None else used
    if chosen is Engine.EMBEDDED:
        return Embedded()
    cli = PulumiCli.find()
    if cli is None and chosen is Engine.PULUMI:
        raise SandboxError(
            "no pulumi CLI is on PATH: install 3.200 or later, or use --engine embedded, which needs none"
        )
    return cli or Embedded(because="no pulumi CLI on PATH")


def engine_of(world: World) -> Engine | None:
    """The engine that has deployed a stack of this sandbox; None before the first deployment."""
    if any(world.state_file(stack).exists() for stack in world.environments):
        return Engine.EMBEDDED
    return Engine.PULUMI if holds_resources(world.directory) else None


def deploy(world: World, order: Order, on_progress: Callable[[Progress], None]) -> Deployment:
    """Carry out an order and return its record, also of a failed run.

    Raises `ManifestInvalid` and `SettingsInvalid` for wrong inputs, before anything is contacted, and `SandboxError`.
    """
    world.of(order.stack)
    files = checked(order)
    require_alive(world)
    engine = choose(order.engine, world)
    preview = order.operation is Operation.PREVIEW
    recorder = Recorder(on_progress, preview=preview, secrets=world.secrets())
    began = time.monotonic()
    with _event_log(order.events) as log:
        packs = () if order.operation is Operation.DESTROY else (order.policy, *order.policy_packs)
        ok = engine.run(
            order.operation.value, world, files, recorder, log, policy_packs=packs, refresh=order.refresh
        )
    seconds = time.monotonic() - began
    state = outcome.resources(engine.export(world, files))
    failure = "" if ok else _failure(recorder, world, order.stack)
    changed = any(step.changing for step in recorder.steps)
    moving = order.operation is Operation.UP and files.phase != PHASES[0] and changed
    now = _service_now(world, files) if moving or failure else None
    return Deployment(
        stack=order.stack,
        phase=files.phase,
        operation=order.operation,
        engine=engine.name,
        seconds=seconds,
        steps=recorder.steps,
        proofs=() if order.operation is Operation.DESTROY else outcome.proofs(state),
        swap=outcome.swap(state, now) if now and not failure else None,
        failure=failure,
        policies=tuple(recorder.policies),
        keeps_running=outcome.running(now) if now and failure else "",
        declared=tuple(each.name for each in files.manifest.users) if files.manifest else (),
        manifest=files.manifest,
    )


def prepare_by_hand(world: World, program_dir: Path, stack: str) -> Path:
    """Lay out the folder in which a `pulumi` CLI works on the sandbox by hand, and return it."""
    world.of(stack)
    require_alive(world)
    return prepare_project(world.directory, checked(Order(stack, program_dir=program_dir)))


def exported(world: World, stack: str) -> Mapping[str, Any]:
    """A stack's state in deployment format, secrets encrypted; empty before its first deployment."""
    world.of(stack)
    if engine_of(world) is None:
        return {}
    return choose(Engine.AUTO, world).export(world, checked(Order(stack)))


def checked(order: Order) -> StackFiles:
    """The stack's files with the order's overrides, after every check that needs no contact."""
    manifest = order.program_dir / "access.yaml"
    try:
        text = manifest.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SandboxError(f"{manifest} is not UTF-8 text: restore it") from None
    except OSError:
        raise SandboxError(f"{manifest} is missing: run the command in the project's folder") from None
    overrides = {key.rpartition(":")[2]: value for key, value in order.settings.items()}
    if order.phase is not None:
        overrides["phase"] = order.phase
    files = read_stack(order.program_dir, order.stack).configured(overrides)
    texts = read_files(order.program_dir)
    declared, _ = judged(
        lambda: load_manifest(text, source=str(manifest)),
        lambda: check_settings(order.stack, texts, sandbox=True, overrides=overrides),
    )
    return replace(files, manifest=declared)


def _service_now(world: World, files: StackFiles) -> ServiceState | None:
    """What the stack's service runs; None when ECS gives no answer. The AWS client loads slowly: only here."""
    from botocore.exceptions import BotoCoreError, ClientError

    from atlas_access.clients import AwsUnavailable
    from atlas_access.rollout import Service, ServiceMissing
    from sandbox.aws.clients import client_of

    try:
        ecs = client_of(world, files.stack, "ecs")
        return Service(ecs, files.of("ecsCluster"), files.of("ecsService")).observe()
    except (AwsUnavailable, ServiceMissing, ClientError, BotoCoreError):
        return None


@contextmanager
def _event_log(path: Path | None) -> Iterator[Callable[[str], None]]:
    """What to call with each event's line; without a file they go nowhere."""
    if path is None:
        yield lambda _: None
        return
    try:
        stream = path.open("w", encoding="utf-8")
    except OSError as error:
        raise SandboxError(f"{path} cannot be written ({error.strerror}): name another file") from None
    with stream:

        def write(line: str) -> None:
            stream.write(f"{line}\n")
            stream.flush()

        yield write


def _failure(recorder: Recorder, world: World, stack: str) -> str:
    """The errors, one per line, without lines contained in longer ones; those of a rollout or retirement first."""
    ends = _lines(recorder.ends)
    # With an end of a rollout, the CLI's own "update failed" says nothing more.
    others = _lines(each for each in recorder.errors if not (ends and each == "update failed"))
    rest = [line for line in others if not any(other != line and other in line for other in (*ends, *others))]
    return (
        "\n".join(dict.fromkeys((*ends, *rest)))
        or f"the engine stopped without a reason: see {world.directory / 'logs'} (stack {stack})"
    )


def _lines(errors: Iterable[str]) -> list[str]:
    """Their lines, each once."""
    return list(
        dict.fromkeys(line.strip() for error in errors for line in error.splitlines() if line.strip())
    )
