"""`atlas-access secrets restore STACK`: secrets of ours that are scheduled for deletion are taken back."""

from __future__ import annotations

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE

_NEXT = "set atlas-access:takeOver: true for one update, which imports them; then remove it."

app = typer.Typer(help="The secrets that hold the connection strings.", no_args_is_help=True)


@app.command()
def restore(stack: inputs.Stack, *, manifest: inputs.ManifestPath = inputs.MANIFEST) -> int:
    """Take back STACK's own secrets that are scheduled for deletion. Exit 0, 3 where AWS does not answer."""
    from atlas_access.cli.output import write
    from atlas_access.clients import restore_secret, stored_secret

    endpoints = inputs.read_endpoints()
    declared = inputs.read_manifest(manifest)
    settings = inputs.read_settings(stack, endpoints)
    inputs.own_account(stack, settings, endpoints)
    region = settings.aws_region
    taken = 0
    for name in sorted({each.secret_name for each in declared.credentials_for(stack)}):
        found = stored_secret(name, region=region, endpoints=endpoints)
        if found is None or not found.leaving:
            continue
        if not found.made_here:
            write(f"{name}: scheduled for deletion, but not made by this program: left as it is")
            continue
        restore_secret(found.arn, region=region, endpoints=endpoints)
        taken += 1
        write(f"{name}: taken back")
    write(f"{stack}: {taken} taken back. Next: {_NEXT}" if taken else f"{stack}: nothing to take back.")
    return DONE
