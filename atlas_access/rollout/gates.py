"""What a rollout needs of the smoke gates: whether they can be run at all, and one round of them.

The gates themselves, their content and their baseline live elsewhere; a rollout knows no gate by name. A gate that
cannot be judged has not passed: it stands among a round's failures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

ROUNDS = 2
"""Consecutive green rounds that a revision must show."""


@dataclass(frozen=True)
class Round:
    """One round of every gate: what failed, one line each, the most telling first; empty is green."""

    failures: tuple[str, ...] = ()

    @property
    def green(self) -> bool:
        """Whether every gate passed."""
        return not self.failures


class Gates(Protocol):
    """The smoke gates of one stack, with its baseline."""

    def refusals(self) -> tuple[str, ...]:
        """Why a rollout must not rely on them: no baseline, another stack's, other scenarios, red when captured."""

    def round(self, revision: str, stopped: Callable[[], bool]) -> Round:
        """Run every gate once against answers of `revision`; ends early, with any result, once `stopped` is true."""
