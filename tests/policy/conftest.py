"""Fixtures of the policy tests: the shipped configuration and real pack processes, one a phase for a worker's tests."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from policy_pack_process import PackProcess  # noqa: E402

from policy.law import Law  # noqa: E402
from policy.law_file import load_law  # noqa: E402


@pytest.fixture(scope="session")
def law() -> Law:
    return load_law()


@pytest.fixture(scope="session")
def packs() -> Iterator[Callable[..., PackProcess]]:
    """The pack as an engine starts it in the phase asked for; a stack's root resource begins a pass of its own."""
    running: dict[str | None, PackProcess] = {}
    with contextlib.ExitStack() as ends:

        def pack(phase: str | None) -> PackProcess:
            if phase not in running:
                running[phase] = ends.enter_context(PackProcess.start(ROOT / "policy", phase=phase))
            return running[phase]

        yield pack
