"""Fixtures of the policy tests: the shipped configuration and one real pack process for all of a worker's tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from policy_pack_process import PackProcess  # noqa: E402

from policy.config import Config, load_config  # noqa: E402


@pytest.fixture(scope="session")
def config() -> Config:
    return load_config()


@pytest.fixture(scope="session")
def bind_pack() -> Iterator[PackProcess]:
    """The pack as an engine starts it for a stack in phase bind."""
    with PackProcess.start(ROOT / "policy", phase="bind") as pack:
        yield pack
