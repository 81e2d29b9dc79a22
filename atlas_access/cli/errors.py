"""Every failure that a person sees: one clear line and the remedy. Set up here, once, for all commands.

A traceback is shown only with `--debug`.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

DONE = 0
REFUTED = 1
WRONG = 2
UNKNOWN = 3
"""The exit codes, the same in every command: done; refuted, drift or failed; wrong input; unknown."""

_DEBUG = "ATLAS_ACCESS_DEBUG"


class CommandFailed(Exception):
    """A command cannot go on: `what` names the thing and what is wrong with it, `remedy` what to do."""

    def __init__(self, what: str, remedy: str = "", exit_code: int = WRONG) -> None:
        super().__init__(f"{what} {remedy}".strip())
        self.exit_code = exit_code


def show_tracebacks() -> None:
    """Let this process, and those it starts, show tracebacks: what `--debug` asks for."""
    os.environ[_DEBUG] = "1"


@contextmanager
def presented_as(exit_code: int, *errors: type[Exception], remedy: str = "") -> Iterator[None]:
    """Turn a lower layer's own `errors` into a CommandFailed that keeps their sentence."""
    try:
        yield
    except errors as error:
        raise CommandFailed(str(error), remedy, exit_code) from error


def need_checkout() -> None:
    """Refuse a verb that needs the sandbox where only the package is installed. Raises CommandFailed (exit 2)."""
    if find_spec("sandbox") is None:
        raise CommandFailed(
            "The sandbox is not part of the installed package.",
            "Clone the repository, run `make install` there, and run this command in that folder.",
        )


def guarded(command: Callable[[], int]) -> int:
    """Run `command`; return its exit code, or that of its failure after saying it in one line on standard error.

    A defect of ours ends with 3: nothing is known about what was asked. Ctrl-C ends with 130.
    """
    from typer import Abort, TyperException

    try:
        return command()
    except KeyboardInterrupt:
        return _say("interrupted", 130)
    except Abort:
        return _say("stopped: the question was not answered", WRONG)
    except CommandFailed as failure:
        return _say(str(failure), failure.exit_code, failure)
    except TyperException as error:
        return _say(_usage(error), WRONG)
    except Exception as error:  # noqa: BLE001 - the outermost place: a defect becomes one line instead of a traceback
        message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        hint = "This is a defect of atlas-access; --debug before the command shows where."
        return _say(f"{message}\n  {hint}", UNKNOWN, error)


def _usage(error: Exception) -> str:
    message = getattr(error, "format_message", error.__str__)()
    if not message:
        return ""  # no command was named: the help has been shown
    context = getattr(error, "ctx", None)
    hint = f"\n  See: {context.command_path} --help" if context is not None else ""
    return f"{message}{hint}"


def _say(message: str, exit_code: int, error: BaseException | None = None) -> int:
    from atlas_access.cli.output import RedactingStream

    stream = RedactingStream(sys.stderr)
    if error is not None and os.environ.get(_DEBUG):
        stream.write("".join(traceback.format_exception(error)))
    stream.write(f"{message}\n" if message else "")
    stream.flush()
    return exit_code
