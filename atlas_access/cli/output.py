"""The one way to the terminal: every byte a command prints passes through redaction here.

A closed pipe is no error.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from atlas_access.base import redact

if TYPE_CHECKING:
    from rich.console import Console

    from atlas_access.base import Format, Report

_PLAIN = str.maketrans({"●": "*", "⚠": "!", "·": "-", "✗": "x", "→": ">", "…": "~"})
"""What stands for our signs where the terminal's encoding has none of them."""


class RedactingStream(io.TextIOBase):
    """A text stream that hands on whole lines, redacted; what follows a closed pipe is dropped in silence.

    `secrets` are values known to be secret, besides what redaction recognises by its form.
    """

    def __init__(self, target: TextIO, secrets: Iterable[str] = ()) -> None:
        self._target = target
        self._secrets = tuple(secrets)
        self._pending = ""
        self._gone = False
        self._plain = not _speaks_unicode(target)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The target's encoding: rich chooses its box characters by it."""
        return self._target.encoding or "utf-8"

    def isatty(self) -> bool:
        """Whether the target is a terminal."""
        return self._target.isatty()

    def fileno(self) -> int:
        """The target's descriptor."""
        return self._target.fileno()

    def writable(self) -> bool:
        """Always: a closed pipe swallows."""
        return True

    def write(self, text: str) -> int:
        """Keep `text` until its line is complete, then hand the line on; returns the characters taken."""
        whole, newline, rest = (self._pending + text).rpartition("\n")
        self._pending = rest
        if newline:
            self._hand_on(whole + newline)
        return len(text)

    def flush(self) -> None:
        """Hand on what is pending, an unfinished line too."""
        if self._pending:
            pending, self._pending = self._pending, ""
            self._hand_on(pending)
        self._safely(self._target.flush)

    def _hand_on(self, text: str) -> None:
        clean = redact(text, self._secrets)
        if self._plain:
            clean = clean.translate(_PLAIN).encode(self.encoding, "replace").decode(self.encoding)
        self._safely(lambda: self._target.write(clean))

    def _safely(self, effect: object) -> None:
        if self._gone:
            return
        try:
            effect()  # type: ignore[operator]
        except BrokenPipeError:
            self._gone = True
            _forget(self._target)


def console(*, error: bool = False, secrets: Iterable[str] = ()) -> Console:
    """A console on standard output (or standard error): no markup, no wrapping surprises, everything redacted."""
    from rich.console import Console

    target = sys.stderr if error else sys.stdout
    return Console(
        file=RedactingStream(target, secrets),  # type: ignore[arg-type]
        markup=False,
        highlight=False,
        emoji=False,
        force_terminal=target.isatty() or None,
    )


def write(text: str, secrets: Iterable[str] = ()) -> None:
    """Print a whole document (Markdown, HTML, JSON) to standard output, redacted, ending in one newline."""
    stream = RedactingStream(sys.stdout, secrets)
    stream.write(text if text.endswith("\n") or not text else text + "\n")
    stream.flush()


def show(report: Report, form: Format) -> int:
    """Print a report in a format; return the exit code of its status. On a terminal the answer is coloured."""
    from atlas_access.base import Format, Status, render

    text = render(report, form)
    if form is Format.TEXT:
        style = {Status.GOOD: "bold green", Status.BAD: "bold red", Status.UNKNOWN: "bold yellow"}[
            report.status
        ]
        answer, _, text = text.partition("\n")
        console().print(answer, style=style, soft_wrap=True)
    write(text)
    return report.status.exit_code


def _speaks_unicode(target: TextIO) -> bool:
    try:
        "●⚠".encode(target.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _forget(target: TextIO) -> None:
    """Point the closed pipe's descriptor nowhere, so that the interpreter's last flush is quiet too."""
    try:
        descriptor = target.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
