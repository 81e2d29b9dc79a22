"""What a rollout needs of the smoke gates: whether they can be run at all, and one round of them.

The gates themselves, their content and their baseline live elsewhere; a rollout knows no gate by name. A gate that
cannot be judged has not passed: it stands among a round's failures.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

ROUNDS = 2
"""Consecutive green rounds that a revision must show."""

UNGATED = (
    "the smoke gates cannot be run: there is no baseline. Capture one before any change: "
    "atlas-access baseline capture STACK (in a sandbox: atlas-access sandbox baseline STACK). A sandbox's own tests "
    "may set allowUngatedRollout"
)


def baseline_file(stack: str, configured: str, folder: Path) -> Path:
    """Where a stack's baseline is: as configured, else with the sandbox for a sandbox, else with the program."""
    if configured:
        return folder / configured
    sandbox = os.environ.get("ATLAS_ACCESS_SANDBOX_DIR", "") if os.environ.get("ATLAS_ACCESS_SANDBOX") else ""
    return folder / Path(sandbox, "baselines", f"{stack}.json")


def baseline_digest(stack: str, configured: str, folder: Path) -> str:
    """What another baseline of a stack differs by; "" without one."""
    path = baseline_file(stack, configured, folder)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


@dataclass(frozen=True)
class Round:
    """One round of every gate: what failed, one line each, the most telling first; empty is green.

    `notes` name what passed without having been run; `unknown` says that nothing was found wrong, but that something
    could not be judged.
    """

    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: bool = False

    @property
    def green(self) -> bool:
        """Whether every gate passed."""
        return not self.failures

    def __str__(self) -> str:
        return "; ".join(self.failures or ("green", *self.notes))


NOT_RUN = Round(notes=("not run: there is no smoke baseline of this stack",), unknown=True)
"""The round of a stack without a baseline."""


class Gates(Protocol):
    """The smoke gates of one stack, with its baseline."""

    def refusals(self) -> tuple[str, ...]:
        """Why a rollout must not rely on them: no baseline, another stack's, other scenarios, red when captured."""

    def round(self, revision: str, stopped: Callable[[], bool]) -> Round:
        """Run every gate once against answers of `revision`; ends early, with any result, once `stopped` is true."""


def safely(gates: Gates, revision: str, stopped: Callable[[], bool]) -> Round:
    """A gate that breaks has not passed: its defect is a failure of the round, never of the rollout's undoing."""
    try:
        return gates.round(revision, stopped)
    except Exception as error:  # noqa: BLE001 - whatever breaks in a gate, the service must be put back
        return Round((f"the gates could not be run: {type(error).__name__}: {error}",), unknown=True)
