"""`atlas-access legacy STACK`: the hand-made inventory as it is, against access.yaml; nothing is imported.

`legacy STACK` is short for `legacy list STACK`; other verbs stand beside it.
"""

from __future__ import annotations

import os
from typing import Any

import typer
from typer.core import TyperGroup

from atlas_access.base import Format, Phase
from atlas_access.cli import inputs
from atlas_access.cli.errors import WRONG, presented_as
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
    stack: inputs.Stack,
    *,
    output: inputs.Output = Format.TEXT,
    phase: inputs.PhaseChoice = None,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
    known_users: inputs.KnownUsersPath = inputs.KNOWN_USERS,
) -> int:
    """List STACK's users, roles, secrets and who binds them. Exit 0 as declared, 1 it differs, 3 not all was read."""
    from atlas_access.base import EndpointRefused
    from atlas_access.cli.output import show
    from atlas_access.clients import CredentialsMissing, sign_in_from
    from atlas_access.retirement import inventory_report, legacy_inventory, observe_legacy

    endpoints, declared, settings, people = inputs.read_migration(stack, manifest, known_users, phase)
    with presented_as(WRONG, CredentialsMissing, EndpointRefused):
        observed = observe_legacy(declared, stack, settings, sign_in_from(os.environ), endpoints)
    retired = settings[stack].phase is Phase.RETIRE
    inventory = legacy_inventory(declared, stack, people, observed, retired=retired)
    return show(inventory_report(inventory), output)
