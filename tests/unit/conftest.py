"""A unit test decides: it starts no process and opens no connection. What needs either stands in another folder."""

import gc
import sys
import threading
from collections.abc import Iterator

import pytest

_FORBIDDEN = frozenset(
    {
        *("socket.connect", "socket.bind", "socket.sendto", "subprocess.Popen"),
        *("os.system", "os.fork", "os.forkpty", "os.exec", "os.spawn", "os.posix_spawn"),
    }
)
_SEEN: list[str] = []
_ELSEWHERE: set[int | None] | None = None
"""Threads that were there before the module; None while no module of this folder runs."""


def _refuse(event: str, _: object) -> None:
    if event in _FORBIDDEN and _ELSEWHERE is not None and threading.get_ident() not in _ELSEWHERE:
        _SEEN.append(event)
        raise AssertionError(f"a unit test may not do this: {event}")


sys.addaudithook(_refuse)


@pytest.fixture(autouse=True, scope="module")
def _no_effects() -> Iterator[None]:
    global _ELSEWHERE
    _SEEN.clear()
    _ELSEWHERE = {each.ident for each in threading.enumerate()} - {threading.get_ident()}
    yield
    _ELSEWHERE = None
    assert [] == _SEEN, "swallowed by what was tested"


@pytest.fixture(autouse=True, scope="module")
def _patient() -> Iterator[None]:
    """All tests that were collected live to the end: to look through them again and again is a tenth of the time."""
    before = gc.get_threshold()
    if not gc.get_freeze_count():
        gc.freeze()
    gc.set_threshold(200_000, 50, 100)
    yield
    gc.set_threshold(*before)
