"""`atlas-access legacy restore STACK`: tombstoned users get their recorded roles back. Formats and exit codes only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from atlas_access.cli.errors import DONE, REFUTED, UNKNOWN, WRONG, CommandFailed, presented_as
from atlas_access.cli.inputs import MANIFEST, PlainFormat, read_manifest, read_settings


def restore(
    stack: Annotated[str, typer.Argument(help="staging or prod.")],
    *,
    output: Annotated[PlainFormat, typer.Option("--format", help="How to show it.")] = PlainFormat.TEXT,
    manifest: Annotated[Path, typer.Option(help="The manifest to read.")] = MANIFEST,
) -> int:
    """Give STACK's tombstoned users their recorded roles back, at any time before anything is deleted.

    Exit 0 when every user has them, 1 when a deletion has begun (there is no way back), 3 when Atlas does not answer.
    """
    from atlas_access.base import EndpointRefused, Endpoints
    from atlas_access.cli.output import console, write
    from atlas_access.clients import AwsUnavailable, CredentialsMissing, wrong_account
    from atlas_access.retirement import RetirementRefused, restore as give_back
    from atlas_access.rollout import ServiceMissing

    with presented_as(WRONG, EndpointRefused):
        endpoints = Endpoints.from_environment(os.environ)
    declared = read_manifest(manifest)
    settings = read_settings(stack, endpoints)
    with presented_as(UNKNOWN, AwsUnavailable, remedy="Nothing was touched."):
        elsewhere = wrong_account(stack, settings.aws_account_id, settings.aws_region, endpoints)
    if elsewhere:
        raise CommandFailed(f"{elsewhere}.", "Sign in to the right account.")
    screen = console(error=output is PlainFormat.JSON)
    try:
        with presented_as(WRONG, CredentialsMissing, ServiceMissing):
            done = give_back(
                stack, settings, declared, endpoints, lambda line: screen.print(line, soft_wrap=True)
            )
    except RetirementRefused as failure:
        raise CommandFailed(str(failure), exit_code=failure.exit_code or REFUTED) from failure
    if output is PlainFormat.JSON:
        write(json.dumps({"stack": stack, "restored": done.moved, "kept": dict(done.kept)}))
    return DONE
