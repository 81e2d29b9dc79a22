"""Every task-definition revision of an account that could start or runs: the active ones, and those still running.

Reads ECS only, of all clusters and families. It must never take a part of a list for the whole, or ask another account
by the caller's own identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from atlas_access.base import Endpoints, Unread
from atlas_access.clients import AccountPlace, AwsUnavailable, ask, client, session_in
from atlas_access.drift import BoundVariable
from atlas_access.retirement.inventory_model import SeenRevision

MOST = 3000
"""Revisions that are looked at; an account with more is told as not read."""

_SERVICES, _TASKS, _AT_ONCE = 10, 100, 8


def read_revisions(place: AccountPlace, endpoints: Endpoints) -> tuple[SeenRevision, ...] | Unread:
    """The revisions of an environment's account, with what each of their containers' variables is read from."""
    what, environment = f"task definitions of {place.environment}", place.environment
    try:
        session = session_in(place, endpoints, "legacy")
        ecs = client("ecs", place.region, endpoints, session=session)
        running = set(_running(ecs))
        active = set(_listed(ecs, "list_task_definitions", "taskDefinitionArns", status="ACTIVE"))
        if len(active | running) > MOST:
            return Unread(what, f"there are more than {MOST}; deregister those that nothing needs")
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            found = pool.map(
                lambda arn: _revision(ecs, environment, arn, running=arn in running), sorted(active | running)
            )
            return tuple(found)
    except AwsUnavailable as error:
        return Unread(what, str(error))
    except ClientError as error:
        return Unread(what, f"AWS answered {error.response.get('Error', {}).get('Code', 'an error')}")
    except BotoCoreError as error:
        return Unread(what, f"AWS answered {type(error).__name__}")


def _running(ecs: Any) -> Iterator[str]:
    """What services are told to run or still run, and what tasks run, scheduled and one-off ones too."""
    for cluster in _listed(ecs, "list_clusters", "clusterArns"):
        services = _listed(ecs, "list_services", "serviceArns", cluster=cluster)
        for at in range(0, len(services), _SERVICES):
            answer = ecs.describe_services(cluster=cluster, services=services[at : at + _SERVICES])
            for service in answer["services"]:
                yield str(service["taskDefinition"])
                yield from (str(each["taskDefinition"]) for each in service.get("deployments") or ())
        tasks = _listed(ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus="RUNNING")
        for at in range(0, len(tasks), _TASKS):
            answer = ecs.describe_tasks(cluster=cluster, tasks=tasks[at : at + _TASKS])
            yield from (str(each["taskDefinitionArn"]) for each in answer["tasks"])


def _listed(ecs: Any, operation: str, key: str, **arguments: str) -> list[str]:
    pages = ecs.get_paginator(operation).paginate(**arguments)
    return [str(arn) for page in pages for arn in page.get(key) or ()]


def _revision(ecs: Any, environment: str, arn: str, *, running: bool) -> SeenRevision:
    definition = ask("describing a task definition", ecs.describe_task_definition, taskDefinition=arn)[
        "taskDefinition"
    ]
    return SeenRevision(
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
