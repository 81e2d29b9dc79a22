"""`atlas-access legacy STACK`: the hand-made estate as it is, against access.yaml; nothing is imported.

`legacy STACK` is short for `legacy list STACK`; other verbs stand beside it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from atlas_access.base import Format
from atlas_access.cli.errors import WRONG, presented_as
from atlas_access.cli.inputs import (
    KNOWN_USERS,
    MANIFEST,
    Output,
    Phase,
    known_stack,
    read_every_settings,
    read_known_users,
    read_manifest,
)
from atlas_access.cli.legacy_restore import restore


class _ListUnlessNamed(TyperGroup):
    """Takes a command line that names no verb for that of `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `list` in front where only a stack is named."""
        if args and args[0] not in self.commands and "--help" not in args[:1]:
            args = ["list", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ListUnlessNamed,
    help="The hand-made users, roles and secrets: `legacy STACK` lists them.",
    no_args_is_help=True,
)


app.command("restore")(restore)


@app.command("list")
def list_estate(
    stack: Annotated[str, typer.Argument(help="staging or prod.")],
    *,
    output: Output = Format.TEXT,
    phase: Annotated[Phase | None, typer.Option(help="How far the stack is, instead of its file.")] = None,
    manifest: Annotated[Path, typer.Option(help="The manifest to read.")] = MANIFEST,
    known_users: Annotated[Path, typer.Option(help="The list of known users.")] = KNOWN_USERS,
) -> int:
    """List STACK's users, roles, secrets and who binds them. Exit 0 as declared, 1 it differs, 3 not all was read."""
    from atlas_access.base import EndpointRefused, Endpoints, Phase as Settled
    from atlas_access.cli.output import show
    from atlas_access.clients import CredentialsMissing, sign_in_from
    from atlas_access.retirement import inventory_report, legacy_estate, look

    with presented_as(WRONG, EndpointRefused):
        endpoints = Endpoints.from_environment(os.environ)
    declared = read_manifest(manifest)
    known_stack(stack, declared)
    settings = read_every_settings(stack, declared, endpoints, phase)
    people = read_known_users(known_users, declared, stack)
    with presented_as(WRONG, CredentialsMissing, EndpointRefused):
        seen = look(declared, stack, settings, sign_in_from(os.environ), endpoints)
    retired = settings[stack].phase is Settled.RETIRE
    estate = legacy_estate(declared, stack, people, seen, retired=retired)
    return show(inventory_report(estate), output)
