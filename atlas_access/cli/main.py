"""The command's front door: the tree of verbs, and how a run begins and ends.

Each verb imports what it needs by itself, so that `atlas-access --help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from atlas_access.cli import errors
from atlas_access.cli.check import check
from atlas_access.cli.docs import docs
from atlas_access.cli.doctor import doctor
from atlas_access.cli.drift import drift
from atlas_access.cli.env import env
from atlas_access.cli.evidence import evidence
from atlas_access.cli.explain import explain
from atlas_access.cli.guard import guard
from atlas_access.cli.legacy import app as legacy
from atlas_access.cli.matrix import matrix
from atlas_access.cli.policy import policy
from atlas_access.cli.prove import prove
from atlas_access.cli.review import review
from atlas_access.cli.rollback import rollback
from atlas_access.cli.rotate import rotate
from atlas_access.cli.sandbox import app as sandbox
from atlas_access.cli.secrets import app as secrets
from atlas_access.cli.smoke import app as baseline, smoke
from atlas_access.cli.soak import soak
from atlas_access.cli.status import status
from atlas_access.cli.undo import undo
from atlas_access.cli.who_can import who_can

app = typer.Typer(
    name="atlas-access",
    help="MongoDB Atlas credentials on AWS ECS, proven before any task receives them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - the library's form of a callback
    if wanted:
        from importlib.metadata import version

        from atlas_access.cli.output import write

        write(f"atlas-access {version('atlas-access')}")
        raise typer.Exit


@app.callback()
def begin(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_version)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Log each remote call, redacted, with its milliseconds.")
    ] = False,
) -> None:
    """MongoDB Atlas credentials on AWS ECS, proven before any task receives them."""
    del version
    if debug:
        errors.show_tracebacks()
    if verbose:
        from atlas_access.clients import show_calls

        show_calls()


for verb in (
    check,
    docs,
    doctor,
    drift,
    env,
    evidence,
    explain,
    guard,
    matrix,
    policy,
    prove,
    review,
    rollback,
    rotate,
    smoke,
    soak,
    status,
    undo,
    who_can,
):
    app.command()(verb)
app.add_typer(baseline, name="baseline")
app.add_typer(legacy, name="legacy")
app.add_typer(sandbox, name="sandbox")
app.add_typer(secrets, name="secrets")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (the process's own when None) and return its exit code; never raises."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return errors.guarded(
        lambda: app(args=words, prog_name="atlas-access", standalone_mode=False) or errors.DONE
    )


def main() -> None:
    """The `atlas-access` entry point: exits with the command's code."""
    beside = Path(__file__).parents[1] / "_pack"  # the policy pack of a wheel; a checkout has it at its top
    sys.path.append(str(beside if beside.is_dir() else beside.parents[1]))
    sys.exit(run())


if __name__ == "__main__":
    main()
