"""What the execution roles may read: exactly the secrets their tasks are bound to, and the key that encrypts them.

ECS starts a task with the *execution* role: it must read the secret and decrypt with its key, or the task does not
start. The runtime's role never reads the schema secret (ADR 0006).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from atlas_access.base import DefinitionUnusable
from atlas_access.manifest import Consumer


def role_name(definition: Mapping[str, object]) -> str:
    """The name of a definition's execution role.

    Raises:
        DefinitionUnusable: it has none, so none of its secrets could be read.
    """
    arn = str(definition.get("executionRoleArn") or "")
    if not arn:
        raise DefinitionUnusable(
            f"{definition['family']}: no execution role, so its tasks cannot read a secret. Give the family one."
        )
    return arn.rsplit("/", 1)[-1]


def execution_grants(
    definitions: Mapping[Consumer, Mapping[str, object]],
    secrets: Mapping[Consumer, Sequence[pulumi.Output[str]]],
    kms_key_arn: str,
    opts: pulumi.ResourceOptions,
) -> dict[Consumer, aws.iam.RolePolicy]:
    """The policy of each consumer's execution role, for the secrets that its tasks are bound to."""
    roles = {consumer: role_name(definition) for consumer, definition in definitions.items()}
    if roles[Consumer.SERVICE] == roles.get(Consumer.SCHEMA_TASK):
        raise pulumi.RunError(
            f"the runtime family and {definitions[Consumer.SCHEMA_TASK]['family']} share the execution role "
            f"{roles[Consumer.SERVICE]}, which would let the runtime read the schema secret (ADR 0006). "
            "Give the schema family a role of its own."
        )
    return {
        consumer: grant_reads(f"{consumer.value}-reads", role, secrets[consumer], kms_key_arn, opts)
        for consumer, role in roles.items()
    }


def grant_reads(
    name: str,
    role: str,
    secret_arns: Sequence[pulumi.Output[str]],
    kms_key_arn: str,
    opts: pulumi.ResourceOptions,
) -> aws.iam.RolePolicy:
    """An inline policy that lets `role` read exactly these secrets and decrypt with this key."""
    return aws.iam.RolePolicy(
        name,
        name="atlas-access-read-connection-strings",
        role=role,
        policy=pulumi.Output.all(*secret_arns).apply(lambda arns: _policy(sorted(set(arns)), kms_key_arn)),
        opts=opts,
    )


def _policy(secret_arns: Sequence[str], kms_key_arn: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["secretsmanager:GetSecretValue"],
                    "Resource": list(secret_arns),
                },
                {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [kms_key_arn]},
            ],
        },
        sort_keys=True,
        separators=(",", ":"),
    )
