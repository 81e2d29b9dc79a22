"""Reads the Pulumi project and stack files as the CLI does: settings with the project's defaults."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from atlas_access.base import ManifestInvalid, read_yaml as read_document
from atlas_access.manifest import Manifest
from sandbox.world import SandboxError

PHASES = ("provision", "bind", "retire")


@dataclass(frozen=True)
class StackFiles:
    """One stack of the project in `program_dir`; `config` as Pulumi hands it to a program: full keys, string values.

    `manifest` is what access.yaml declares, once it was checked.
    """

    program_dir: Path
    project: str
    stack: str
    config: Mapping[str, str]
    manifest: Manifest | None = None

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
    """Read Pulumi.yaml and Pulumi.<stack>.yaml. Raises `SandboxError` for missing, wrong or encrypted settings."""
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
        document: Any = read_document(path.read_bytes(), str(path)).data
    except FileNotFoundError:
        raise SandboxError(f"{path} is missing: {remedy}") from None
    except OSError:
        raise SandboxError(f"{path} cannot be read: correct its permissions") from None
    except ManifestInvalid as refused:
        first = refused.errors[0]
        raise SandboxError(f"{path}:{first.line} is not readable YAML: {first.problem}") from None
    if not isinstance(document, dict):
        raise SandboxError(f"{path} holds no mapping: write key: value lines")
    return document


def write_yaml(path: Path, document: Mapping[str, Any]) -> None:
    """Write a mapping as a YAML file."""
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.dump(dict(document), path)


def as_text(value: object) -> str:
    """Return a setting as Pulumi stores it: strings as they are, all else as JSON with keys in order, times as text."""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), sort_keys=True, default=str)


def _full(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = document.get(name)
    return section if isinstance(section, Mapping) else {}
