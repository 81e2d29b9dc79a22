"""The last phase of a stack: the gate with its evidence, then the retirement of the legacy inventory, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from atlas_access.base import Settings, confirmation_for
from atlas_access.manifest import Manifest
from atlas_access.retirement import scope_of
from probes.retirement import Retirement, RetirementArgs, RetirementGate
from probes.rollout import ServiceAddress


@dataclass(frozen=True)
class ServiceRetirementArgs:
    """What is retired, and what must stand before: the running revision without deprecated variables, and the rest."""

    stack: str
    manifest: Manifest
    settings: Settings
    revision: pulumi.Output[str]
    after: Sequence[pulumi.Resource]


class ServiceRetirement(pulumi.ComponentResource):
    """One stack's retirement. Output: `stage`, `tombstoned` or `deleted`."""

    def __init__(
        self, name: str, args: ServiceRetirementArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("atlas-access:index:ServiceRetirement", name, None, opts)
        settings = args.settings
        address = ServiceAddress(args.stack, settings.aws_region, settings.ecs_cluster, settings.ecs_service)
        asked = RetirementArgs(
            step=settings.retirement.value,
            settings=settings.to_json(),
            inventory=scope_of(args.manifest, args.stack).digest,
            revision=args.revision,
        )
        # Nothing of ours may change roles of the project beside the retirement: it waits for every user and role.
        waits = pulumi.ResourceOptions(parent=self, depends_on=list(args.after))
        gate = RetirementGate(name, address, asked, waits)
        retirement = Retirement(name, address, asked, gate.evidence, waits)
        self.stage = retirement.stage
        self.register_outputs({"stage": self.stage})


def refuse_unconfirmed(stack: str, settings: Settings) -> None:
    """Stop a program in phase `retire` that nobody has confirmed, before it declares anything. Raises RunError."""
    wanted = confirmation_for(stack)
    if settings.retire_confirmation != wanted:
        raise pulumi.RunError(
            f"phase retire takes {stack}'s legacy users, roles and secrets away, and nobody has confirmed it; nothing "
            f'was touched. Set atlas-access:retireConfirmation to "{wanted}", or atlas-access:phase back to bind.'
        )
