"""The command's front door: the tree of verbs, and how a run begins and ends.

It must never import what only one verb needs: `atlas-access --help` answers in a blink.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from cli import errors
from cli.docs import docs
from cli.drift import drift
from cli.env import env
from cli.explain import explain
from cli.guard import guard
from cli.legacy import app as legacy
from cli.matrix import matrix
from cli.policy import policy
from cli.prove import prove
from cli.rollback import rollback
from cli.sandbox import app as sandbox
from cli.smoke import app as baseline
from cli.smoke import smoke
from cli.status import status
from cli.undo import undo
from cli.who_can import who_can

app = typer.Typer(
    name="atlas-access",
    help="MongoDB Atlas credentials on AWS ECS, proven before any task receives them.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def begin(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")] = False,
) -> None:
    """MongoDB Atlas credentials on AWS ECS, proven before any task receives them."""
    if debug:
        errors.show_tracebacks()


app.command("docs")(docs)
app.command("drift")(drift)
app.command("env")(env)
app.command("explain")(explain)
app.command("guard")(guard)
app.command("matrix")(matrix)
app.command("policy")(policy)
app.command("prove")(prove)
app.command("rollback")(rollback)
app.command("smoke")(smoke)
app.command("status")(status)
app.command("undo")(undo)
app.command("who-can")(who_can)
app.add_typer(baseline, name="baseline")
app.add_typer(legacy, name="legacy")
app.add_typer(sandbox, name="sandbox")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (the process's own when None) and return its exit code; never raises."""
    told = list(sys.argv[1:] if arguments is None else arguments)
    return errors.guarded(
        lambda: app(args=told, prog_name="atlas-access", standalone_mode=False) or errors.DONE
    )


def main() -> None:
    """The `atlas-access` entry point: exits with the command's code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
