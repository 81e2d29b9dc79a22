"""A run as it happens: finished resources line by line, and on a terminal what is under way beneath them.

When nobody reads any more, the lines are dropped and the run continues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from atlas_access.review import Moment, Progress, doing, progress_line

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 3


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
