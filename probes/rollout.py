"""`PriorRevision` and `Rollout` as dynamic resources: thin shells around `atlas_access.rollout.run`.

Their providers are pickled by reference and hold nothing. `create` and `update` never run in a preview. A failure
reaches the user as one message: the host's traceback is switched off. What acts is imported when it acts: a preview
only compares, and the driver takes longer to import than that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, UpdateResult

from probes.provider import OneMessage


@dataclass(frozen=True)
class ServiceAddress:
    """Where a service is: its stack, region, ECS cluster, name."""

    stack: str
    region: str
    cluster: str
    service: str


@dataclass(frozen=True)
class RolloutArgs:
    """What a rollout needs besides its service.

    `wanted` and `prior` are revision ARNs, `prior_definition` is what was recorded of the latter. `proofs` are the
    proofs to be made again, `proven` names the versions proven for the revision. `ownership` is what the Terraform
    files say, and why. `settings` is the stack's resolved record as JSON: nothing reads the file again. `unsettled`
    says why the service is not as a green rollout left it, "" when it is: after a rollback, a deployment by
    somebody else, or a run that died.
    """

    wanted: pulumi.Input[str]
    prior: pulumi.Input[str]
    prior_definition: pulumi.Input[str]
    proofs: pulumi.Input[Sequence[Mapping[str, Any]]]
    proven: pulumi.Input[Mapping[str, str]]
    release: int
    ownership: str
    ownership_why: str
    settings: str
    unsettled: pulumi.Input[str]


class PriorRevisionProvider(OneMessage):
    """Records what runs; records it anew when something else is wanted, or when somebody deployed something else."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Look up what the service runs, and keep its full definition, ready for RegisterTaskDefinition."""
        from atlas_access.rollout import record_prior

        return CreateResult(_place(props), record_prior(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Record again: what runs now is prior to the next revision."""
        from atlas_access.rollout import record_prior

        return UpdateResult(record_prior(news))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Undo what a run that died may have left half-way; without a lease on the service nothing is touched."""
        from atlas_access.rollout import settle_lease

        settle_lease(props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another wanted definition, another deployed one, or another service ask for another record."""
        moved = _moved(olds, news)
        found = news.get("found")
        elsewhere = bool(found) and found != olds.get("revision_arn")
        return DiffResult(
            changes=bool(moved) or elsewhere or olds.get("wanted") != news.get("wanted"), replaces=moved
        )


class RolloutProvider(OneMessage):
    """Swaps the service onto a revision; deleting it puts the recorded revision back."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Swap, wait, and judge. Raises `RolloutFailed` when it was refused or undone."""
        from atlas_access.rollout import roll_out

        return CreateResult(_place(props), roll_out(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Swap onto the newly wanted revision. Raises `RolloutFailed` when it was refused or undone."""
        from atlas_access.rollout import roll_out

        return UpdateResult(roll_out(news))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Put the recorded revision back where the service still runs ours."""
        from atlas_access.rollout import undo_rollout

        undo_rollout(props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another revision, another release or an unsettled service is an update; another service another rollout.

        The live service, not the state, says what runs: an update that finds it rolled back is refused, not green.
        """
        moved = _moved(olds, news)
        changed = any(olds.get(key) != news.get(key) for key in ("wanted", "release"))
        return DiffResult(changes=bool(moved) or changed or bool(news.get("unsettled")), replaces=moved)


class PriorRevision(pulumi.dynamic.Resource, module="rollout", name="PriorRevision"):
    """The revision that runs before a rollout.

    `wanted` says for which definition it was recorded, `found` which revision the program saw running, "" when that is
    bound as wanted. `settings` is the stack's resolved record, with which the lease of a dead run is undone.
    `left_behind` is the revision that a dead run had begun to roll out.
    """

    revision_arn: pulumi.Output[str]
    definition: pulumi.Output[str]
    left_behind: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        address: ServiceAddress,
        wanted: pulumi.Input[str],
        found: pulumi.Input[str],
        settings: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        results = dict.fromkeys(("revision_arn", "definition", "left_behind"))
        super().__init__(
            PriorRevisionProvider(),
            name,
            {**vars(address), "wanted": wanted, "found": found, "settings": settings, **results},
            opts,
        )


class Rollout(pulumi.dynamic.Resource, module="rollout", name="Rollout"):
    """The move of one service onto one revision. `gates` is `green` or `not run`, `gated_at` when they were green."""

    running_revision: pulumi.Output[str]
    gates: pulumi.Output[str]
    gated_at: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        address: ServiceAddress,
        args: RolloutArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        results = dict.fromkeys(("running_revision", "gates", "gated_at"))
        super().__init__(RolloutProvider(), name, {**vars(address), **vars(args), **results}, opts)


def _place(props: Mapping[str, Any]) -> str:
    return f"{props['cluster']}/{props['service']}"


def _moved(olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    return [key for key in ("region", "cluster", "service") if olds.get(key) != news.get(key)]
