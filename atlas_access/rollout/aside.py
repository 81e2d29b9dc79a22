"""Slow work beside a run, and the check of the way back, neither of which may end the run by breaking."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from atlas_access.rollout.steps import Chosen

_T = TypeVar("_T")


def in_thread(work: Callable[[], _T]) -> Future[_T]:
    """Do work beside the run; a run that ends does not wait for it."""
    job: Future[_T] = Future()

    def do() -> None:
        try:
            job.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            job.set_exception(error)

    threading.Thread(target=do, name="rollout-aside", daemon=True).start()
    return job


def tried(way_back: Callable[[str], Chosen], revision: str) -> Chosen | tuple[str, ...]:
    """A check that breaks leaves the way back unknown; it does not stop an undo."""
    try:
        return way_back(revision)
    except Exception as error:  # noqa: BLE001 - whatever breaks in the check, the service must be put back
        return (f"{type(error).__name__}: {error}",)
