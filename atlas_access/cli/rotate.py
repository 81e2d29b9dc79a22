"""`atlas-access rotate STACK USER`: write the reviewed change of a rotation into the stack's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, WRONG, CommandFailed, presented_as

Users = Annotated[list[str], typer.Argument(help="The database user; several only with --in-place.")]


def rotate(
    stack: inputs.Stack,
    user: Users,
    *,
    finish: Annotated[
        bool, typer.Option("--finish", help="The old generation goes when nothing uses it.")
    ] = False,
    abort: Annotated[
        bool, typer.Option("--abort", help="Back to the old generation; then the new one goes.")
    ] = False,
    compromised: Annotated[
        bool,
        typer.Option(
            "--compromised", help="Without a soak; the old login loses its roles once gates are green."
        ),
    ] = False,
    now: Annotated[
        bool, typer.Option("--now", help="With --compromised: do not wait for other stacks, an outage there.")
    ] = False,
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place", help="Replace the password at once, with an outage; for several users too."
        ),
    ] = False,
    manifest: inputs.ManifestPath = inputs.MANIFEST,
) -> int:
    """Write the next step of USER's rotation into Pulumi.STACK.yaml. Contacts nothing; the Pulumi program does it.

    Exit 0, or 2 where the step cannot be written.
    """
    from atlas_access.cli.output import write
    from atlas_access.rotation import RotationRefused, Verb, plan, uncommitted, with_settings

    if sum((finish, abort, compromised, in_place)) > 1 or (now and not compromised):
        raise CommandFailed("Name one step.", "--finish, --abort, --compromised [--now] or --in-place.")
    verb = (
        (Verb.FINISH if finish else Verb.ABORT if abort else Verb.IN_PLACE if in_place else Verb.START)
        if not compromised
        else Verb.COMPROMISED_NOW
        if now
        else Verb.COMPROMISED
    )
    declared = inputs.read_manifest(manifest)
    inputs.known_stack(stack, declared)
    settings = inputs.read_settings(stack, inputs.read_endpoints())
    path = Path(f"Pulumi.{stack}.yaml")
    if uncommitted(path):
        raise CommandFailed(
            f"{path} has changes that are not committed.",
            "Commit or undo them: a rotation is a change of its own.",
        )
    with presented_as(WRONG, RotationRefused):
        change = plan(stack, settings, declared, user, verb)
    try:
        text = with_settings(path.read_text(encoding="utf-8"), change.settings)
    except ValueError as error:
        raise CommandFailed(f"{path} was left as it is: {error}.") from None
    path.write_text(text, encoding="utf-8")
    for line in change.lines:
        write(line)
    return DONE
