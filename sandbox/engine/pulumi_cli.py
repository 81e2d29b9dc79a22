"""The `pulumi` CLI as an engine: project folder and backend inside the sandbox, without the caller's cloud settings."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.engine.cli_events import hand_on
from sandbox.engine.cli_packs import failure_of, prepare_pack
from sandbox.engine.recorder import Recorder
from sandbox.engine.stack_files import StackFiles, read_yaml, write_yaml
from sandbox.world import SandboxError, World, passed_on

OLDEST = (3, 200)  # the oldest CLI that the sandbox is tested with
_PULSE = 0.05
_END_SECONDS = 5.0

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TERM", "PULUMI_HOME")
"""What the CLI needs of the caller's environment; nothing else may leak in."""


@dataclass(frozen=True)
class PulumiCli:
    """A `pulumi` on this machine, of a version that will do."""

    path: Path
    version: tuple[int, ...]

    @classmethod
    def find(cls) -> "PulumiCli | None":
        """The CLI on PATH; None when there is none. Raises `SandboxError` when it is too old."""
        found = shutil.which("pulumi")
        if found is None:
            return None
        done = subprocess.run([found, "version"], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
        match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout.strip())
        version = tuple(int(part) for part in match.groups()) if match else ()
        if done.returncode != 0 or (version and version[:2] < OLDEST):
            shown = ".".join(map(str, version)) or "does not answer"
            raise SandboxError(
                f"{found}: {shown}; the sandbox needs {'.'.join(map(str, OLDEST))} or later: "
                "upgrade it, or use --engine embedded"
            )
        return cls(Path(found), version)

    @property
    def name(self) -> str:
        """What a person reads: `pulumi 3.260.0`; a build of one's own may have no version."""
        return f"pulumi {'.'.join(map(str, self.version)) or 'of an unknown version'}"

    def run(
        self,
        operation: str,
        world: World,
        files: StackFiles,
        recorder: Recorder,
        log: Callable[[str], None],
        *,
        policy_packs: tuple[Path, ...] = (),
        refresh: bool = False,
    ) -> bool:
        """Run preview, up or destroy and return whether it succeeded; output goes to `logs/pulumi-STACK.log`."""
        project = prepare_project(world.directory, files)
        environment = self._environment(world, files.stack)
        self._create_stack(project, files.stack, environment)
        events = world.directory / "logs" / f"pulumi-{files.stack}.events"
        events.parent.mkdir(parents=True, exist_ok=True)
        events.write_text("")
        command = [str(self.path), operation, "--stack", files.stack, "--non-interactive", "--color", "never"]
        command += ["--event-log", str(events)]
        if operation != "preview":
            command += ["--yes", "--skip-preview", *(["--refresh"] if refresh else [])]
        packs = [prepare_pack(world.directory, pack) for pack in policy_packs]
        for pack in packs:
            command += ["--policy-pack", str(pack)]

        def take(line: str) -> None:
            log(line)
            hand_on(json.loads(line), recorder)

        print_log = world.directory / "logs" / f"pulumi-{files.stack}.log"
        with print_log.open("w") as printed:
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=project,
                env=environment,
                stdout=printed,
                stderr=printed,
                stdin=subprocess.DEVNULL,
            )
            failure = _follow(events, process, take, lambda: next(filter(None, map(failure_of, packs)), ""))
        if failure:
            recorder.failed(failure)
        elif process.wait() == 0:
            return True
        for line in print_log.read_text(errors="replace").splitlines():
            if line.startswith("error: "):
                recorder.failed(line.removeprefix("error: "))
        return False

    def export(self, world: World, files: StackFiles) -> Mapping[str, Any]:
        """The stack's state in deployment format, secrets encrypted."""
        project = prepare_project(world.directory, files)
        text = self._answer(
            ["stack", "export", "--stack", files.stack], project, self._environment(world, files.stack)
        )
        document: Mapping[str, Any] = json.loads(text)
        return document

    def _create_stack(self, project: Path, stack: str, environment: Mapping[str, str]) -> None:
        known = json.loads(self._answer(["stack", "ls", "--json"], project, environment))
        if all(entry["name"].rpartition("/")[2] != stack for entry in known):
            command = ["stack", "init", stack, "--no-select", "--secrets-provider", "passphrase"]
            self._answer(command, project, environment)

    def _answer(self, arguments: list[str], project: Path, environment: Mapping[str, str]) -> str:
        done = subprocess.run(  # noqa: S603
            [str(self.path), *arguments, "--non-interactive"],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no reason given"]
            raise SandboxError(
                f"pulumi {' '.join(arguments[:2])} failed: {lines[-1].removeprefix('error: ')}"
            )
        return done.stdout

    @staticmethod
    def _environment(world: World, stack: str) -> dict[str, str]:
        Path(world.environment(stack)["PULUMI_BACKEND_URL"].removeprefix("file://")).mkdir(
            parents=True, exist_ok=True
        )
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        kept |= passed_on(os.environ)
        return kept | world.environment(stack) | {"PULUMI_DEBUG_COMMANDS": "true"}


def prepare_project(directory: Path, files: StackFiles) -> Path:
    """Prepare and return the CLI's project folder for a stack; the stack's encryption salt is kept."""
    project = directory / "pulumi" / "project"
    project.mkdir(parents=True, exist_ok=True)
    document = read_yaml(files.program_dir / "Pulumi.yaml", "run the command in the project's folder")
    main = files.program_dir.resolve() / str(document.get("main", "."))
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
    document |= {"main": os.path.relpath(main, project.resolve()), "runtime": runtime}
    write_yaml(project / "Pulumi.yaml", document)
    settings = project / f"Pulumi.{files.stack}.yaml"
    kept = read_yaml(settings, "") if settings.exists() else {}
    salt = {key: value for key, value in kept.items() if key.startswith("encryption")}
    typed = {key: _typed(document, key, value) for key, value in files.config.items()}
    write_yaml(settings, {**salt, "config": typed})
    return project


def holds_resources(directory: Path) -> bool:
    """Whether a stack in the CLI's file backend has been deployed."""
    found = (directory / "pulumi" / ".pulumi" / "stacks").glob("*/*.json")
    return any('"resources"' in path.read_text(errors="replace") for path in found)


def _typed(project: Mapping[str, Any], key: str, value: str) -> Any:
    """A setting in the type that the project declares for it: the CLI checks."""
    declared = project.get("config", {}).get(key, {})
    if not isinstance(declared, Mapping):
        return value
    kind = declared.get(
        "type", "array" if isinstance(declared.get("default"), list | tuple | Mapping) else None
    )
    return value if kind in {None, "string"} else json.loads(value)


def _follow(
    path: Path, process: subprocess.Popen[bytes], take: Callable[[str], None], failure: Callable[[], str]
) -> str:
    """Pass on a growing file's lines until its writer ends; return the `failure` for which it was ended, or ""."""
    ended = threading.Event()

    def wait() -> None:
        process.wait()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    with path.open(encoding="utf-8") as stream:
        pending = ""
        while True:
            last = ended.wait(_PULSE)
            reason = "" if last else failure()
            if reason:
                _end(process)
            pending += stream.read()
            *lines, pending = pending.split("\n")
            for line in filter(None, lines):
                take(line)
            if last or reason:
                return reason


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
