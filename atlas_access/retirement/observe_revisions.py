"""Every task-definition revision of an account that could start or runs: the active ones, and those still running.

Reads ECS only, of all clusters and families. A list is read whole or reported as unread; another account is asked as
its role.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from atlas_access.base import Endpoints, Unread
from atlas_access.clients import (
    AccountTarget,
    client,
    clusters,
    describe_definition,
    items,
    read_or_unread,
    running_definitions,
    session_in,
)
from atlas_access.drift import BoundVariable
from atlas_access.retirement.observed import ObservedRevision

MOST = 3000
"""The most revisions that are read; an account with more is reported as not read."""

_AT_ONCE = 8


def read_revisions(place: AccountTarget, endpoints: Endpoints) -> tuple[ObservedRevision, ...] | Unread:
    """The revisions of an environment's account, with what each of their containers' variables is read from."""
    what = f"task definitions of {place.environment}"
    return read_or_unread(lambda: _read(what, place, endpoints), what)


def _read(what: str, place: AccountTarget, endpoints: Endpoints) -> tuple[ObservedRevision, ...] | Unread:
    ecs = client("ecs", place.region, endpoints, session=session_in(place, endpoints, "legacy"))
    running = {arn for cluster in clusters(ecs) for arn, _ in running_definitions(ecs, cluster)}
    every = running.union(items(ecs.list_task_definitions, "taskDefinitionArns", status="ACTIVE"))
    if len(every) > MOST:
        return Unread(what, f"there are more than {MOST}; deregister those that nothing needs")
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return tuple(
            pool.map(
                lambda arn: _revision(ecs, place.environment, arn, running=arn in running), sorted(every)
            )
        )


def _revision(ecs: Any, environment: str, arn: str, *, running: bool) -> ObservedRevision:
    definition = describe_definition(ecs, arn)
    return ObservedRevision(
        environment=environment,
        arn=str(definition["taskDefinitionArn"]),
        active=definition.get("status", "ACTIVE") == "ACTIVE",
        running=running,
        bound=tuple(
            BoundVariable(str(entry["name"]), str(entry["valueFrom"]))
            for container in definition.get("containerDefinitions") or ()
            for entry in container.get("secrets") or ()
        ),
    )
