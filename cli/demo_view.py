"""The demo on a screen: each deployment as it happens, and a last screen that says what was shown.

It must never know the sandbox: it is handed what to call, and gets records.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cli.deploy_view import told_of
from cli.live import following
from cli.output import console
from reports import matrix_text
from reports.deployment import Deployment, Operation, Progress
from reports.deployment_text import summary_line
from reports.matrix import Matrix

if TYPE_CHECKING:
    from rich.console import Console

NEXT = 'atlas-access sandbox up, then README "On your own accounts"'


class Played(Protocol):
    """What a demo came to."""

    @property
    def sandbox(self) -> str:
        """What ran, in one line."""

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        """Every deployment, in order."""

    @property
    def matrix(self) -> Matrix:
        """The access matrix, with what was proven."""

    @property
    def receipt(self) -> Path:
        """The page that stays."""

    @property
    def exit_code(self) -> int:
        """0 when every deployment was made."""


Play = Callable[
    [Callable[[str], None], Callable[[str], None], Callable[[Progress], None], Callable[[Deployment], None]],
    Played,
]
"""Plays the demo, calling: the sandbox's line, a heading, each progress, each finished deployment."""


def stage(play: Play) -> int:
    """Play the demo on standard output and return its exit code."""
    screen = console()
    screen.print("Starting the sandbox: two mongods, Atlas and AWS emulated …", soft_wrap=True)

    def heading(text: str) -> None:
        screen.print(f"\n{text}", style="bold", soft_wrap=True)

    with following(screen) as told:
        played = play(
            lambda line: screen.print(line, soft_wrap=True),
            heading,
            told,
            lambda deployment: told_of(screen, deployment),
        )
    _last_screen(screen, played)
    return played.exit_code


def _last_screen(screen: Console, played: Played) -> None:
    screen.print("")
    screen.rule(style="dim", characters="─")
    screen.print(played.sandbox, soft_wrap=True)
    screen.print("")
    for deployment in played.deployments:
        if deployment.operation is not Operation.PREVIEW:
            style = "bold red" if deployment.failure else None
            screen.print(summary_line(deployment), style=style, soft_wrap=True)
    screen.print("")
    screen.print(matrix_text.render(played.matrix, screen))
    screen.print("")
    screen.print(f"Receipt: {played.receipt}       Next: {NEXT}", soft_wrap=True)
