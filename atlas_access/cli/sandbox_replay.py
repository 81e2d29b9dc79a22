"""`atlas-access sandbox replay`: what went wrong, shown happening by hand and then caught. Formats and exit codes.

Whether a replay passed is decided in `sandbox/replays/model.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_access.cli import inputs
from atlas_access.cli.errors import DONE, WRONG, CommandFailed, need_checkout, presented_as

if TYPE_CHECKING:
    from sandbox.replays.model import Result


def replay(
    name: Annotated[str, typer.Argument(help="One replay; --list names them.")] = "",
    *,
    every: Annotated[bool, typer.Option("--all", help="Every replay, in one sandbox.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Name the replays and what catches each.")] = False,
    directory: inputs.Directory = inputs.HERE,
    output: inputs.PlainOutput = inputs.PlainFormat.TEXT,
) -> int:
    """Show a mistake happening without our gates, then caught with them, in a sandbox of its own that goes afterwards.

    Exit 0 only if each was shown and was caught by exactly what is expected, else 1 with what differed.
    """
    from atlas_access.cli.output import console, write

    if [bool(name), every, listed].count(True) != 1:
        raise CommandFailed(
            "sandbox replay needs to know which.", "Name one, or give --all; --list names them all."
        )
    need_checkout()
    from sandbox.refusals import REFUSALS

    with presented_as(WRONG, *REFUSALS):
        from sandbox.replays import report
        from sandbox.replays.incidents import chosen
        from sandbox.replays.play import Audience, play

        replays = chosen(name)
        if listed:
            as_json = output is inputs.PlainFormat.JSON
            write(report.promises_json(replays) if as_json else report.promises(replays))
            return DONE
        quiet = output is inputs.PlainFormat.JSON
        screen = console(error=quiet)

        def ended(result: Result) -> None:
            for number, line in enumerate(report.lines(result)):
                style = ("bold green" if result.passed else "bold red") if not number else None
                screen.print(line, style=style, soft_wrap=True)

        played = play(
            directory,
            Path(),
            replays,
            Audience(
                say=lambda line: None if quiet else screen.print(f"… {line}", style="dim", soft_wrap=True),
                ended=(lambda _: None) if quiet else ended,
            ),
        )
    if quiet:
        write(json.dumps(report.document(played.results, played.seconds), indent=2, ensure_ascii=False))
    else:
        screen.print(report.summary(played.results, played.seconds), soft_wrap=True)
    return played.exit_code
