"""`atlas-access rollback`: the revision that ran before runs again. Formats and exit codes; the rest lies below."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, UNKNOWN, WRONG, CommandFailed, presented_as


def rollback(
    stack: inputs.Stack,
    *,
    to: Annotated[
        str,
        typer.Option("--to", help="Another revision, such as 7; its credentials are tried as well."),
    ] = "",
    output: inputs.PlainOutput = inputs.PlainFormat.TEXT,
) -> int:
    """Run the recorded revision again, at any time in `bind`; needs no approval.

    A rollout that is under way is asked to undo at once. Nothing swaps afterwards until rolloutRelease is raised.
    Where the revision is INACTIVE or the server refuses a login of it, its definition is registered again with
    today's proven versions. The smoke gates are run at the end, also where nothing had to be moved.
    Exit 0 when it runs and they are green, 1 when it was refused or a gate is red, 3 when something is unknown.
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
        raise CommandFailed(str(failure), exit_code=failure.exit_code) from failure
    if output is inputs.PlainFormat.JSON:
        write(json.dumps(asdict(done)))
    return DONE if done.gates == "green" else UNKNOWN
