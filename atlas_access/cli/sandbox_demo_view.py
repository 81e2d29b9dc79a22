"""The demo on a screen: each act as it happens, and a last screen that says what was shown.

It is handed what to call, and gets records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from atlas_access.base import Format, render
from atlas_access.cli.output import console
from atlas_access.cli.sandbox_deploy_view import show_deployment
from atlas_access.cli.sandbox_live import Story
from atlas_access.review import Deployment, Moment, Operation, Progress, matrix_report, progress_line
from sandbox.demo.receipt_pages import lines
from sandbox.demo.run import Audience
from sandbox.demo.story import story

if TYPE_CHECKING:
    from rich.console import Console

    from sandbox.demo.run import Played

NEXT = 'atlas-access sandbox up, then README "On your own accounts"'


def audience(screen: Console, shown: Story) -> Audience:
    """Shows the demo while it is played; any thread may call it."""

    def progressed(stack: str, progress: Progress) -> None:
        # What is said names its stack, since two may be at work.
        if progress.moment is Moment.SAID:
            named = progress.text.startswith(f"{stack}:")
            text = progress.text if named else f"{stack}: {progress.text}"
            progress = replace(progress, step=None, text=text)
        shown.report(progress)

    def ended(deployment: Deployment) -> None:
        show_deployment(screen, deployment, advice=deployment.operation is Operation.PREVIEW)

    return Audience(shown.line, shown.begins, progressed, ended, shown.line)


def stage(play: Callable[[Audience], Played]) -> int:
    """Play the demo on standard output and return its exit code."""
    screen = console()
    begin = "Starting the sandbox: two mongods, Atlas and AWS emulated"
    with Story(screen, _line, begin, len(story())) as shown:
        played = play(audience(screen, shown))
    _last_screen(screen, played)
    return played.exit_code


def _line(progress: Progress) -> str:
    """What stays of a progress: what was said, and what failed. That a resource was made stands in the summary."""
    return progress_line(progress) if progress.moment in {Moment.SAID, Moment.FAILED} else ""


def _last_screen(screen: Console, played: Played) -> None:
    receipt = played.receipt
    screen.print("")
    screen.rule(style="dim", characters="─")
    screen.print(receipt.sandbox, soft_wrap=True)
    screen.print("")
    for line in lines(receipt):
        screen.print(line, style="bold red" if line.startswith("FAILED") else None, soft_wrap=True)
    for note in receipt.notes:
        screen.print(f"\n{note}", style="yellow")
    screen.print("")
    screen.print(render(matrix_report(played.matrix), Format.TEXT), soft_wrap=True)
    screen.print("")
    screen.print(receipt.headline, style="bold green" if receipt.done else "bold red", soft_wrap=True)
    screen.print(f"Receipt: {played.page}       Next: {NEXT}", soft_wrap=True)
