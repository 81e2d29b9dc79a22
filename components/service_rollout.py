"""The running service's move: record what runs, register the bound revision, swap."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi

from atlas_access.base import BoundSecret, Finding, Settings, Status, bind, secret_references
from atlas_access.guards import judge_directory
from atlas_access.rollout import ServiceTags, short
from components.task_binding import TaskBinding, TaskBindingArgs
from probes.proof import MADE_BY, PrivilegeProof
from probes.rollout import PriorRevision, Rollout, RolloutArgs, ServiceAddress

PROJECT_FOLDER = Path(__file__).parents[1]


@dataclass(frozen=True)
class ServiceRolloutArgs:
    """The binding to roll out, the grants its tasks need first, and the proofs and versions it stands on.

    `started_from` is the revision that the program saw running, from which the binding is derived; `service_tags` are
    ours on the service; `unlabelled` are pinned secret versions that bear no label any more.
    """

    stack: str
    settings: Settings
    binding: TaskBindingArgs
    started_from: str
    grants: Sequence[pulumi.Resource]
    proofs: Sequence[PrivilegeProof]
    proven: pulumi.Output[Mapping[str, str]]
    service_tags: ServiceTags = field(default_factory=ServiceTags)
    unlabelled: Sequence[str] = ()


class ServiceRollout(pulumi.ComponentResource):
    """One service's rollout. Outputs: `running_revision`, and `gated_at`, when its gates were green last."""

    def __init__(
        self, name: str, args: ServiceRolloutArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("atlas-access:index:ServiceRollout", name, None, opts)
        settings, definition = args.settings, args.binding.definition
        address = ServiceAddress(args.stack, settings.aws_region, settings.ecs_cluster, settings.ecs_service)
        wanted = args.proven.apply(lambda versions: _digest(args.binding, versions))
        found = _found(args)
        record = settings.to_json()
        prior = PriorRevision(name, address, wanted, found, record, pulumi.ResourceOptions(parent=self))
        binding = TaskBinding(
            str(definition["family"]),
            args.binding,
            pulumi.ResourceOptions(parent=self, depends_on=[prior, *args.grants]),
        )
        before = pulumi.Output.all(binding.revision_arn, prior.revision_arn).apply(
            lambda both: str(both[1] if both[0] == args.started_from else args.started_from)
        )
        owner = _owner(settings)
        rollout = Rollout(
            name,
            address,
            RolloutArgs(
                wanted=binding.revision_arn,
                prior=before,
                prior_definition=pulumi.Output.all(before, prior.revision_arn, prior.definition).apply(
                    lambda three: three[2] if three[0] == three[1] else ""
                ),
                proofs=[
                    # Made again within today's time limit, not within that of the recorded proof; nothing narrows now.
                    {name: getattr(each, name) for name in MADE_BY}
                    | {"deadline_seconds": settings.proof_deadline_seconds, "narrowing": False}
                    for each in args.proofs
                ],
                proven=args.proven,
                release=settings.rollout_release,
                ownership=owner.status.value,
                ownership_why=_text(owner),
                settings=record,
                unsettled=found.apply(lambda revision: _unsettled(revision, args)),
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[prior, *args.grants]),
        )
        self.running_revision, self.gated_at = rollout.running_revision, rollout.gated_at
        self.register_outputs({"runningRevision": self.running_revision})


def _digest(binding: TaskBindingArgs, versions: Mapping[str, str]) -> str:
    """What the wanted revision differs by: the proven versions, and everything that a person or a pipeline deploys."""
    containers = binding.definition.get("containerDefinitions", [])
    images = {str(each["name"]): str(each.get("image", "")) for each in containers}
    if binding.image:
        images[binding.container] = binding.image
    plain = [
        f"{each['name']}.{entry['name']}={entry['value']}"
        for each in containers
        for entry in each.get("environment", []) or []
    ]
    others = [
        f"{name}={reference}"
        for name, reference in secret_references(binding.definition).items()
        if not binding.variables.governs(name)
    ]
    parts = [
        str(binding.keep_deprecated),
        *(f"{name}={versions[name]}" for name in sorted(versions)),
        *(f"{name}={images[name]}" for name in sorted(images)),
        *sorted(plain),
        *sorted(others),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _found(args: ServiceRolloutArgs) -> pulumi.Output[str]:
    """The revision that the program saw running; "" when it is bound as wanted, so that it is nothing to go back to."""
    binding = args.binding

    def found(resolved: list[list[str]]) -> str:
        wanted = bind(
            binding.definition,
            container=binding.container,
            secrets=[BoundSecret(variable, arn, version) for variable, arn, version in resolved],
            variables=binding.variables,
            keep_deprecated=binding.keep_deprecated,
            image=binding.image,
        )
        settled = secret_references(wanted) == secret_references(binding.definition)
        return "" if settled else args.started_from

    return pulumi.Output.all(
        *(pulumi.Output.all(s.variable, s.secret_arn, s.proven_version) for s in binding.secrets)
    ).apply(found)


def _unsettled(found: str, args: ServiceRolloutArgs) -> str:
    """Why the service is not as a green rollout leaves it; "" when it is: then an update has nothing to do."""
    service_tags = args.service_tags
    if service_tags.lease is not None:
        return f"run {service_tags.lease.run} holds a lease on the service"
    if service_tags.held is not None:
        return f"the service was rolled back and is held at release {service_tags.held}"
    if found:
        return f"{short(found)} runs"
    return f"without a label: {', '.join(args.unlabelled)}" if args.unlabelled else ""


def _text(owner: Finding) -> str:
    return f"{owner.text}. {owner.remedy}" if owner.message else ""


def _owner(settings: Settings) -> Finding:
    """What the Terraform files say; unknown, without a message, where none are configured."""
    if not settings.terraform_directory:
        return Finding(Status.UNKNOWN, "", "")
    return judge_directory(PROJECT_FOLDER / settings.terraform_directory, settings.ecs_service)
