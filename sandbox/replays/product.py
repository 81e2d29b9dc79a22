"""Runs the product on the same mistake: its commands and its deployments, without checks of the sandbox's own."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from atlas_access.base import ManifestError, ManifestInvalid, Status
from atlas_access.review import Deployment, Operation
from sandbox.deploy import Engine, Order, deploy
from sandbox.replays.model import Catch, Catcher, Caught
from sandbox.replays.stage import Stage
from sandbox.world import SandboxError

UNGATED = {"allowUngatedRollout": "true"}
"""Leaves the smoke gates out, where another catcher is what a replay is about."""

_STACKS = ("Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml")
_PROGRAM = ("__main__.py", *_STACKS, "access.yaml", "smoke.yaml")
_HOME = Path(__file__).parents[2]
_COMMAND_SECONDS = 120


@contextmanager
def edited(stage: Stage, file: str, changes: Mapping[str, str]) -> Iterator[Path]:
    """The project's folder with each text, which occurs once in a file, replaced. Raises `SandboxError` otherwise."""
    with TemporaryDirectory(prefix="replay-") as name:
        folder = Path(name)
        for each in _PROGRAM:
            shutil.copy(stage.program_dir / each, folder / each)
        text = (folder / file).read_text(encoding="utf-8")
        for old, new in changes.items():
            if text.count(old) != 1:
                raise SandboxError(f"{file} has changed: this replay no longer finds {old.strip()!r} in it")
            text = text.replace(old, new)
        (folder / file).write_text(text, encoding="utf-8")
        yield folder


def refused(stage: Stage, file: str, changes: Mapping[str, str]) -> tuple[Caught, ...]:
    """Preview phase bind with a file changed; return what refuses it."""
    with edited(stage, file, changes) as folder:
        began = time.monotonic()
        order = Order(stage.stack, Operation.PREVIEW, "bind", Engine.EMBEDDED, folder)
        try:
            return caught_by(deploy(stage.world, order, lambda _: None))
        except ManifestInvalid as error:
            return (refused_by_manifest(error.errors, time.monotonic() - began),)


def update(stage: Stage, phase: str, settings: Mapping[str, str] | None = None) -> Deployment:
    """Deploy the project as it is."""
    order = Order(
        stage.stack, Operation.UP, phase, Engine.EMBEDDED, stage.program_dir, settings=dict(settings or {})
    )
    return deploy(stage.world, order, lambda _: None)


def guarded(stage: Stage, catcher: Catcher, *arguments: str) -> tuple[Caught, ...]:
    """The findings of a command that runs guards, each by its guard's name: the first of each guard is quoted."""
    answer, seconds = command(stage, *arguments, "--format", "json")
    return tuple(
        Caught(Catch(catcher, each["guard"]), _quoted(each["findings"]), seconds)
        for each in answer["guards"]
        if each["findings"]
    )


def caught_by(done: Deployment) -> tuple[Caught, ...]:
    """Everything that stopped a deployment: each broken rule once; a failure of another kind is no catch."""
    broken = {each.code: each.message for each in reversed(done.policies) if each.status is Status.BAD}
    if broken:
        return tuple(
            Caught(Catch(Catcher.POLICY, rule), said, done.seconds) for rule, said in reversed(broken.items())
        )
    first = done.failure.strip().splitlines()[:1]
    return tuple(Caught(Catch(Catcher.OTHER, line), line, done.seconds) for line in first)


def refused_by_manifest(errors: tuple[ManifestError, ...], seconds: float) -> Caught:
    """The manifest's refusal, named by its first error about a binding, else by its first."""
    first = next((each for each in errors if each.where.startswith("bindings.")), errors[0])
    return Caught(Catch(Catcher.MANIFEST, first.where), f"{first.where}: {first.problem}", seconds)


def failing_gates(stage: Stage) -> tuple[str, ...]:
    """The gates that the service fails now, by `atlas-access smoke`; those by HTTP alone are waited for."""
    answer, _ = command(stage, "smoke", stage.stack, "--format", "json")
    gates: Sequence[Mapping[str, Any]] = answer["rounds"][-1]["gates"]
    return tuple(f"gate {each['gate']}" for each in gates if each["standing"] == "unmet")


def command(stage: Stage, *arguments: str) -> tuple[dict[str, Any], float]:
    """Run `atlas-access …` with the stack's variables; its JSON and seconds. Raises `SandboxError` without JSON."""
    began = time.monotonic()
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    paths = os.pathsep.join(filter(None, (str(_HOME), os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(  # noqa: S603 - this Python, this project's own command
            [sys.executable, "-m", "atlas_access.cli.main", *arguments],
            cwd=stage.program_dir,
            env={**inherited, **stage.world.environment(stage.stack), "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (ValueError, subprocess.TimeoutExpired) as error:
        said = getattr(error, "stderr", None) or (done.stderr if isinstance(error, ValueError) else "no end")
        raise SandboxError(f"atlas-access {arguments[0]} gave no answer: {str(said).strip()}") from None
    return answer, time.monotonic() - began


def _quoted(findings: Sequence[Mapping[str, Any]]) -> str:
    first = findings[0]
    place = Path(str(first["path"])).name + (f":{first['line']}" if first["line"] else "")
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{place}: {first['what']}{more}"


def started(stage: Stage, phase: str, settings: Mapping[str, str] | None = None) -> None:
    """Bring a stack to a phase. Raises `SandboxError` when it does not get there."""
    done = update(stage, phase, settings)
    if done.failure:
        raise SandboxError(f"{stage.stack} did not reach {phase}: {done.failure.splitlines()[0]}")
