"""The reader of Amazon ECS: services, task-definition revisions, and what a cluster runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from atlas_access.base import Endpoints
from atlas_access.clients.aws import client, items
from atlas_access.clients.errors import AwsUnavailable

if TYPE_CHECKING:
    from botocore.session import Session

_SERVICES, _TASKS = 10, 100
"""How many services and tasks ECS describes at once."""


@dataclass(frozen=True)
class RunningRevision:
    """The task-definition revision that a service runs, whoever registered it, and its full definition."""

    arn: str
    definition: Mapping[str, Any] = field(repr=False)
    desired: int = 0
    running: int = 0
    tags: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The service's own tags."""


def tags_of(record: Mapping[str, Any]) -> dict[str, str]:
    """The tags of what ECS described."""
    return {str(tag["key"]): str(tag.get("value") or "") for tag in record.get("tags") or ()}


def describe_service(ecs: Any, cluster: str, name: str) -> Mapping[str, Any] | None:
    """A service with its tags, None where the cluster has none of that name. Raises `AwsUnavailable`."""
    found = ecs.describe_services(cluster=cluster, services=[name], include=["TAGS"])["services"]
    return dict(found[0]) if found else None


def describe_definition(ecs: Any, name: str) -> dict[str, Any]:
    """A revision's definition with its tags; a family's name means its newest ACTIVE one. Raises `AwsUnavailable`."""
    answer = ecs.describe_task_definition(taskDefinition=name, include=["TAGS"])
    return {**answer["taskDefinition"], **({"tags": answer["tags"]} if answer.get("tags") else {})}


def clusters(ecs: Any) -> Iterator[str]:
    """The ARN of every cluster of the account. Raises `AwsUnavailable`."""
    return items(ecs.list_clusters, "clusterArns")


def running_definitions(ecs: Any, cluster: str) -> Iterator[tuple[str, str]]:
    """Every revision that a cluster runs or is to run, with the service or task that does. Raises `AwsUnavailable`.

    Services count with their deployments and task sets. ECS never sets the desired status PENDING: a task that starts
    is listed as RUNNING (ListTasks).
    """
    services = list(items(ecs.list_services, "serviceArns", cluster=cluster))
    for batch in _batches(services, _SERVICES):
        answer = ecs.describe_services(cluster=cluster, services=batch)
        if answer.get("failures"):
            raise AwsUnavailable(f"describing services of {cluster.rpartition('/')[2]}", "not all of them")
        for service in answer["services"]:
            if service.get("status") != "INACTIVE":
                parts = (service, *(service.get("deployments") or ()), *(service.get("taskSets") or ()))
                used = (str(each["taskDefinition"]) for each in parts if each.get("taskDefinition"))
                yield from ((arn, f"service {service.get('serviceName')}") for arn in used)
    tasks = list(items(ecs.list_tasks, "taskArns", cluster=cluster, desiredStatus="RUNNING"))
    for batch in _batches(tasks, _TASKS):
        # A task that has ended meanwhile is left out of the answer.
        for task in ecs.describe_tasks(cluster=cluster, tasks=batch)["tasks"]:
            if task.get("lastStatus") != "STOPPED":
                name = str(task.get("taskArn")).rpartition("/")[2][:8]
                yield str(task["taskDefinitionArn"]), f"task {name}"


def running_revision(
    cluster: str,
    service: str,
    *,
    region: str,
    endpoints: Endpoints,
    session: Session | None = None,
) -> RunningRevision:
    """Return the revision that a service runs now. Raises `AwsUnavailable`."""
    ecs = client("ecs", region, endpoints, session=session)
    found = describe_service(ecs, cluster, service)
    if found is None or found.get("status") == "INACTIVE":
        raise AwsUnavailable("describing the service", "no such active service")
    definition = describe_definition(ecs, found["taskDefinition"])
    counts = {name: int(found.get(f"{name}Count", 0)) for name in ("desired", "running")}
    return RunningRevision(definition["taskDefinitionArn"], definition, tags=tags_of(found), **counts)


def latest_revision(family: str, *, region: str, endpoints: Endpoints) -> RunningRevision:
    """Return the newest active revision of a family, deployed or not. Raises `AwsUnavailable`."""
    definition = describe_definition(client("ecs", region, endpoints), family)
    return RunningRevision(definition["taskDefinitionArn"], definition)


def log_groups(definition: Mapping[str, Any], container: str = "") -> tuple[str, ...]:
    """The CloudWatch log groups of a definition's containers, or of one of them, each once."""
    named = (
        ((each.get("logConfiguration") or {}).get("options") or {}).get("awslogs-group")
        for each in definition.get("containerDefinitions") or ()
        if container in ("", each.get("name"))
    )
    return tuple(sorted({str(group) for group in named if group}))


def _batches(everything: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(everything), size):
        yield list(everything[start : start + size])
