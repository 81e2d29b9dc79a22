"""What commands read from files: the manifest and evidence, with every mistake said in a sentence.

A wrong file is refused before anything is contacted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.base import Format, Phase
from atlas_access.cli.errors import UNKNOWN, WRONG, CommandFailed, presented_as

if TYPE_CHECKING:
    from atlas_access.base import Endpoints, Settings
    from atlas_access.clients import SignIn
    from atlas_access.guards import Tree
    from atlas_access.manifest import KnownUser, Manifest
    from atlas_access.review import Observation

MANIFEST = Path("access.yaml")
KNOWN_USERS = Path("known-users.yaml")
HERE = Path(".sandbox")

Output = Annotated[
    Format, typer.Option("--format", help="How to show it; every format carries the same facts.")
]
"""The option of every command that shows a report."""


class TableFormat(StrEnum):
    """The formats of a report that is also a document."""

    TEXT = "text"
    MD = "md"
    HTML = "html"
    JSON = "json"


class Engine(StrEnum):
    """Which engine deploys in the sandbox."""

    AUTO = "auto"
    PULUMI = "pulumi"
    EMBEDDED = "embedded"


class SandboxWorld(StrEnum):
    """How a sandbox behaves."""

    USUAL = "usual"
    EASY = "easy"


class PlainFormat(StrEnum):
    """The formats of an answer."""

    TEXT = "text"
    JSON = "json"


Stack = Annotated[str, typer.Argument(help="An environment of access.yaml.")]
PlainOutput = Annotated[PlainFormat, typer.Option("--format", help="How to show it.")]
ManifestPath = Annotated[Path, typer.Option("--manifest", help="The manifest to read.")]
KnownUsersPath = Annotated[Path, typer.Option("--known-users", help="The list of known users.")]
PhaseChoice = Annotated[
    Phase | None, typer.Option("--phase", help="How far the stack is, instead of its file.")
]
Directory = Annotated[
    Path, typer.Option("--dir", envvar="ATLAS_ACCESS_SANDBOX_DIR", help="Where the sandbox keeps its files.")
]


def settings(given: Sequence[str]) -> dict[str, str]:
    """Settings given as KEY=VALUE. Raises CommandFailed (exit 2) for anything else."""
    for each in given:
        if not each.partition("=")[0] or "=" not in each:
            raise CommandFailed(
                f'--config "{each}" is no setting. Write it as KEY=VALUE, for example unprotect=true.'
            )
    return {key: value for key, _, value in (each.partition("=") for each in given)}


def read_endpoints() -> Endpoints:
    """Where this process may send anything; raises CommandFailed (exit 2) for addresses that are refused."""
    from atlas_access.base import EndpointRefused, Endpoints

    with presented_as(WRONG, EndpointRefused):
        return Endpoints.from_environment(os.environ)


def sign_in_if_any() -> SignIn | None:
    """The credentials for Atlas in the environment; None without any."""
    from atlas_access.clients import CredentialsMissing, sign_in_from

    try:
        return sign_in_from(os.environ)
    except CredentialsMissing:
        return None


def own_account(stack: str, settings: Settings, endpoints: Endpoints) -> None:
    """Raise CommandFailed unless the AWS credentials act in the stack's own account (2), or when nobody knows (3)."""
    from atlas_access.clients import AwsUnavailable, wrong_account

    with presented_as(UNKNOWN, AwsUnavailable, remedy="Nothing was touched."):
        elsewhere = wrong_account(stack, settings.aws_account_id, settings.aws_region, endpoints)
    if elsewhere:
        raise CommandFailed(f"{elsewhere}.", "Sign in to the right account.")


def read_source(source: Path, excluded: Sequence[str], names: Iterable[str] = ()) -> Tree:
    """The source tree, with files that name one of `names`; raises CommandFailed (exit 2) when it cannot be read."""
    from atlas_access.guards import read_tree

    try:
        return read_tree(source, excluded, names)
    except OSError as error:
        raise CommandFailed(
            f"--source {source}: {error.strerror or 'cannot be read'}.", "Name a folder."
        ) from error


def read_manifest(path: Path) -> Manifest:
    """The manifest at `path`; raises CommandFailed (exit 2) with all of its errors at once."""
    from atlas_access.base import ManifestInvalid
    from atlas_access.manifest import load_manifest

    text = read_text(path, "Run the command where access.yaml is, or name it with --manifest.")
    with presented_as(2, ManifestInvalid):
        return load_manifest(text, source=str(path))


def read_settings(
    stack: str, endpoints: Endpoints, *, phase: Phase | None = None, unset: bool = False
) -> Settings:
    """The settings of a stack, from the Pulumi.<stack>.yaml files here; raises CommandFailed with all errors at once.

    `phase` overrides the file's. In sandbox mode, and with `unset`, placeholders are allowed.
    """
    from atlas_access.base import SettingsInvalid, check_settings, stack_files

    remedy = "Run the command where the Pulumi.<stack>.yaml files are."
    files = {name: read_text(path, remedy) for name, path in stack_files(Path()).items()}
    overrides = {} if phase is None else {"phase": phase.value}
    with presented_as(2, SettingsInvalid):
        return check_settings(stack, files, sandbox=endpoints.sandbox or unset, overrides=overrides)


def known_stack(stack: str, declared: Manifest) -> None:
    """Raise CommandFailed (exit 2) for a stack that is no environment of the manifest."""
    if stack not in declared.environments:
        known = ", ".join(declared.environments)
        raise CommandFailed(f'stack "{stack}" is no environment of the manifest.', f"It knows {known}.")


def local_stack(declared: Manifest) -> str:
    """The environment whose credentials a developer's machine has; "" where nothing is bound for one."""
    from atlas_access.manifest import LOCAL

    return next((binding.cluster for binding in declared.bindings_for(LOCAL)), "")


def read_migration(
    stack: str, manifest: Path, known_users: Path, phase: Phase | None
) -> tuple[Endpoints, Manifest, dict[str, Settings], tuple[KnownUser, ...]]:
    """What commands need that follow a migration; settings are those of every environment. Raises CommandFailed."""
    endpoints, declared = read_endpoints(), read_manifest(manifest)
    known_stack(stack, declared)
    settings = {
        name: read_settings(name, endpoints, phase=phase if name == stack else None)
        for name in declared.environments
    }
    return endpoints, declared, settings, read_known_users(known_users, declared, stack)


def read_known_users(path: Path, declared: Manifest, stack: str) -> tuple[KnownUser, ...]:
    """The known users of a stack; raises CommandFailed (exit 2) with all of the file's errors at once."""
    from atlas_access.base import ManifestInvalid
    from atlas_access.manifest import load_known_users

    text = read_text(path, "Run the command where known-users.yaml is, or name it with --known-users.")
    with presented_as(2, ManifestInvalid):
        return load_known_users(text, declared, environment=stack, source=str(path))


def read_evidence(path: Path | None) -> tuple[Observation, ...]:
    """The observations in an evidence file; none without a file.

    Raises CommandFailed (exit 2) when it is not evidence.
    """
    if path is None:
        return ()
    from atlas_access.review import EvidenceInvalid, observations

    text = read_text(path, "Write one with: atlas-access sandbox deploy STACK --json.")
    with presented_as(2, EvidenceInvalid):
        return observations(text, source=str(path))


def read_text(path: Path, remedy: str) -> str:
    """The text of a file; raises CommandFailed (exit 2) with `remedy` when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{path} is not UTF-8 text. {remedy}") from error
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror or 'cannot be read'}. {remedy}") from error
