"""A unit test decides: it starts no process and opens no connection. What needs either stands in another folder."""

import sys
from collections.abc import Iterator

import pytest

_FORBIDDEN = frozenset({"socket.connect", "subprocess.Popen", "os.posix_spawn", "os.system"})
_WATCHED = [False]


def _refuse(event: str, _: object) -> None:
    if _WATCHED[0] and event in _FORBIDDEN:
        raise AssertionError(f"a unit test may not do this: {event}")


sys.addaudithook(_refuse)


@pytest.fixture(autouse=True, scope="module")
def _no_effects() -> Iterator[None]:
    _WATCHED[0] = True
    yield
    _WATCHED[0] = False
