"""The proof of each secret version, and the gate that everything after it passes.

What is not proven goes no further: `proven_versions` yields the versions only when every proof of the stack is
proven, and otherwise ends the program with all the reasons at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pulumi

from atlas_access.base import Address, Settings, both_logins
from atlas_access.manifest import Binding, Consumer, Manifest
from atlas_access.proof import ProofRequest, ProofTask, Verdict, expectations
from components.connection_secret import ConnectionSecret
from probes.proof import PrivilegeProof, PrivilegeProofArgs

_SHOWN = ("user", "cluster", "environment", "address", "reason")


@dataclass(frozen=True)
class Reach:
    """How a binding's cluster is reached for its proof.

    `hosts` are those that the connection string must name; empty where another environment's stack handed it over.
    `public_address` is what proves the credential where a private address does not answer, "" for none.
    """

    hosts: pulumi.Input[Sequence[str]]
    public_address: pulumi.Input[str]
    execution_role: str


def proof_of(
    binding: Binding,
    secret: ConnectionSecret,
    manifest: Manifest,
    settings: Settings,
    reach: Reach,
    opts: pulumi.ResourceOptions,
) -> PrivilegeProof:
    """Prove the binding's user from the very secret version that tasks will receive.

    An adopted role may have held more before this update, so its user's denials get time to arrive. Where a task is
    configured, the proof runs in one, with the execution role of the binding's own tasks.
    """
    own = binding.cluster == binding.environment
    # Which generation another stack hands over, only the value says.
    logins = (settings.users.login(binding.user),) if own else both_logins(binding.user)
    expected = expectations(manifest, binding.user, binding.cluster, logins)
    # What no task receives is proven from here: no task's execution role may read it.
    received = binding.consumer is not Consumer.NOBODY
    return PrivilegeProof(
        binding.secret_name.rsplit("/", 1)[-1],
        PrivilegeProofArgs(
            ProofRequest(
                expected,
                binding.environment,
                region=settings.aws_region,
                address=binding.address.value,
                deadline_seconds=settings.proof_deadline_seconds,
                narrowing=_adopts(manifest, binding),
                accepted_audit_uuid=settings.accepted_audit_uuid,
            ),
            secret_arn=secret.arn,
            secret_version=secret.version_id,
            expected_hosts=reach.hosts,
            task=_place(settings, reach) if settings.proof_task_family and received else "",
            public_address=reach.public_address if binding.address is Address.PRIVATE else "",
            atlas_project=settings.atlas_project_id if own else "",
            atlas_cluster=settings.atlas_cluster if own else "",
        ),
        opts,
    )


def _adopts(manifest: Manifest, binding: Binding) -> bool:
    roles = manifest.user(binding.user).roles
    return any(not role.is_builtin and manifest.role(role.name).adopted for role in roles)


def _place(settings: Settings, reach: Reach) -> str:
    return ProofTask(
        cluster=settings.ecs_cluster,
        service=settings.ecs_service,
        family=settings.proof_task_family,
        execution_role=reach.execution_role,
        subnets=settings.proof_task_subnets,
        security_groups=settings.proof_task_security_groups,
    ).to_json()


def proven_versions(proofs: Mapping[str, PrivilegeProof]) -> pulumi.Output[Mapping[str, str]]:
    """Secret name to proven version, once every proof has passed; fails the update otherwise."""
    names = sorted(proofs)
    return pulumi.Output.all(
        *(
            pulumi.Output.all(
                *(getattr(proofs[name], each) for each in ("secret_version", "verdict", *_SHOWN))
            )
            for name in names
        )
    ).apply(lambda results: dict(zip(names, _passed(results), strict=True)))


def version_of(
    proofs: Mapping[str, PrivilegeProof], proven: pulumi.Output[Mapping[str, str]], secret_name: str
) -> pulumi.Output[str]:
    """The proven version of one secret, once every proof has passed; a preview shows what is known of it already.

    A saved plan fails where it expected a change that does not come: another credential's proof is none. It depends on
    every proof in both.
    """
    gated = proven.apply(lambda versions: versions[secret_name])
    if not pulumi.runtime.is_dry_run():
        return gated
    known: pulumi.Output[str] = vars(proofs[secret_name])["secret_version"]
    later = asyncio.ensure_future
    return pulumi.Output(
        later(gated.resources()),
        cast(Awaitable[str], later(known.future())),
        later(known.is_known()),
        later(known.is_secret()),
    )


def _passed(results: list[list[str]]) -> list[str]:
    refusals = [
        f"{verdict.upper()}  {user} on {cluster} ({environment}, {address} address): {'; '.join(reason.splitlines())}"
        for _, verdict, user, cluster, environment, address, reason in results
        if verdict != Verdict.PROVEN
    ]
    if refusals:
        raise pulumi.RunError("\n".join(refusals))
    return [version for version, *_ in results]
