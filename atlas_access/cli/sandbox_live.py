"""A run as it happens: finished resources line by line, and on a terminal what is under way beneath them.

When nobody reads any more, the lines are dropped and the run continues.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

from atlas_access.review import Moment, Progress, doing, progress_line

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 3
SILENT_SECONDS = 5.0
_LONGEST = 120


@contextmanager
def following(
    screen: Console, line_of: Callable[[Progress], str] = progress_line
) -> Iterator[Callable[[Progress], None]]:
    """Yield what to call with each progress; on a terminal a status line stands while the block runs.

    `line_of` is the line that stays of a progress, "" for none.
    """
    if not screen.is_terminal:
        yield lambda progress: _print(screen, progress, line_of(progress))
        return
    under_way: dict[str, str] = {}
    lock = Lock()
    with screen.status("starting", spinner="dots") as status:

        def show(progress: Progress) -> None:
            with lock:
                _note(under_way, progress)
                _print(screen, progress, line_of(progress))
                status.update(_status(list(under_way.values()), screen.width - 4))

        yield show


class Story:
    """A long run of several parts: on a terminal a bar over them, elsewhere a line after five silent seconds.

    Any thread may call it. `line_of` is the line that stays of a progress, "" for none.
    """

    def __init__(self, screen: Console, line_of: Callable[[Progress], str], first: str, parts: int) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress as Bar,
            TextColumn,
            TimeElapsedColumn,
        )

        self._screen, self._line_of, self._part = screen, line_of, first
        self._under_way: dict[str, str] = {}
        self._lock, self._ended = Lock(), Event()
        self._began = self._printed = time.monotonic()
        columns = (BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self._bar = Bar(*columns, console=screen, transient=True, disable=not screen.is_terminal)
        self._task = self._bar.add_task(first, total=parts)
        self._watch = Thread(target=self._watched, daemon=True)

    def __enter__(self) -> Self:
        self.line(f"{self._part} …")
        self._bar.start()
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._bar.stop()

    def begins(self, part: str) -> None:
        """The next part."""
        self._part, self._began = part, time.monotonic()
        self.line(f"\n{part}", style="bold")
        self._bar.update(self._task, advance=1, description=part)

    def line(self, text: str, style: str | None = None) -> None:
        """Print a line that stays."""
        self._printed = time.monotonic()
        self._screen.print(text, style=style, soft_wrap=True)

    def report(self, progress: Progress) -> None:
        """Show a step."""
        with self._lock:
            _note(self._under_way, progress)
            text = self._now()
        if line := self._line_of(progress):
            self.line(line, "bold red" if progress.moment is Moment.FAILED else None)
        self._bar.update(self._task, description=text)

    def _now(self) -> str:
        parts = list(self._under_way.values())
        width = max(20, self._screen.width - 48) if self._screen.is_terminal else _LONGEST
        return _status(parts, width) if parts else self._part

    def _watched(self) -> None:
        while not self._ended.wait(0.5):
            if not self._screen.is_terminal and time.monotonic() - self._printed >= SILENT_SECONDS:
                with self._lock:
                    text = self._now()
                self.line(f"  … {text} ({time.monotonic() - self._began:.0f} s)", style="dim")


def _print(screen: Console, progress: Progress, line: str) -> None:
    if line:
        style = "bold red" if progress.moment is Moment.FAILED else None
        screen.print(line, style=style, soft_wrap=True)


def _note(under_way: dict[str, str], progress: Progress) -> None:
    step = progress.step
    if step is None or progress.moment is Moment.SAID:
        return
    key = f"{step.type} {step.name}"
    if progress.moment is Moment.PASSING:
        under_way[key] = progress.text
    elif progress.moment is Moment.BEGUN and step.changing:
        under_way[key] = doing(step)
    else:
        under_way.pop(key, None)


def _status(parts: list[str], width: int) -> str:
    """What is under way on one line of a terminal."""
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    line = ", ".join(parts[:_SHOWN]) + more if parts else "reading the program"
    return line if len(line) <= width else f"{line[: width - 1]}…"
