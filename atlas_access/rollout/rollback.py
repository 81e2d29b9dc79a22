"""`rollback`: the recorded revision again, or a named one, whoever moves the service at this moment.

A rollout that runs is asked, by its lease, to undo; a dead one is taken over; without one the swap is made here. In
each case the service is held afterwards. Only a revision that was recorded or named is chosen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from atlas_access.base import Endpoints, Settings
from atlas_access.clients import AwsUnavailable, client, describe_definition, wrong_account
from atlas_access.rollout.model import ServiceState, short
from atlas_access.rollout.open_incident import StopLine
from atlas_access.rollout.preflight import Checks
from atlas_access.rollout.proven_now import proven_now
from atlas_access.rollout.run import carry_out
from atlas_access.rollout.service import Service, ServiceMissing
from atlas_access.rollout.service_tags import ServiceTags
from atlas_access.rollout.smoke_gates import smoke_gates
from atlas_access.rollout.stack import PROJECT_FOLDER
from atlas_access.rollout.steps import Goal, Way
from atlas_access.rollout.wiring import new_run, parts_of, way_back_of
from atlas_access.smoke import letting_go


class RollbackRefused(ValueError):
    """There is nothing to go back to, or not by these credentials; nothing was touched."""


@dataclass(frozen=True)
class RolledTo:
    """What runs now, what ran when the command came, and the release at which the service is held."""

    stack: str
    revision: str
    left: str
    held: int
    gates: str


@letting_go
def roll_back(
    stack: str, settings: Settings, endpoints: Endpoints, to: str, tell: Callable[[str], None]
) -> RolledTo:
    """Go back to the recorded revision, or to `to` (`family:revision`, a bare number, or an ARN).

    Raises:
        RollbackRefused: nothing is recorded, `to` is none of the service's, or the account is another one.
        RolloutFailed: it was refused, or the revision does not become stable, or its gates are not green.
        AwsUnavailable: AWS gave no answer before anything began.
    """
    region = settings.aws_region
    elsewhere = wrong_account(stack, settings.aws_account_id, region, endpoints)
    if elsewhere:
        raise RollbackRefused(f"{elsewhere}. Sign in to the right account.")
    ecs = client("ecs", region, endpoints)
    service = Service(ecs, settings.ecs_cluster, settings.ecs_service)
    try:
        state, service_tags = service.observe_tagged()
        target = _named(ecs, state, to) if to else recorded(stack, state, service_tags)
    except ServiceMissing as error:
        raise RollbackRefused(str(error)) from None
    gates = smoke_gates(stack, settings, endpoints, PROJECT_FOLDER)
    goal = Goal(
        way=Way.BACK,
        run=new_run(),
        prior=target,
        release=release_in_effect(settings.rollout_release, service_tags),
        deadline_seconds=float(settings.rollout_deadline_seconds),
        cause="asked for by atlas-access rollback",
        hold=True,
    )
    way_back = way_back_of(
        settings, service, endpoints, tell, partial(proven_now, stack, settings, endpoints)
    )
    checks = Checks({"reading the secrets": way_back.resolves(target)})
    line = StopLine(stack, settings.github_repository, endpoints, os.environ, tell)
    with line.watching(lambda failure: failure.moved):
        done = carry_out(goal, parts_of(stack, settings, service, endpoints, checks, gates, way_back, tell))
    return RolledTo(
        stack=stack,
        revision=short(done.revision),
        left=short(state.revision),
        held=goal.release,
        gates="green" if done.gates is not None and not done.gates.unknown else "not run",
    )


def recorded(stack: str, state: ServiceState, service_tags: ServiceTags) -> str:
    """The revision that the service's own service_tags say to go back to. Raises `RollbackRefused` when none does."""
    if service_tags.broken:
        raise RollbackRefused(
            f"the tags atlas-access/* on {stack}'s service make no sense ({service_tags.broken}): remove them (aws ecs "
            "untag-resource), then name a revision with --to"
        )
    if service_tags.lease is not None:
        return service_tags.lease.target
    if service_tags.bound is not None and service_tags.bound.revision == state.revision:
        return service_tags.bound.prior
    if service_tags.held is not None:
        return state.revision
    raise RollbackRefused(
        f"{stack} runs {short(state.revision)}, which no rollout of ours brought, so nothing is recorded that ran "
        "before it. Name a revision with --to."
    )


def release_in_effect(configured: int, service_tags: ServiceTags) -> int:
    """The highest `rolloutRelease` that anybody has swapped with: only a higher one lifts the hold."""
    return max(
        configured,
        service_tags.lease.release if service_tags.lease else 0,
        service_tags.bound.release if service_tags.bound else 0,
        service_tags.held or 0,
    )


def _named(ecs: object, state: ServiceState, to: str) -> str:
    family = short(state.revision).rpartition(":")[0]
    name = f"{family}:{to}" if to.isdigit() else to
    if short(name).rpartition(":")[0] != family:
        raise RollbackRefused(f"{to} is no revision of {family}. Name one as {family}:NUMBER.")
    try:
        found = describe_definition(ecs, name)
    except AwsUnavailable as error:
        if error.code in ("ClientException", "InvalidParameterException"):
            raise RollbackRefused(f"{family} has no revision {short(name)}.") from None
        raise
    return str(found["taskDefinitionArn"])


__all__ = ["RollbackRefused", "RolledTo", "recorded", "release_in_effect", "roll_back"]
