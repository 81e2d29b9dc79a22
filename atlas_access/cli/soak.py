"""`atlas-access soak`: whether a stack has run long enough on its new credentials, without an error."""

from __future__ import annotations

from typing import Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, UNKNOWN, CommandFailed, presented_as


def soak(
    stack: inputs.Stack,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Wait until it has soaked; end at once when something is red.")
    ] = False,
) -> int:
    """Compare STACK's errors, failed logins, alarms and gates since its last rollout.

    The soak is as long as the stack that follows asks for (soakMinutes). A spike, an alarm in ALARM or a red gate
    opens the incident issue, where githubRepository is set. It changes nothing on the service.
    Exit 0 when it has soaked and everything is clear, 1 when something is red, 3 when something is unknown or it has
    not soaked long enough.
    """
    from atlas_access.cli.output import console
    from atlas_access.clients import AwsUnavailable
    from atlas_access.rollout import RolloutFailed, watch_soak

    endpoints = inputs.read_endpoints()
    settings = inputs.read_settings(stack, endpoints)
    inputs.own_account(stack, settings, endpoints)
    screen = console()
    try:
        with presented_as(UNKNOWN, AwsUnavailable, remedy="Nothing was touched."):
            done = watch_soak(
                stack, settings, endpoints, lambda line: screen.print(line, soft_wrap=True), wait=watch
            )
    except RolloutFailed as failure:
        raise CommandFailed(str(failure), exit_code=failure.exit_code) from failure
    screen.print(done, soft_wrap=True)
    return DONE
