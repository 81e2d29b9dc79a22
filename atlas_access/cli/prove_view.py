"""Proofs as they run: a table that fills on a terminal, plain lines elsewhere.

It does not hold a proof up, and shows only what redaction has observed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from atlas_access.proof import Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from atlas_access.proof import Proof

_STYLE = {Verdict.PROVEN: "green", Verdict.REFUTED: "bold red", Verdict.INCONCLUSIVE: "yellow"}


class Board:
    """What is under way, by credential; `line` and `ended` may be called by any thread."""

    def __init__(self, screen: Console, names: list[str]) -> None:
        self._screen = screen
        self._lock = Lock()
        self._rows: dict[str, tuple[str, str]] = dict.fromkeys(names, ("waiting", "dim"))

    def line(self, name: str, line: str) -> None:
        """Show what a credential's proof does now; on a terminal only."""
        with self._lock:
            self._rows[name] = (line.partition(": ")[2] or line, "")

    def ended(self, name: str, proof: Proof) -> None:
        """Show what a credential's proof came to."""
        text = f"{proof.verdict}, {len(proof.attempts)} attempts, {proof.ms:.0f} ms"
        with self._lock:
            self._rows[name] = (text, _STYLE[proof.verdict])
            if not self._screen.is_terminal:
                self._screen.print(f"  {name}: {text}", soft_wrap=True)

    def __rich__(self) -> Table:
        """The table as it stands."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, show_header=False, pad_edge=False)
        with self._lock:
            for name, (text, style) in self._rows.items():
                table.add_row(name, Text(text, style=style))
        return table


@contextmanager
def board(screen: Console, names: list[str], *, quiet: bool) -> Iterator[Board]:
    """Yield a board that stands while the block runs and goes when the report follows; `quiet` shows nothing."""
    made = Board(screen, names)
    if quiet or not screen.is_terminal:
        if quiet:
            screen.quiet = True
        yield made
        return
    from rich.live import Live

    with Live(made, console=screen, refresh_per_second=8, transient=True):
        yield made
