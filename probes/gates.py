"""`ServiceGates` as a dynamic resource: the last one that acts, a thin shell around `atlas_access.rollout.close`.

What acts is imported when it acts. A failure reaches the user as one message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, UpdateResult

from probes.provider import OneMessage
from probes.rollout import ServiceAddress

_DECIDING = ("stack", "region", "cluster", "service", "settings", "proven_at", "revision", "baseline")


@dataclass(frozen=True)
class GatesArgs:
    """What the gates are run for: another time of a proof stands for a role, user or secret that changed.

    `revision` is what a rollout left running and `gated_at` when its gates were green, both "" where none was made.
    `settings` is the stack's resolved record as JSON, `baseline` the digest of what answers are held to.
    """

    settings: str
    proven_at: pulumi.Input[Sequence[str]]
    revision: pulumi.Input[str]
    gated_at: pulumi.Input[str]
    baseline: str


class ServiceGatesProvider(OneMessage):
    """Runs the gates where something changed that they depend on; deleting it undoes nothing."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Run the gates. Raises `RolloutFailed`."""
        from atlas_access.rollout import close

        return CreateResult(f"{props['cluster']}/{props['service']}", close(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Run the gates. Raises `RolloutFailed`."""
        from atlas_access.rollout import close

        return UpdateResult(close(news))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare what decides; a red answer is never recorded."""
        return DiffResult(changes=any(olds.get(key) != news.get(key) for key in _DECIDING))


class ServiceGates(pulumi.dynamic.Resource, module="rollout", name="ServiceGates"):
    """The smoke gates on what runs at an update's end. `gates` is `gates on …: green`, or why they were not run."""

    gates: pulumi.Output[str]

    def __init__(
        self, name: str, address: ServiceAddress, args: GatesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(ServiceGatesProvider(), name, {**vars(address), **vars(args), "gates": None}, opts)
