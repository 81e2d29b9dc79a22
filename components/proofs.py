"""The proof of each secret version, and the gate that everything after it passes.

What is not proven goes no further: `proven_versions` yields the versions only when every proof of the stack is
proven, and otherwise ends the program with all the reasons at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from access.expectations import expectations
from access.manifest_model import Binding, Manifest
from access.settings import Settings
from access.verdict import Verdict
from components.connection_secret import ConnectionSecret
from probes.resource import PrivilegeProof, PrivilegeProofArgs


def proof_of(
    binding: Binding,
    secret: ConnectionSecret,
    manifest: Manifest,
    settings: Settings,
    hosts: pulumi.Input[Sequence[str]],
    opts: pulumi.ResourceOptions,
) -> PrivilegeProof:
    """Prove the binding's user from the very secret version that tasks will receive.

    `hosts` are those that the connection string must name; empty where another environment's stack handed it over.
    """
    expected = expectations(manifest, binding.user, binding.cluster)
    return PrivilegeProof(
        binding.secret_name.rsplit("/", 1)[-1],
        PrivilegeProofArgs(
            user=binding.user,
            environment=binding.environment,
            cluster=binding.cluster,
            address=binding.address.value,
            secret_arn=secret.arn,
            secret_version=secret.version_id,
            expectations=expected.to_json(),
            expectations_digest=expected.digest,
            region=settings.aws_region,
            runner="here",
            deadline_seconds=settings.proof_deadline_seconds,
            expected_hosts=hosts,
        ),
        opts,
    )


def proven_versions(proofs: Mapping[str, PrivilegeProof]) -> pulumi.Output[Mapping[str, str]]:
    """Secret name to proven version, once every proof has passed; fails the update otherwise."""
    names = sorted(proofs)
    return pulumi.Output.all(
        *(
            pulumi.Output.all(proofs[name].verdict, proofs[name].reason, proofs[name].secret_version)
            for name in names
        )
    ).apply(lambda results: dict(zip(names, _passed(results), strict=True)))


def _passed(results: list[list[str]]) -> list[str]:
    reasons = [reason for verdict, reason, _ in results if verdict != Verdict.PROVEN]
    if reasons:
        raise pulumi.RunError("\n".join(reasons))
    return [version for _, _, version in results]
