"""One Secrets Manager secret that holds one connection string, and the version that tasks receive.

The value goes in and never comes out: consumers get the ARN and the version id, and read the value themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from atlas_access.clients import MADE_HERE
from atlas_access.rotation import CREATED

#: Secrets Manager, DeleteSecret: 7 to 30 days. The longest, because a credential may be needed to undo a retirement.
RECOVERY_WINDOW_DAYS = 30

#: What an import of a secret cannot read back.
_NOT_READ_BACK = ["recoveryWindowInDays", "forceOverwriteReplicaSecret"]


@dataclass(frozen=True)
class AdoptedSecret:
    """A secret that exists already and keeps its value: its ARN and the version that is current."""

    arn: str
    version_id: str


@dataclass(frozen=True)
class ConnectionSecretArgs:
    """The secret's name, its key, and what it holds: a value for each generation, or what an adopted one holds.

    `values` are by generation, `wanted` is the one that tasks receive. `stored` is the ARN of the secret where this
    program made it before: one that the state has lost is taken back.
    """

    secret_name: str
    kms_key_arn: str
    environment: str
    user: str
    protect: bool
    values: Mapping[int, pulumi.Output[str]] = field(default_factory=dict)
    wanted: int = 1
    stored: str = ""
    adopted: AdoptedSecret | None = None


class ConnectionSecret(pulumi.ComponentResource):
    """A secret and its version. Outputs: `arn` and `version_id`, neither of them confidential."""

    arn: pulumi.Output[str]
    version_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: ConnectionSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            "atlas-access:index:ConnectionSecret",
            name,
            {"secretName": args.secret_name, "user": args.user},
            opts,
        )
        secret = aws.secretsmanager.Secret(
            name,
            name=args.secret_name,
            description=f"Connection string of {args.user} ({args.environment}){MADE_HERE}",
            kms_key_id=args.kms_key_arn,
            recovery_window_in_days=RECOVERY_WINDOW_DAYS,
            opts=_adopted(self, args.adopted, protect=args.protect)
            if args.adopted
            else pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                import_=args.stored or None,
                ignore_changes=_NOT_READ_BACK if args.stored else None,
            ),
        )
        self.arn = secret.arn
        versions = {
            generation: aws.secretsmanager.SecretVersion(
                name if generation == 1 else f"{name}-{generation}",
                secret_id=secret.id,
                secret_string=value,
                # Not the current one before it is proven and gated; its labels are moved by other means later.
                version_stages=[CREATED],
                # Not protected: a version never changes, so a new password or address replaces it. The superseded
                # one stays readable until the next: revisions pin it by id.
                opts=pulumi.ResourceOptions(
                    parent=self,
                    retain_on_delete=True,
                    additional_secret_outputs=["secretString"],
                    ignore_changes=["versionStages"],
                ),
            ).version_id
            for generation, value in args.values.items()
        }
        adopted = {1: pulumi.Output.from_input(args.adopted.version_id)} if args.adopted else {}
        self.version_id = (versions | adopted)[args.wanted]
        self.register_outputs({"arn": self.arn, "versionId": self.version_id})


def _adopted(parent: pulumi.Resource, secret: AdoptedSecret, *, protect: bool) -> pulumi.ResourceOptions:
    """Imported as it is: what an import cannot read back, or somebody else has written, is left alone."""
    return pulumi.ResourceOptions(
        parent=parent,
        protect=protect,
        retain_on_delete=True,
        import_=secret.arn,
        ignore_changes=["description", *_NOT_READ_BACK, "tags", "tagsAll"],
    )
