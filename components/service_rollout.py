"""The running service's move: record what runs, register the bound revision, swap."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from access.settings import Settings
from components.task_binding import TaskBinding, TaskBindingArgs
from rollout.resources import PriorRevision, Rollout, ServiceAddress


@dataclass(frozen=True)
class ServiceRolloutArgs:
    """The binding to roll out, the grants its tasks need first, and the versions proven for it."""

    settings: Settings
    binding: TaskBindingArgs
    grants: Sequence[pulumi.Resource]
    proven: pulumi.Output[Mapping[str, str]]


class ServiceRollout(pulumi.ComponentResource):
    """One service's rollout. Output: `running_revision`."""

    def __init__(
        self, name: str, args: ServiceRolloutArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("atlas-access:index:ServiceRollout", name, None, opts)
        settings = args.settings
        address = ServiceAddress(settings.aws_region, settings.ecs_cluster, settings.ecs_service)
        wanted = args.proven.apply(lambda versions: _digest(args.binding, versions))
        prior = PriorRevision(name, address, wanted, pulumi.ResourceOptions(parent=self))
        binding = TaskBinding(
            str(args.binding.definition["family"]),
            args.binding,
            pulumi.ResourceOptions(parent=self, depends_on=[prior, *args.grants]),
        )
        rollout = Rollout(
            name,
            address,
            wanted=binding.revision_arn,
            prior=prior.revision_arn,
            proven=args.proven,
            deadline_seconds=settings.rollout_deadline_seconds,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[prior, *args.grants]),
        )
        self.running_revision = rollout.running_revision
        self.register_outputs({"runningRevision": self.running_revision})


def _digest(binding: TaskBindingArgs, versions: Mapping[str, str]) -> str:
    """What the wanted revision differs by: the proven versions, the image, and whether old names are kept."""
    parts = [
        binding.image,
        str(binding.keep_deprecated),
        *(f"{name}={versions[name]}" for name in sorted(versions)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
