"""The fixtures of the engine's tests: a toy provider, and a stack that uses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_programs.harness import Stack
from engine_programs.toy_provider import ToyProvider


@pytest.fixture
def toy() -> Iterator[ToyProvider]:
    with ToyProvider() as provider:
        yield provider


@pytest.fixture
def stack(tmp_path: Path, toy: ToyProvider) -> Stack:
    return Stack(tmp_path, toy)
