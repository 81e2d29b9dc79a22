"""The rotation of one user: what is current, the way back without what leaves, and the generation that leaves.

It comes after the gates, and nothing that the service needs depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from atlas_access.base import Generations, Settings, login_of
from atlas_access.manifest import Binding, Manifest
from components.cluster_access import ClusterAccess
from components.connection_secret import ConnectionSecret
from components.observed import Observed
from components.reference import Reference
from probes.rollout import ServiceAddress
from probes.rotation import Current, CurrentVersions, Leaving, LeavingUser, RecordedWayBack


@dataclass(frozen=True)
class RotationArgs:
    """A stack's credentials with their secrets; `revision` is what a rollout left running, None without a service."""

    environment: str
    manifest: Manifest
    settings: Settings
    bindings: Sequence[Binding]
    secrets: Mapping[str, ConnectionSecret]
    observed: Observed
    reference: Reference | None
    address: ServiceAddress
    revision: pulumi.Output[str] | None


def still_declared(users: Generations, observed: Observed) -> int | None:
    """The other generation of the user that rotates, until a finish or an abort has nothing left to wait for."""
    waits = observed.rotation.open or not (users.ends or observed.rotation.over)
    return users.leaving(users.rotating) if waits else None


def declare_rotation(
    args: RotationArgs, cluster: ClusterAccess, gates: pulumi.Resource, parent: pulumi.Resource
) -> Sequence[pulumi.Resource]:
    """Declare all of it after the gates; return what a destroy begins behind."""
    settings, users, pending = args.settings, args.settings.users, args.observed.rotation.open
    user, record = users.rotating, settings.to_json()
    after = pulumi.ResourceOptions(parent=parent, depends_on=[gates])
    carried = list({each.secret_name: each for each in args.bindings}.values())
    ours = [
        each
        for each in carried
        if each.secret_name not in args.observed.adopted or users.generation(each.user) > 1
    ]
    current = CurrentVersions(
        args.environment, settings.aws_region, [_current(args, each) for each in ours], after
    )
    declared, leaves = still_declared(users, args.observed), users.leaving(user)
    record_of = None
    if leaves is not None:
        carriers = args.manifest.carriers(user, args.environment)
        record_of = Leaving(user, users.generation(user), leaves, carriers)
    made: list[pulumi.Resource] = [current]
    if args.revision is not None:
        going = None if declared or args.observed.rotation.over else record_of
        # After the labels: the conditions are asked by them.
        after = pulumi.ResourceOptions(parent=parent, depends_on=[gates, current])
        ending = _ending(args, carried)
        name = settings.ecs_service
        made.append(RecordedWayBack(name, args.address, ending, args.revision, record, going, after))
    if declared is not None and record_of is not None:
        old = cluster.leave(user, declared, [gates], revoked=users.revokes and not pending)
        guarded = pulumi.ResourceOptions(parent=parent, depends_on=[old])
        made.append(LeavingUser(user, args.address, record_of, record, guarded))
        for each in pending:
            pulumi.log.warn(f"{user}: {login_of(user, declared)} stays for now: {each}", parent)
    return made


def _current(args: RotationArgs, binding: Binding) -> Current:
    secret = args.secrets[binding.secret_name]
    own = binding.cluster == args.environment or args.reference is None
    generation: pulumi.Input[int] = args.settings.users.generation(binding.user)
    if not own and args.reference is not None:
        generation = args.reference.generation
    return Current(secret.arn, secret.version_id, binding.cluster, binding.user, generation)


def _ending(args: RotationArgs, carried: Sequence[Binding]) -> pulumi.Output[dict[str, str]]:
    """The secrets whose credential ends its rotation, each with the version that stays."""
    users, found = args.settings.users, []
    for each in carried:
        ends: pulumi.Input[bool] = users.ends and each.user == users.rotating
        if each.cluster != args.environment:
            ends = args.reference.ends if args.reference is not None else False
        secret = args.secrets[each.secret_name]
        found.append(pulumi.Output.all(secret.arn, secret.version_id, ends))
    return pulumi.Output.all(*found).apply(
        lambda every: {str(arn): str(version) for arn, version, goes in every if goes}
    )
