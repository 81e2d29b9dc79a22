"""`atlas-access doctor STACK`: what is still missing before a first update. Read-only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.base import Format
from atlas_access.cli import inputs
from atlas_access.cli.errors import CommandFailed

if TYPE_CHECKING:
    from atlas_access.base import Finding


def doctor(
    stack: Annotated[str, typer.Argument(help="The environment; not needed where there is one.")] = "",
    *,
    output: inputs.Output = Format.TEXT,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
) -> int:
    """Show what a first `pulumi up` needs: ok, wrong or unknown. Exit 0 ready, 1 something is wrong, 3 unknown."""
    from atlas_access.cli.output import show
    from atlas_access.setup import Setup, checks, doctor_report

    endpoints, declared = inputs.read_endpoints(), inputs.read_manifest(manifest)
    if not stack and len(declared.environments) == 1:
        [stack] = declared.environments
    inputs.known_stack(stack, declared)
    settings = {each: inputs.read_settings(each, endpoints, unset=True) for each in declared.environments}
    setup = Setup(stack, declared, settings, endpoints, manifest.parent.absolute(), dict(os.environ))
    return show(doctor_report(stack, checks(setup, lambda: _agreement(manifest))), output)


def _agreement(manifest: Path) -> Finding:
    from atlas_access.base import Finding, Status
    from atlas_access.cli.check import compared

    name, remedy = "manifest and law", "atlas-access check names each difference."
    beside = manifest.parent / "policy" / "policy-config.json"
    try:
        report = compared(manifest, beside if beside.exists() else None)
    except CommandFailed as failure:
        return Finding(Status.BAD, name, str(failure), remedy)
    if report is None:
        return Finding(Status.UNKNOWN, name, "there is no law", remedy)
    return Finding(report.status, name, report.summary, "" if report.status is Status.GOOD else remedy)
