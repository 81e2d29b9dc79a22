"""A task-definition revision that is the running one with its Mongo `secrets` replaced.

The revision takes proven versions only: its inputs wait for the proofs. Revisions are kept when they are replaced,
because an INACTIVE revision cannot be rolled back to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from atlas_access.base import BoundSecret, MongoVariables, bind, canonical_containers
from atlas_access.manifest import Manifest
from atlas_access.rollout import tagged
from components.ecs_inputs import task_definition_args


@dataclass(frozen=True)
class ProvenSecret:
    """A variable, its secret, and the version that a proof has passed."""

    variable: str
    secret_arn: pulumi.Output[str]
    proven_version: pulumi.Output[str]


@dataclass(frozen=True)
class TaskBindingArgs:
    """The definition to start from (as ECS describes it), and what its container is bound to."""

    definition: Mapping[str, Any]
    container: str
    secrets: Sequence[ProvenSecret]
    variables: MongoVariables
    keep_deprecated: bool
    image: str = ""
    repair: str = ""


class TaskBinding(pulumi.ComponentResource):
    """One family's bound revision. Outputs: `revision_arn`, `container_definitions` (JSON text)."""

    def __init__(self, name: str, args: TaskBindingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        family = str(args.definition["family"])
        super().__init__("atlas-access:index:TaskBinding", name, {"family": family}, opts)

        def bound(resolved: list[list[str]]) -> dict[str, Any]:
            return bind(
                args.definition,
                container=args.container,
                secrets=[BoundSecret(variable, arn, version) for variable, arn, version in resolved],
                variables=args.variables,
                keep_deprecated=args.keep_deprecated,
                image=args.image,
            )

        # Bound once with stand-ins: what is wrong with the definition is said in the preview, before any create.
        definition = bound([[secret.variable, "arn", "version"] for secret in args.secrets])
        self.container_definitions = pulumi.Output.all(
            *(pulumi.Output.all(s.variable, s.secret_arn, s.proven_version) for s in args.secrets)
        ).apply(lambda resolved: canonical_containers(bound(resolved)))
        task_definition = aws.ecs.TaskDefinition(
            family,
            task_definition_args(tagged(definition, args.repair), self.container_definitions),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.revision_arn = task_definition.arn
        self.register_outputs({"revisionArn": self.revision_arn})


def governed_variables(manifest: Manifest) -> MongoVariables:
    """Every Mongo variable whose binding the manifest decides."""
    return MongoVariables(
        bound=frozenset(binding.variable for binding in manifest.bindings),
        deprecated=manifest.successors,
    )
