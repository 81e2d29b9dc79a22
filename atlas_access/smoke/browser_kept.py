"""Browsers that stay for the next journey: consecutive rounds of the gates need not start one each.

Each journey gets a context of its own, without a trace of the one before. A browser that rests goes when a command lets
go of it, after a while, and with its process: its driver, which sees that process go, closes it and its profile. It
serves one journey at a time, and none after a failure.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REST_SECONDS = 20.0
_END_SECONDS = 5.0
_P = ParamSpec("_P")
_T = TypeVar("_T")


class BrowserMissing(Exception):
    """No browser started; the message is the driver's."""


@dataclass(frozen=True)
class Kind:
    """Which browser and how: its executable, its flags, and how long it may take to start."""

    executable: str
    flags: tuple[str, ...]
    seconds: float


class _Kept(threading.Thread):
    """One browser and the only thread that may speak to it."""

    def __init__(self, kind: Kind, resting: _Resting) -> None:
        super().__init__(name="browser", daemon=True)
        self.kind, self._resting = kind, resting
        self.jobs: queue.SimpleQueue[tuple[Callable[[Browser], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )

    def run(self) -> None:
        from playwright.sync_api import sync_playwright

        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=self.kind.executable,
                    headless=True,
                    args=list(self.kind.flags),
                    timeout=self.kind.seconds * 1000,
                )
                try:
                    self._serve(browser)
                finally:
                    browser.close()
        except Exception as error:  # noqa: BLE001 - whatever keeps a browser from starting, whoever waits receives it
            self._refuse(error)

    def _serve(self, browser: Browser) -> None:
        while True:
            try:
                job = self.jobs.get(timeout=REST_SECONDS)
            except queue.Empty:
                if self._resting.leave(self):
                    return
                continue
            if job is None:
                return
            work, answer = job
            try:
                result = work(browser)
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits; this browser serves nobody more
                answer.set_exception(error)
                return
            # It rests before its answer is known: whoever asks next finds it.
            self._resting.come(self)
            answer.set_result(result)

    def _refuse(self, error: Exception) -> None:
        """Tell whoever waits that there is no browser."""
        while not self.jobs.empty():
            job = self.jobs.get()
            if job is not None:
                job[1].set_exception(BrowserMissing(str(error)))


class _Resting:
    """The browsers that serve nobody now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[_Kept] = []

    def take(self, kind: Kind) -> _Kept | None:
        with self._lock:
            found = next((each for each in self._kept if each.kind == kind), None)
            if found is not None:
                self._kept.remove(found)
            return found

    def come(self, kept: _Kept) -> None:
        with self._lock:
            self._kept.append(kept)

    def empty(self) -> list[_Kept]:
        with self._lock:
            found, self._kept = self._kept, []
            return found

    def leave(self, kept: _Kept) -> bool:
        """Whether it may end: it rests, and nobody has just taken it."""
        with self._lock:
            if kept not in self._kept:
                return False
            self._kept.remove(kept)
            return True


_RESTING = _Resting()


def with_browser(executable: str, flags: Sequence[str], seconds: float, work: Callable[[Browser], _T]) -> _T:
    """Do work with a browser that rests, or with a new one; wherever it is called, one thread alone speaks to it.

    Raises `BrowserMissing`, and whatever the work raises.
    """
    kind = Kind(executable, tuple(flags), seconds)
    answer: Future[_T] = Future()
    rested = _RESTING.take(kind)
    kept = rested or _Kept(kind, _RESTING)
    kept.jobs.put((work, answer))
    if rested is None:
        kept.start()
    return answer.result()


def let_go() -> None:
    """Close every browser that rests, with its profile: a process that is about to end leaves none behind."""
    resting = _RESTING.empty()
    for kept in resting:
        kept.jobs.put(None)
    for kept in resting:
        kept.join(_END_SECONDS)


def letting_go(work: Callable[_P, _T]) -> Callable[_P, _T]:
    """The same work; when it has ended, however it did, no browser rests any more."""

    @wraps(work)
    def done(*args: _P.args, **named: _P.kwargs) -> _T:
        try:
            return work(*args, **named)
        finally:
            let_go()

    return done
