"""The project's and the stacks' Pulumi files, read as the CLI reads them: settings with the project's defaults.

It must never change those files: a run that wants other values gets a copy of its own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.world import SandboxError

PHASES = ("provision", "bind", "retire")


@dataclass(frozen=True)
class StackFiles:
    """One stack of the project in `program_dir`; `config` as Pulumi hands it to a program: full keys, string values."""

    program_dir: Path
    project: str
    stack: str
    config: Mapping[str, str]

    @property
    def phase(self) -> str:
        """How far this run takes the migration."""
        return self.of("phase") or PHASES[0]

    def of(self, setting: str) -> str:
        """One of the project's own settings, by its bare name; empty when it is not set."""
        return self.config.get(f"{self.project}:{setting}", "")

    def configured(self, changes: Mapping[str, str]) -> "StackFiles":
        """The same stack with some settings replaced, by their names; a name without a project is the project's own."""
        full = {key if ":" in key else f"{self.project}:{key}": value for key, value in changes.items()}
        return StackFiles(self.program_dir, self.project, self.stack, {**self.config, **full})


def read_stack(program_dir: Path, stack: str) -> StackFiles:
    """Read Pulumi.yaml and Pulumi.<stack>.yaml.

    Raises `SandboxError` when one is missing or is not such a file, or a setting is encrypted: the sandbox has no key
    for it.
    """
    project = read_yaml(program_dir / "Pulumi.yaml", "run the command in the project's folder")
    settings = read_yaml(
        program_dir / f"Pulumi.{stack}.yaml", "the sandbox has the stacks that have such a file"
    )
    name = project.get("name")
    if not isinstance(name, str):
        raise SandboxError(f"{program_dir / 'Pulumi.yaml'}: `name` is missing: give the project its name")
    config = {
        _full(name, key): as_text(declared["default"])
        for key, declared in _section(project, "config").items()
        if isinstance(declared, Mapping) and "default" in declared
    }
    for key, value in _section(settings, "config").items():
        if isinstance(value, Mapping) and set(value) == {"secure"}:
            raise SandboxError(
                f"Pulumi.{stack}.yaml: {key} is encrypted, and the sandbox has no key for it: "
                "keep credentials in the environment"
            )
        config[_full(name, key)] = as_text(value)
    return StackFiles(program_dir, name, stack, config)


def read_yaml(path: Path, remedy: str) -> dict[str, Any]:
    """Return a YAML file's mapping; raises `SandboxError`, ending in `remedy` when the file is not there."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SandboxError(f"{path} is missing: {remedy}") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        where = getattr(error, "problem_mark", None)
        line = f":{where.line + 1}" if where is not None else ""
        raise SandboxError(f"{path}{line} is not readable YAML: mend it") from None
    if not isinstance(document, dict):
        raise SandboxError(f"{path} holds no mapping: mend it")
    return document


def as_text(value: object) -> str:
    """Return a setting as Pulumi stores it: strings as they are, everything else as JSON, times as text."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), default=str)


def _full(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = document.get(name)
    return section if isinstance(section, Mapping) else {}
