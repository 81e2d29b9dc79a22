"""One environment's whole access: cluster, secrets, proofs, from `bind` the task and its rollout, then the retirement.

The order is the product: roles, users, secrets, proofs, the record of what runs, the new revision, the swap, and, in
phase `retire`, the end of the legacy access. Each waits for the one before, and a proof that is refuted or inconclusive
stops all that follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from atlas_access.base import Phase, Settings, registrable
from atlas_access.manifest import Binding, Consumer, Manifest, User
from atlas_access.rollout import read_service_tags, spent_finding
from components.cluster_access import ClusterAccess, ClusterAccessArgs
from components.connection_secret import ConnectionSecret, ConnectionSecretArgs
from components.execution_grants import execution_grants
from components.observed import Observed
from components.proofs import Reach, proof_of, proven_versions, version_of
from components.reference import Reference
from components.rotation import RotationArgs, declare_rotation, still_declared
from components.service_retirement import ServiceRetirement, ServiceRetirementArgs, refuse_unconfirmed
from components.service_rollout import ServiceRollout, ServiceRolloutArgs
from components.task_binding import ProvenSecret, TaskBinding, TaskBindingArgs, governed_variables
from probes.destroy_guard import CredentialsInUse, InUseArgs
from probes.gates import GatesArgs, ServiceGates
from probes.rollout import ServiceAddress

IMPORTED = "ours already, imported where the state lacks them; remove the setting after this update."


@dataclass(frozen=True)
class ServiceAccessArgs:
    """What is declared, this stack's settings, the world as found, and the other environment's reader connection.

    `reference` is set where a binding reads another environment's cluster.
    """

    environment: str
    manifest: Manifest
    settings: Settings
    observed: Observed
    reference: Reference | None = None


class ServiceAccess(pulumi.ComponentResource):
    """Everything that one environment's stack owns."""

    def __init__(
        self, name: str, args: ServiceAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            "atlas-access:index:ServiceAccess",
            name,
            {"environment": args.environment, "phase": args.settings.phase.value}
            | ({"removing": list(args.settings.removing)} if args.settings.removing else {}),
            opts,
        )
        self._args = args
        if args.settings.phase is Phase.RETIRE:
            refuse_unconfirmed(args.environment, args.settings)
        if args.observed.repair_spent_by:
            pulumi.log.warn(spent_finding(args.environment, args.observed.repair_spent_by), self)
        if taken := [
            *(f"secret {each}" for each in sorted(args.observed.stored)),
            *args.observed.existing.named,
        ]:
            pulumi.log.info(f"takeOver: {', '.join(taken)}: {IMPORTED}", self)
        if args.observed.ungated:
            raise pulumi.RunError(
                f"{args.environment}: nothing was created: {'; '.join(args.observed.ungated)}."
            )
        self._guarded, settings = not args.settings.unprotect, args.settings
        self._address = ServiceAddress(
            args.environment, settings.aws_region, settings.ecs_cluster, settings.ecs_service
        )
        self._child = pulumi.ResourceOptions(parent=self)
        self.cluster = ClusterAccess(
            args.environment,
            ClusterAccessArgs(
                manifest=args.manifest,
                project_id=args.settings.atlas_project_id,
                cluster=args.settings.atlas_cluster,
                address_form=args.settings.address_form,
                protect=self._guarded,
                generations=args.settings.users,
                passwords=args.settings.passwords,
                existing=args.observed.existing,
                removing=args.settings.removing,
            ),
            self._child,
        )
        self._bindings = args.manifest.credentials_for(args.environment)
        self.secrets = {each.secret_name: self._secret(each) for each in self._bindings}
        self._consumers = args.observed.consumers(args.manifest, args.environment)
        self._grants = execution_grants(
            self._consumers,
            {
                consumer: [
                    self.secrets[each.secret_name].arn for each in self._bindings if each.consumer is consumer
                ]
                for consumer in self._consumers
            },
            args.observed.kms_key_arn,
            self._child,
        )
        self.proofs = {
            each.secret_name: proof_of(
                each,
                self.secrets[each.secret_name],
                args.manifest,
                args.settings,
                self._reach(each),
                pulumi.ResourceOptions(
                    parent=self, depends_on=[self.secrets[each.secret_name], *self._users_behind(each)]
                ),
            )
            for each in self._bindings
        }
        # Not the whole cluster: a generation that leaves may wait for what the guard stands before.
        credentials = [*self.cluster.current, *self.secrets.values()]
        self._in_use = self._guard(args.settings.ecs_service, credentials, own=True)
        self._proven = proven_versions(self.proofs)
        self.revisions: dict[str, pulumi.Output[str]] = {}
        self.retirement: ServiceRetirement | None = None
        self.rollout: ServiceRollout | None = None
        moved: Sequence[pulumi.Resource] = []
        if args.settings.phase is not Phase.PROVISION:
            moved = self._bind()
        gates = self._gates([self._in_use, *self._grants.values(), *moved])
        rotation = declare_rotation(
            RotationArgs(
                args.environment,
                args.manifest,
                settings,
                self._bindings,
                self.secrets,
                args.observed,
                args.reference,
                self._address,
                self.rollout.running_revision if self.rollout else None,
            ),
            self.cluster,
            gates,
            self,
        )
        # What a destroy begins with: it comes after all else, and does nothing in an update.
        self._guard(
            f"{args.settings.ecs_service}-elsewhere", [self._in_use, *moved, gates, *rotation], own=False
        )
        self.register_outputs({"revisions": self.revisions})

    @property
    def verdicts(self) -> pulumi.Output[Mapping[str, str]]:
        """Secret name to verdict; waits for every proof, and fails the update unless all are proven."""
        return pulumi.Output.all(
            pulumi.Output.all(**{name: proof.verdict for name, proof in self.proofs.items()}), self._proven
        ).apply(lambda both: both[0])

    def _secret(self, binding: Binding) -> ConnectionSecret:
        user = self._args.manifest.user(binding.user)
        adopted = self._args.observed.adopted.get(binding.secret_name)
        return ConnectionSecret(
            binding.secret_name.rsplit("/", 1)[-1],
            ConnectionSecretArgs(
                secret_name=binding.secret_name,
                kms_key_arn=self._args.observed.kms_key_arn,
                environment=binding.environment,
                user=user.name,
                protect=self._guarded and binding.secret_name not in self._args.settings.removing,
                values={
                    each: self._value(binding, user, each)
                    for each in self._generations(binding)
                    if each > 1 or not adopted
                },
                wanted=self._generations(binding)[0],
                stored=self._args.observed.stored.get(binding.secret_name, ""),
                adopted=adopted,
            ),
            self._child,
        )

    def _guard(self, name: str, after: Sequence[pulumi.Resource], *, own: bool) -> CredentialsInUse:
        """What refuses to let our own credentials go while they are used; those that were adopted stay in any case."""
        manifest, environment, settings = self._args.manifest, self._args.environment, self._args.settings
        declared = [*self.cluster.names, *self.secrets]
        return CredentialsInUse(
            name,
            self._address,
            InUseArgs(
                secrets=[each for each in sorted(self.secrets) if each not in self._args.observed.adopted],
                crossing=[
                    (binding.environment, binding.secret_name)
                    for binding in manifest.bindings
                    if binding.cluster == environment
                    and binding.environment in set(manifest.environments) - {environment}
                ],
                observer_role=settings.looks_as,
                own=own,
                declared=declared,
                protected=[each for each in declared if self._guarded and each not in settings.removing],
            ),
            pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )

    def _gates(self, after: Sequence[pulumi.Resource]) -> ServiceGates:
        """The last that acts: the gates, unless the rollout has run them after the last change of access."""
        settings, rollout = self._args.settings, self.rollout
        # In phase `retire` roles may be revoked after the rollout.
        judged = rollout if settings.phase is Phase.BIND else None
        proven = [self.proofs[name].proven_at for name in sorted(self.proofs)]
        return ServiceGates(
            settings.ecs_service,
            self._address,
            GatesArgs(
                settings=settings.to_json(),
                proven_at=pulumi.Output.all(self._proven, *proven).apply(lambda both: both[1:]),
                revision=rollout.running_revision if rollout else "",
                gated_at=judged.gated_at if judged else "",
                baseline=self._args.observed.baseline,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )

    def _generations(self, binding: Binding) -> Sequence[int]:
        """The generations that a secret holds, the wanted one first; another stack's has one version, replaced."""
        if binding.cluster != self._args.environment:
            return (1,)
        users = self._args.settings.users
        leaving = still_declared(users, self._args.observed) if binding.user == users.rotating else None
        return (users.generation(binding.user), *(() if leaving is None else (leaving,)))

    def _value(self, binding: Binding, user: User, generation: int) -> pulumi.Output[str]:
        """The connection string: our own cluster's, or the one that another environment's stack hands over."""
        if binding.cluster == self._args.environment:
            return self.cluster.connection(user.name, binding.address, generation)
        if self._args.reference is None:
            raise pulumi.RunError(
                f"{binding.variable} reads {binding.cluster}'s cluster, but no stack hands its connection over. "
                "Set atlas-access:referenceStack to the stack that owns that cluster."
            )
        return self._args.reference.connection

    def _reference_address(self) -> pulumi.Input[str]:
        return self._args.reference.public_address if self._args.reference else ""

    def _reach(self, binding: Binding) -> Reach:
        own = binding.cluster == self._args.environment
        service = binding.consumer is Consumer.SERVICE
        last = list(self._consumers)[
            -1
        ]  # what no task receives is proven as the schema task, where there is one
        definition = self._consumers[Consumer.SERVICE if service else last]
        return Reach(
            hosts=self.cluster.hosts(binding.address) if own else [],
            public_address=self.cluster.public_address() if own else self._reference_address(),
            execution_role=str(definition.get("executionRoleArn", "")),
        )

    def _users_behind(self, binding: Binding) -> Sequence[pulumi.Resource]:
        """Ours to wait for, where the user is on our own cluster."""
        own = binding.cluster == self._args.environment
        return [self.cluster.users[binding.user]] if own else []

    def _bind(self) -> Sequence[pulumi.Resource]:
        """Declare what binds and moves; return it."""
        tasks = {
            each: self._binding(each, self._child) for each in self._consumers if each is not Consumer.SERVICE
        }
        self.rollout = rollout = ServiceRollout(
            self._args.settings.ecs_service,
            ServiceRolloutArgs(
                stack=self._args.environment,
                settings=self._args.settings,
                binding=self._binding_args(Consumer.SERVICE),
                started_from=self._args.observed.running.arn,
                grants=[self._grants[Consumer.SERVICE], self._in_use],
                proofs=[self.proofs[name] for name in sorted(self.proofs)],
                proven=self._proven,
                service_tags=read_service_tags(self._args.observed.running.tags),
                unlabelled=self._args.observed.unlabelled,
            ),
            self._child,
        )
        self.revisions = {
            **({"schema": tasks[Consumer.SCHEMA_TASK].revision_arn} if tasks else {}),
            "runtime": rollout.running_revision,
        }
        if self._args.settings.phase is Phase.RETIRE:
            self.retirement = ServiceRetirement(
                "legacy",
                ServiceRetirementArgs(
                    stack=self._args.environment,
                    manifest=self._args.manifest,
                    settings=self._args.settings,
                    revision=rollout.running_revision,
                    after=[self.cluster, *tasks.values(), rollout],
                ),
                self._child,
            )
        return [each for each in (*tasks.values(), rollout, self.retirement) if each is not None]

    def _binding(self, consumer: Consumer, opts: pulumi.ResourceOptions) -> TaskBinding:
        args = self._binding_args(consumer)
        return TaskBinding(str(args.definition["family"]), args, opts)

    def _binding_args(self, consumer: Consumer) -> TaskBindingArgs:
        manifest = self._args.manifest
        service = consumer is Consumer.SERVICE
        return TaskBindingArgs(
            definition=registrable(self._consumers[consumer]),
            container=self._args.settings.runtime_container,
            secrets=[
                ProvenSecret(
                    each.variable,
                    self.secrets[each.secret_name].arn,
                    version_of(self.proofs, self._proven, each.secret_name),
                )
                for each in self._bindings
                if each.consumer is consumer
            ],
            variables=governed_variables(manifest),
            keep_deprecated=service and self._args.settings.phase is Phase.BIND,
            image=self._args.settings.container_image if service else "",
            repair=self._args.settings.repair if service else "",
        )
