"""`atlas-access drift`: what differs between what is declared and what is, and the one issue that tells of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.cli.errors import DONE, REFUTED, UNKNOWN, WRONG, CommandFailed, presented_as
from atlas_access.cli.inputs import (
    KNOWN_USERS,
    MANIFEST,
    Phase,
    read_known_users,
    read_manifest,
    read_settings,
)

if TYPE_CHECKING:
    from atlas_access.base import Endpoints
    from atlas_access.clients import Change
    from atlas_access.drift import Drift

TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")


class DriftFormat(StrEnum):
    """The formats of a drift check."""

    TEXT = "text"
    JSON = "json"
    MD = "md"


def drift(
    stack: Annotated[str, typer.Argument(help="staging or prod.")],
    *,
    output: Annotated[
        DriftFormat, typer.Option("--format", help="How to show it; every format carries the same facts.")
    ] = DriftFormat.TEXT,
    github: Annotated[
        str | None, typer.Option(metavar="OWNER/REPO", help="Keep one issue there, with GITHUB_TOKEN.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what the issue would become.")] = False,
    phase: Annotated[Phase | None, typer.Option(help="How far the stack is, instead of its file.")] = None,
    manifest: Annotated[Path, typer.Option(help="The manifest to read.")] = MANIFEST,
    known_users: Annotated[Path, typer.Option(help="The list of known users.")] = KNOWN_USERS,
) -> int:
    """Compare STACK's users, roles, secrets and tasks with what is declared.

    Exit 0 clean, 1 drift, 3 unknown, or found and not told although --github asks for it.
    """
    from atlas_access.base import EndpointRefused, Endpoints
    from atlas_access.clients import CredentialsMissing, sign_in_from
    from atlas_access.drift import Wanted, look

    with presented_as(WRONG, EndpointRefused):
        endpoints = Endpoints.from_environment(os.environ)
    declared = read_manifest(manifest)
    wanted = Wanted(
        stack=stack,
        manifest=declared,
        settings=read_settings(stack, endpoints, phase=phase),
        known=read_known_users(known_users, declared, stack),
        now=datetime.now(UTC),
    )
    with presented_as(WRONG, CredentialsMissing, EndpointRefused):
        sign_in = sign_in_from(os.environ)
        if github is not None:
            _check_target(github, os.environ, endpoints, dry_run=dry_run)
        found = look(wanted, sign_in, endpoints)
    _show(found, output)
    code = _code(found)
    if github is not None:
        _tell(found, github, endpoints, dry_run=dry_run)
    return code


def _code(found: Drift) -> int:
    from atlas_access.drift import Answer

    return {Answer.CLEAN: DONE, Answer.DRIFT: REFUTED, Answer.UNKNOWN: UNKNOWN}[found.answer]


def _show(found: Drift, output: DriftFormat) -> None:
    from atlas_access.cli.output import write
    from atlas_access.drift import (
        report as facts,
        report_markdown as drift_markdown,
        report_text as drift_text,
    )

    match output:
        case DriftFormat.TEXT:
            write(drift_text.render(found))
        case DriftFormat.JSON:
            write(facts.as_json(found))
        case DriftFormat.MD:
            write(drift_markdown.render(found))


def _check_target(
    repository: str, environment: Mapping[str, str], endpoints: Endpoints, *, dry_run: bool
) -> None:
    """Refuse a wrong repository or a missing token before anything is contacted."""
    from atlas_access.clients import GitHub

    with presented_as(WRONG, ValueError), GitHub(repository, "", endpoints):
        pass
    if not dry_run and not _token(environment):
        raise CommandFailed(
            f"--github needs a token: set {TOKENS[0]} to one with the permission `issues: write`, or add --dry-run."
        )


def _token(environment: Mapping[str, str]) -> str:
    return next((environment[name].strip() for name in TOKENS if environment.get(name, "").strip()), "")


def _tell(found: Drift, repository: str, endpoints: Endpoints, *, dry_run: bool) -> None:
    """Make the tracker say what was found. When that fails the code is 3, after drift too: 1 says that it was told."""
    from atlas_access.cli.output import console
    from atlas_access.clients import GitHub, GitHubUnavailable
    from atlas_access.drift import LABEL, decide

    token = _token(os.environ)
    changes: tuple[Change, ...]
    with presented_as(UNKNOWN, GitHubUnavailable), GitHub(repository, token, endpoints) as tracker:
        if dry_run:
            changes = decide(found, tracker.issues(LABEL) if token else ())
        else:
            changes = tracker.sync(LABEL, lambda issues: decide(found, issues))
    screen = console(error=True)
    for change in changes:
        screen.print(f"{repository}: {'would ' if dry_run else ''}{change}", soft_wrap=True)
    if not changes:
        screen.print(f"{repository}: no issue to write", soft_wrap=True)
