"""How a deployment is shown: progress while it runs, then the plan, the summary or the failure; or all of it as JSON.

It gets records, whatever the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from atlas_access.base import Report
from atlas_access.cli.output import console, write
from atlas_access.cli.sandbox_live import following
from atlas_access.review import (
    Deployment,
    Operation,
    Progress,
    advice_lines,
    deployment_json,
    failure_lines,
    plan_lines,
    summary_line,
)

if TYPE_CHECKING:
    from rich.console import Console

Run = Callable[[Callable[[Progress], None]], Deployment]
"""Carries a deployment out, telling its progress."""


def show(run: Run, *, secrets: Sequence[str], as_json: bool, values: bool) -> int:
    """Run a deployment, show it, and return its exit code."""
    if as_json:
        deployment = run(lambda _: None)
        write(deployment_json.render(deployment), secrets)
        return deployment.exit_code
    screen = console(secrets=secrets)
    with following(screen) as report:
        deployment = run(report)
    show_deployment(screen, deployment, values=values)
    screen.print(f"engine: {deployment.engine}", style="dim", soft_wrap=True)
    return deployment.exit_code


def show_last(code: int, reports: Sequence[Report], secrets: Sequence[str], *, quiet: bool) -> int:
    """Print each report's answer, on standard error beside JSON; return the worst of the codes."""
    screen = console(error=quiet, secrets=secrets)
    for each in reports:
        screen.print(each.headline, soft_wrap=True)
    codes = {code, *(each.status.exit_code for each in reports)}
    return 1 if 1 in codes else max(codes)


def show_deployment(
    screen: Console, deployment: Deployment, *, values: bool = False, advice: bool = True
) -> None:
    """Print what a finished deployment came to.

    `values` shows the properties of what a plan creates, `advice` what the policy pack has to say besides.
    """
    if deployment.failure:
        for number, line in enumerate(failure_lines(deployment)):
            screen.print(line, style="bold red" if number == 0 else None, soft_wrap=True)
    elif deployment.operation is Operation.PREVIEW:
        where = f"{deployment.stack} {deployment.phase}, nothing was changed"
        screen.print(f"Plan: {deployment.counted} ({where})", style="bold", soft_wrap=True)
        for line in plan_lines(deployment, values=values):
            screen.print(line, soft_wrap=True)
    else:
        screen.print(summary_line(deployment), style="bold green", soft_wrap=True)
        if deployment.swap and deployment.proof_line:
            screen.print(f"  {deployment.proof_line}", soft_wrap=True)
    for line in advice_lines(deployment.policies) if advice else ():
        screen.print(line, soft_wrap=True)
