"""`atlas-access drift`: what differs between what is declared and what is, and the one issue that reports it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.base import Format
from atlas_access.cli import inputs
from atlas_access.cli.errors import UNKNOWN, WRONG, CommandFailed, presented_as

if TYPE_CHECKING:
    from atlas_access.base import Endpoints, Phase
    from atlas_access.clients import Change
    from atlas_access.drift import Drift, Identity

TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")


def drift(
    stack: inputs.Stack,
    *,
    output: inputs.Output = Format.TEXT,
    github: Annotated[
        str | None, typer.Option(metavar="OWNER/REPO", help="Keep one issue there, with GITHUB_TOKEN.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what the issue would become.")] = False,
    before: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="JSON of a check made before a deployment: only what is new counts."
        ),
    ] = None,
    phase: inputs.PhaseChoice = None,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
    known_users: inputs.KnownUsersPath = inputs.KNOWN_USERS,
) -> int:
    """Compare STACK's users, roles, secrets and tasks with what is declared.

    Exit 0 clean or nothing new, 1 drift, 3 unknown, or found and not reported although --github asks for it.
    """
    from atlas_access.cli.output import show
    from atlas_access.cli.provenance import with_context
    from atlas_access.drift import drift_report

    endpoints = inputs.read_endpoints()
    known_before = _identities(before, stack) if before is not None else frozenset()
    if github is not None:
        _check_target(github, os.environ, endpoints, dry_run=dry_run)
    found = observed(stack, manifest, known_users, phase)
    report = drift_report(found.since(known_before))
    if output is Format.JSON:
        report = with_context(report, stack, manifest, endpoints)
    code = show(report, output)
    if github is not None:
        _report_to(found, github, endpoints, dry_run=dry_run)
    return code


def observed(stack: str, manifest: Path, known_users: Path, phase: Phase | None = None) -> Drift:
    """What differs in a stack now from what is declared. Raises CommandFailed (exit 2) for wrong input."""
    from atlas_access.base import EndpointRefused
    from atlas_access.clients import CredentialsMissing, sign_in_from
    from atlas_access.drift import Wanted, observe_stack

    endpoints = inputs.read_endpoints()
    declared = inputs.read_manifest(manifest)
    wanted = Wanted(
        stack=stack,
        manifest=declared,
        settings=inputs.read_settings(stack, endpoints, phase=phase),
        known=inputs.read_known_users(known_users, declared, stack),
        now=datetime.now(UTC),
    )
    with presented_as(WRONG, CredentialsMissing, EndpointRefused):
        return observe_stack(wanted, sign_in_from(os.environ), endpoints)


def _identities(path: Path, stack: str) -> frozenset[Identity]:
    """The findings of an earlier check of the stack; raises CommandFailed (exit 2) when it is none."""
    try:
        found = json.loads(
            inputs.read_text(path, f"Write one with: atlas-access drift {stack} --format json.")
        )
        if found["stack"] == stack:
            keys = ("kind", "where", "subject", "detail")
            return frozenset(
                (a, b, c, d) for a, b, c, d in ([each[key] for key in keys] for each in found["findings"])
            )
    except (ValueError, TypeError, KeyError):
        pass
    raise CommandFailed(
        f"{path} is no drift check of {stack}.", f"Write one with: atlas-access drift {stack} --format json."
    )


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


def _report_to(found: Drift, repository: str, endpoints: Endpoints, *, dry_run: bool) -> None:
    """Keep the tracker's issue. When that fails the code is 3, after drift too: 1 means that it was reported."""
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
