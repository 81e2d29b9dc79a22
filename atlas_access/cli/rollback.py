"""`atlas-access rollback`: the revision that ran before runs again. Formats and exit codes; the rest lies below."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, REFUTED, UNKNOWN, WRONG, CommandFailed, presented_as


def rollback(
    stack: inputs.Stack,
    *,
    to: Annotated[
        str,
        typer.Option("--to", help="Another revision, such as 7; only when all its secrets still resolve."),
    ] = "",
    output: inputs.PlainOutput = inputs.PlainFormat.TEXT,
) -> int:
    """Run the recorded revision again, at any time in `bind`; needs no approval.

    A rollout that is under way is asked to undo at once. Nothing swaps afterwards until rolloutRelease is raised.
    Exit 0 when it runs again, 1 when it was refused or is not green, 3 when AWS does not say what runs.
    """
    from atlas_access.cli.output import console, write
    from atlas_access.clients import AwsUnavailable
    from atlas_access.rollout import RollbackRefused, RolloutFailed, roll_back

    endpoints = inputs.read_endpoints()
    settings = inputs.read_settings(stack, endpoints)
    screen = console(error=output is inputs.PlainFormat.JSON)
    try:
        with (
            presented_as(WRONG, RollbackRefused),
            presented_as(UNKNOWN, AwsUnavailable, remedy="Nothing was touched."),
        ):
            done = roll_back(stack, settings, endpoints, to, lambda line: screen.print(line, soft_wrap=True))
    except RolloutFailed as failure:
        raise CommandFailed(str(failure), exit_code=failure.exit_code or REFUTED) from failure
    if output is inputs.PlainFormat.JSON:
        write(json.dumps(asdict(done)))
    return DONE
