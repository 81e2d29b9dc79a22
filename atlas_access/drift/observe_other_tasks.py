"""What else stands or runs beside a stack's service: other families, and other services and tasks of its cluster.

Reads ECS only, metadata only. It must never take a part of a list for the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from atlas_access.base import Endpoints, Settings, Unread
from atlas_access.clients import AwsUnavailable, ask, client
from atlas_access.drift.model import SeenNeighbour
from atlas_access.drift.task_places import bound_variables

MOST = 1000
"""Revisions that are looked at; an account with more is told as not read."""

_SERVICES, _TASKS, _AT_ONCE = 10, 100, 8
_WHAT = "other task definitions"


def read_neighbours(
    settings: Settings, own: frozenset[str], endpoints: Endpoints
) -> tuple[SeenNeighbour, ...] | Unread:
    """The newest revision of every family but `own`, and every other one that the cluster runs."""
    ecs = client("ecs", settings.aws_region, endpoints)
    try:
        families = _listed(ecs, "list_task_definition_families", "families", status="ACTIVE")
        found = {*families, *_running(ecs, settings.ecs_cluster)}
        names = sorted(name for name in found if _family(name) not in own)
        if len(names) > MOST:
            return Unread(_WHAT, f"there are more than {MOST} families; deregister those that nothing needs")
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            seen = pool.map(lambda name: _neighbour(ecs, name), names)
            return tuple({each.revision: each for each in seen}.values())
    except AwsUnavailable as error:
        return Unread(_WHAT, str(error))


def _running(ecs: Any, cluster: str) -> Iterator[str]:
    """What the cluster's services are told to run or still run, and what its tasks run, one-off ones too."""
    services = list(_listed(ecs, "list_services", "serviceArns", cluster=cluster))
    for at in range(0, len(services), _SERVICES):
        some = services[at : at + _SERVICES]
        for service in _whole(ecs, "describe_services", "services", cluster=cluster, services=some):
            yield str(service["taskDefinition"])
            yield from (str(each["taskDefinition"]) for each in service.get("deployments") or ())
    tasks = list(_listed(ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus="RUNNING"))
    for at in range(0, len(tasks), _TASKS):
        answer = ask("ecs describe_tasks", ecs.describe_tasks, cluster=cluster, tasks=tasks[at : at + _TASKS])
        yield from (
            str(each["taskDefinitionArn"]) for each in answer["tasks"]
        )  # one that ended since is away


def _whole(ecs: Any, operation: str, key: str, **asked: object) -> list[Any]:
    answer = ask(f"ecs {operation}", getattr(ecs, operation), **asked)
    if answer.get("failures"):
        raise AwsUnavailable(f"ecs {operation}", "not all of them")
    return list(answer[key])


def _listed(ecs: Any, operation: str, key: str, **asked: object) -> Iterator[str]:
    token = ""
    while True:
        more = {"nextToken": token} if token else {}
        answer = ask(f"ecs {operation}", getattr(ecs, operation), **asked, **more)
        yield from (str(each) for each in answer.get(key) or ())
        token = str(answer.get("nextToken") or "")
        if not token:
            return


def _family(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0]


def _neighbour(ecs: Any, name: str) -> SeenNeighbour:
    answer = ask(f"describing {name}", ecs.describe_task_definition, taskDefinition=name)
    definition = answer["taskDefinition"]
    arn = str(definition["taskDefinitionArn"])
    return SeenNeighbour(_family(arn), arn.rpartition("/")[2], bound_variables(definition))
