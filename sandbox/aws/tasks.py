"""The lifecycle of an ECS task on moto's records: provisioned, pending, running, deactivating, stopped.

Stages and stop codes: ECS developer guide, "Amazon ECS task lifecycle" and "Stopped tasks error codes".
"""

from typing import Any

from moto.ecs.models import Task

from sandbox.aws.deployments import now
from sandbox.aws.runtime import Life, Runtime

_KEPT_STOPPED = 50
_EXITED = "Essential container in task exited"


def tasks_of(backend: Any, service: Any) -> list[Any]:
    """Return the tasks of a service, stopped ones too."""
    group = f"service:{service.name}"
    return [t for t in list(backend.tasks.get(service.cluster_name, {}).values()) if t.group == group]


def stopped(task: Any) -> bool:
    """Whether a task has come to its end."""
    return bool(task.last_status == "STOPPED")


def wanted(task: Any) -> bool:
    """Whether a task runs or starts, and is not being stopped."""
    return bool(task.desired_status == "RUNNING")


def healthy(task: Any) -> bool:
    """Whether a task serves."""
    return wanted(task) and task.last_status == "RUNNING" and task.health_status == "HEALTHY"


def launch(backend: Any, service: Any, deployment: dict[str, Any]) -> Any:
    """Start a task of a deployment of a service."""
    return start(
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
    # Its first stage: moto lets it start as RUNNING.
    task.last_status, task.health_status, task.created_at = "PROVISIONING", "UNKNOWN", now()
    for container in task.containers:
        container.task_arn = task.task_arn
        container.container_arn = f"{task.task_arn.replace(':task/', ':container/')}/{container.name}"
        container.exitCode, container.health_status = None, "UNKNOWN"
    backend.tasks.setdefault(task.cluster_name, {})[task.task_arn] = task
    return task


def stop(runtime: Runtime, task: Any, code: str, reason: str) -> None:
    """Stop a task, once, with ECS's stop code and reason; it is STOPPED when its container has ended."""
    if not wanted(task):
        return
    task.desired_status, task.last_status = "STOPPED", "DEACTIVATING"
    task.stop_code, task.stopped_reason = code, reason
    task.stopping_at = now()
    _end(runtime, task)


def forget_stopped(backend: Any, service: Any) -> None:
    """Forget the oldest stopped tasks of a service, as ECS does after an hour."""
    ended = [t for t in tasks_of(backend, service) if stopped(t)]
    for task in ended[:-_KEPT_STOPPED]:
        backend.tasks[service.cluster_name].pop(task.task_arn, None)


def advance(runtime: Runtime, backend: Any, task: Any) -> bool:
    """Move a task on by one stage; return whether it has failed: did not start, ended by itself, is not healthy."""
    if task.last_status == "PROVISIONING":
        definition = backend.describe_task_definition(task.task_definition_arn)
        reason = runtime.begin(task, definition)
        if reason:
            stop(runtime, task, "TaskFailedToStart", reason)
            return True
        task.last_status = "PENDING"
        return False
    if task.last_status == "DEACTIVATING":
        _end(runtime, task)
        return False
    if stopped(task):
        return False
    return _fares(runtime, task)


def _fares(runtime: Runtime, task: Any) -> bool:
    life = runtime.observe(task)
    if life is Life.EXITED:
        stop(runtime, task, "EssentialContainerExited", _EXITED)
        return True
    if life is Life.UNHEALTHY:
        _health(task, "UNHEALTHY")
        stop(runtime, task, "ServiceSchedulerInitiated", "Task failed container health checks")
        return True
    if task.last_status == "PENDING" and life is not Life.STARTING:
        task.last_status = "RUNNING"
        task.started_at = now()
        for container in task.containers:
            container.last_status = "RUNNING"
    if life is Life.HEALTHY:
        _health(task, "HEALTHY")
    return False


def _end(runtime: Runtime, task: Any) -> None:
    """Take a task towards its end; its container's exit code is known when it is there."""
    ended = runtime.withdraw(task)
    if ended is None:
        return
    task.last_status = "STOPPED"
    task.stopped_at = now()
    for container in task.containers:
        container.last_status = "STOPPED"
        container.exitCode = ended.exit_code


def _health(task: Any, status: str) -> None:
    task.health_status = status
    for container in task.containers:
        container.health_status = status
