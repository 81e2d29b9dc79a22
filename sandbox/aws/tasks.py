"""One ECS task's life on moto's records: provisioned, pending, running, stopped with a code and a reason.

Stages and stop codes: ECS developer guide, "Amazon ECS task lifecycle". It must never run a container, or read a
secret's value.
"""

from typing import Any

from moto.ecs.models import Task

from sandbox.aws.deployments import now
from sandbox.aws.task_secrets import start_failure

_KEPT_STOPPED = 50


def tasks_of(backend: Any, service: Any) -> list[Any]:
    """Return the tasks of a service, stopped ones too."""
    group = f"service:{service.name}"
    return [t for t in list(backend.tasks.get(service.cluster_name, {}).values()) if t.group == group]


def live(tasks: list[Any], besides: str | None = None) -> list[Any]:
    """Return those that are not stopped, and not of the deployment `besides`."""
    return [t for t in tasks if t.last_status != "STOPPED" and t.started_by != besides]


def launch(backend: Any, service: Any, deployment: dict[str, Any]) -> None:
    """Start a task of a deployment of a service."""
    start(
        backend,
        service.cluster_name,
        backend.describe_task_definition(deployment["taskDefinition"]),
        group=f"service:{service.name}",
        started_by=deployment["id"],
        networking_configuration=service.network_configuration,
        platform_version=service.platform_version,
    )


def start(backend: Any, cluster_name: str, definition: Any, **settings: Any) -> Any:
    """Start a task on Fargate and return it; `settings` are those of moto's task."""
    task = Task(
        cluster=backend._get_cluster(cluster_name),
        task_definition=definition,
        container_instance_arn=None,
        resource_requirements={},
        backend=backend,
        launch_type="FARGATE",
        **settings,
    )
    prepare(task)
    backend.tasks.setdefault(task.cluster_name, {})[task.task_arn] = task
    return task


def prepare(task: Any) -> None:
    """Put a task at its first stage: moto lets it start as RUNNING."""
    task.last_status = "PROVISIONING"
    task.created_at = now()
    task.health_status = "UNKNOWN"
    for container in task.containers:
        container.task_arn = task.task_arn
        container.container_arn = f"{task.task_arn.replace(':task/', ':container/')}/{container.name}"
        container.exitCode = None
        container.health_status = "UNKNOWN"


def stop(task: Any, code: str, reason: str) -> None:
    """Stop a task, once, with ECS's stop code and reason."""
    if task.last_status == "STOPPED":
        return
    task.last_status = task.desired_status = "STOPPED"
    task.stop_code, task.stopped_reason = code, reason
    task.stopping_at = task.stopped_at = now()
    for container in task.containers:
        container.last_status = "STOPPED"


def forget_stopped(backend: Any, service: Any) -> None:
    """Forget the oldest stopped tasks of a service, as ECS does after an hour."""
    stopped = [t for t in tasks_of(backend, service) if t.last_status == "STOPPED"]
    for task in stopped[:-_KEPT_STOPPED]:
        backend.tasks[service.cluster_name].pop(task.task_arn, None)


def advance(backend: Any, task: Any, *, once: bool) -> bool:
    """Move a task on by one stage; return whether it failed to start."""
    if task.last_status == "PROVISIONING":
        definition = backend.describe_task_definition(task.task_definition_arn)
        reason = start_failure(definition, task.id)
        if reason:
            stop(task, "TaskFailedToStart", reason)
            return True
        task.last_status = "PENDING"
    elif task.last_status == "PENDING":
        task.last_status = "RUNNING"
        task.started_at = now()
        task.health_status = "HEALTHY"
        for container in task.containers:
            container.last_status = "RUNNING"
    elif task.last_status == "RUNNING" and once:
        for container in task.containers:
            container.exitCode = 0
        stop(task, "EssentialContainerExited", "Essential container in task exited")
    return False
