"""`RetirementGate` and `Retirement` as dynamic resources: thin shells around `atlas_access.retirement.run`.

The gate only looks, and shows its evidence, which the policy pack judges before a `Retirement` may be made; the
retirement asks everything again before it takes anything away. A failure reaches the user as one message. What acts is
imported when it acts: a preview only compares.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, UpdateResult

from probes.provider import OneMessage
from probes.rollout import ServiceAddress

_ASKED_BY = ("retirement", "retireConfirmation", "tombstoneHours", "acknowledged", "observerRole", "soakRole")
"""The settings that another question to the gate differs by, besides the inventory."""
_CARRIED_BY = ("step", "inventory")
"""The inputs that another retirement differs by: not the evidence, which is new with each observation."""


@dataclass(frozen=True)
class RetirementArgs:
    """What a retirement is asked: the step, the stack's settings, and what it waits for.

    `settings` is the resolved record as JSON, with what a person typed and acknowledged. `inventory` is the digest of
    what is legacy, `revision` what the service runs once the revision without deprecated variables is rolled out.
    """

    step: str
    settings: str
    inventory: str
    revision: pulumi.Input[str]


class RetirementGateProvider(OneMessage):
    """Inspects every condition; fails while one is not met, and touches nothing in any case."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Show the evidence. Raises `RetirementRefused`."""
        from atlas_access.retirement import show_gate

        return CreateResult(_place(props), show_gate(props, ""))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Show it anew. Raises `RetirementRefused`."""
        from atlas_access.retirement import show_gate

        return UpdateResult(show_gate(news, str(olds.get("evidence") or "")))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Nothing was made."""

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Ask again when anything that the gate goes by is another."""
        return DiffResult(changes=_asked(olds) != _asked(news))


class RetirementProvider(OneMessage):
    """Tombstones, then deletes; deleting the resource gives the roles back where that is still possible."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Carry the step out, or go on with what a run that died has begun. Raises `RetirementRefused`."""
        from atlas_access.retirement import retire

        return CreateResult(_place(props), retire(props, None))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """The next step. Raises `RetirementRefused`."""
        from atlas_access.retirement import retire

        return UpdateResult(retire(news, float(olds.get("tombstoned_at") or 0.0) or None))

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Leave phase `retire`. Raises `RetirementRefused` while a deletion is half-way."""
        from atlas_access.retirement import leave

        leave(props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another step or another inventory."""
        return DiffResult(changes=_differ(olds, news, _CARRIED_BY))


class RetirementGate(pulumi.dynamic.Resource, module="rollout", name="RetirementGate"):
    """Every condition of the gate, met, with its evidence."""

    evidence: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        address: ServiceAddress,
        args: RetirementArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            RetirementGateProvider(), name, {**vars(address), **vars(args), "evidence": None}, opts
        )


class Retirement(pulumi.dynamic.Resource, module="rollout", name="Retirement"):
    """The retirement of one stack's legacy inventory.

    `stage` is `tombstoned` or `deleted`, `tombstoned_at` Unix seconds, `kept` what had to stay and why.
    """

    stage: pulumi.Output[str]
    tombstoned_at: pulumi.Output[float]
    kept: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        address: ServiceAddress,
        args: RetirementArgs,
        evidence: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        results = dict.fromkeys(("stage", "tombstoned_at", "kept"))
        super().__init__(
            RetirementProvider(), name, {**vars(address), **vars(args), "evidence": evidence, **results}, opts
        )


def _place(props: Mapping[str, Any]) -> str:
    return f"{props['cluster']}/{props['service']}"


def _asked(props: Mapping[str, Any]) -> list[Any]:
    record = json.loads(str(props.get("settings") or "{}"))
    return [props.get("inventory"), *(record.get(name) for name in _ASKED_BY)]


def _differ(olds: Mapping[str, Any], news: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    return any(olds.get(key) != news.get(key) for key in keys)
