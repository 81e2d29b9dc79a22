"""What else stands or runs beside a stack's service: other families, and other services and tasks of its cluster.

Reads ECS only, metadata only. A list is read whole or reported as unread.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from atlas_access.base import Endpoints, Settings, Unread
from atlas_access.clients import client, describe_definition, items, read_or_unread, running_definitions
from atlas_access.drift.model import ObservedOtherTask
from atlas_access.drift.task_places import bound_variables

MOST = 1000
"""The most revisions that are read; an account with more is reported as not read."""

_AT_ONCE = 8
_WHAT = "other task definitions"


def read_other_tasks(
    settings: Settings, own: frozenset[str], endpoints: Endpoints
) -> tuple[ObservedOtherTask, ...] | Unread:
    """The newest revision of every family but `own`, and every other one that the cluster runs."""
    return read_or_unread(lambda: _read(settings, own, endpoints), _WHAT)


def _read(
    settings: Settings, own: frozenset[str], endpoints: Endpoints
) -> tuple[ObservedOtherTask, ...] | Unread:
    ecs = client("ecs", settings.aws_region, endpoints)
    families = items(ecs.list_task_definition_families, "families", status="ACTIVE")
    found = {*families, *(arn for arn, _ in running_definitions(ecs, settings.ecs_cluster))}
    names = sorted(name for name in found if _family(name) not in own)
    if len(names) > MOST:
        return Unread(_WHAT, f"there are more than {MOST} families; deregister those that nothing needs")
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        observed = pool.map(lambda name: _other_task(ecs, name), names)
        return tuple({each.revision: each for each in observed}.values())


def _family(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0]


def _other_task(ecs: Any, name: str) -> ObservedOtherTask:
    definition = describe_definition(ecs, name)
    arn = str(definition["taskDefinitionArn"])
    return ObservedOtherTask(_family(arn), arn.rpartition("/")[2], bound_variables(definition))
