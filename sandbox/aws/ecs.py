"""ECS operations in which moto differs from AWS: deployments, task lists by service, INACTIVE revisions.

Rules: ECS API reference (CreateService, UpdateService, RunTask, StopTask, ListTasks, DescribeTaskDefinition,
ListServiceDeployments, DescribeServiceRevisions). The agent advances what is made here.
"""

from collections.abc import Mapping
from typing import Any

from moto.ecs.models import ecs_backends

from sandbox.aws.ecs_rules import (
    DEPLOYMENT,
    MOST_DESCRIBED,
    MOST_RUN,
    NAME,
    check_desired,
    check_offered,
    deployment_of,
    network_of,
    page,
)
from sandbox.aws.grants import AwsRefusal, invalid
from sandbox.aws.tasks import start
from sandbox.aws.wire import Call
from sandbox.ecs.agent import EcsAgent


class EcsFront:
    """The handlers of ECS, in front of one agent."""

    def __init__(self, agent: EcsAgent) -> None:
        self._agent = agent

    def answer(self, call: Call) -> object | None:
        """Return a result, or None to let moto answer. Raises `AwsRefusal`."""
        handler = {
            "CreateService": self._create_service,
            "UpdateService": self._update_service,
            "RunTask": self._run_task,
            "StopTask": self._stop_task,
            "ListTasks": self._list_tasks,
            "DescribeTaskDefinition": self._describe_task_definition,
            "ListServiceDeployments": self._list_deployments,
            "DescribeServiceRevisions": self._describe_revisions,
        }.get(call.action)
        return handler(call) if handler else None

    def _create_service(self, call: Call) -> object:
        backend, asked = _backend(call), call.parameters
        cluster, name = _cluster(backend, asked), asked["serviceName"]
        if not NAME.fullmatch(name):
            raise invalid("Service name must match ^[a-zA-Z0-9\\-_]{1,255}$.")
        check_desired(asked.get("desiredCount"))
        check_offered(asked)
        deployment = deployment_of(DEPLOYMENT, asked.get("deploymentConfiguration"))
        definition = _definition(backend, asked.get("taskDefinition", ""))
        network = network_of(backend, definition, asked.get("networkConfiguration"))
        existing = backend.services.get(f"{cluster.name}:{name}")
        if existing is not None and existing.status == "ACTIVE":
            raise invalid("Creation of service was not idempotent.")
        service = backend.create_service(
            cluster_str=cluster.name,
            service_name=name,
            desired_count=asked.get("desiredCount"),
            task_definition_str=definition.arn,
            load_balancers=asked.get("loadBalancers"),
            scheduling_strategy=asked.get("schedulingStrategy"),
            tags=asked.get("tags"),
            deployment_controller=asked.get("deploymentController"),
            launch_type="FARGATE",
            platform_version=asked.get("platformVersion"),
            propagate_tags=asked.get("propagateTags", "NONE"),
            network_configuration=network,
        )
        settle_service(service, deployment)
        self._agent.created(service)
        return {"service": service}

    def _update_service(self, call: Call) -> object:
        backend, asked = _backend(call), call.parameters
        service = _service(backend, asked["service"], asked)
        if service.status != "ACTIVE":
            raise AwsRefusal("ServiceNotActiveException", "Service was not ACTIVE.")
        count = asked.get("desiredCount", service.desired_count)
        check_desired(count)
        definition, network = service.task_definition, service.network_configuration
        if "taskDefinition" in asked:
            definition = _definition(backend, asked["taskDefinition"]).arn
        if "taskDefinition" in asked or "networkConfiguration" in asked:
            network = network_of(
                backend, _revision(backend, definition), asked.get("networkConfiguration", network)
            )
        deployment = deployment_of(service.deployment_configuration, asked.get("deploymentConfiguration"))
        moved = network != service.network_configuration
        service.network_configuration, service.deployment_configuration = network, deployment
        if count != service.desired_count:
            service.desired_count = count
            self._agent.scaled(service)
        if moved or definition != service.task_definition or asked.get("forceNewDeployment"):
            self._agent.deploy(service, definition)
            service.deployments[0]["networkConfiguration"] = network
        return {"service": service}

    def _run_task(self, call: Call) -> object:
        backend, asked = _backend(call), call.parameters
        cluster, count = _cluster(backend, asked), asked.get("count", 1)
        definition = _definition(backend, asked["taskDefinition"])
        check_offered(asked)
        if not 1 <= count <= MOST_RUN:
            raise invalid(f"Count must be between 1 and {MOST_RUN}.")
        network = network_of(backend, definition, asked.get("networkConfiguration"))
        tasks = self._agent.run(
            lambda: [
                start(
                    backend,
                    cluster.name,
                    definition,
                    group=asked.get("group") or f"family:{definition.family}",
                    overrides=asked.get("overrides"),
                    started_by=asked.get("startedBy", ""),
                    tags=asked.get("tags"),
                    networking_configuration=network,
                    platform_version=asked.get("platformVersion"),
                )
                for _ in range(count)
            ]
        )
        return {"tasks": tasks, "failures": []}

    def _stop_task(self, call: Call) -> object:
        backend, asked = _backend(call), call.parameters
        wanted = asked["task"].rpartition("/")[2]
        found = next((task for task in _tasks(backend, asked) if task.id == wanted), None)
        if found is None:
            raise invalid("The referenced task was not found.")
        self._agent.stop_task(found, asked.get("reason") or "Task stopped by user")
        return {"task": found}

    def _list_tasks(self, call: Call) -> object:
        backend, asked = _backend(call), call.parameters
        status, name = asked.get("desiredStatus", "RUNNING"), asked.get("serviceName")
        group = name and f"service:{_service(backend, name, asked).name}"
        arns = [
            task.task_arn
            for task in _tasks(backend, asked)
            if task.desired_status == status
            and (not group or task.group == group)
            and (not asked.get("startedBy") or task.started_by == asked["startedBy"])
            and (not asked.get("family") or f"/{asked['family']}:" in task.task_definition_arn)
        ]
        listed, token = page(arns, asked, usual=100)
        return {"taskArns": listed, "nextToken": token}

    def _describe_task_definition(self, call: Call) -> object:
        """Describe a revision, also an INACTIVE one; a family alone means its latest ACTIVE one."""
        definition = _revision(_backend(call), call.parameters["taskDefinition"])
        shown: dict[str, Any] = {"taskDefinition": definition}
        if "TAGS" in call.parameters.get("include", ()):
            shown["tags"] = definition.tags
        return shown

    def _list_deployments(self, call: Call) -> object:
        asked = call.parameters
        service = _service(_backend(call), asked["service"], asked)
        wanted = asked.get("status")
        known = {r.arn: r for r in self._agent.history(service) if not wanted or r.status in wanted}
        arns, token = page(list(known), asked, usual=20)
        return {"serviceDeployments": [known[arn].brief() for arn in arns], "nextToken": token}

    def _describe_revisions(self, call: Call) -> object:
        """Describe the revisions of the ARNs that are asked for, and name each that is not known."""
        wanted = call.parameters["serviceRevisionArns"]
        if len(wanted) > MOST_DESCRIBED:
            raise invalid(f"serviceRevisionArns can have at most {MOST_DESCRIBED} items.")
        services = list(_backend(call).services.values())
        known = {r.revision_arn: r.revision() for each in services for r in self._agent.history(each)}
        missing = [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in known]
        return {"serviceRevisions": [known[arn] for arn in wanted if arn in known], "failures": missing}


def settle_service(service: Any, configuration: dict[str, Any]) -> None:
    """Give a service what moto does not store: its deployment configuration, with ECS's defaults."""
    service.deployment_configuration = deployment_of(DEPLOYMENT, configuration)
    service.created_at = service.deployments[0]["createdAt"]


def _backend(call: Call) -> Any:
    return ecs_backends[call.account][call.region]


def _cluster(backend: Any, asked: Mapping[str, Any]) -> Any:
    return backend._get_cluster(asked.get("cluster", "default"))


def _tasks(backend: Any, asked: Mapping[str, Any]) -> list[Any]:
    return list(backend.tasks.get(_cluster(backend, asked).name, {}).values())


def _service(backend: Any, name: str, asked: Mapping[str, Any]) -> Any:
    """Return the service of a name or an ARN; an ARN also names the cluster."""
    cluster = asked.get("cluster") or (name.split("/")[1] if name.count("/") == 2 else "default")
    found = backend.services.get(f"{backend._get_cluster(cluster).name}:{name.rpartition('/')[2]}")
    if found is None:
        raise AwsRefusal("ServiceNotFoundException", "Service not found.")
    return found


def _definition(backend: Any, name: str) -> Any:
    """Return an ACTIVE revision: the one named, or a family's latest."""
    found = _revision(backend, name)
    if found.status != "ACTIVE":
        raise AwsRefusal("ClientException", "TaskDefinition is inactive")
    return found


def _revision(backend: Any, name: str) -> Any:
    family, _, revision = name.rpartition("/")[2].partition(":")
    revisions = backend.task_definitions.get(family, {})
    active = [number for number, each in revisions.items() if each.status == "ACTIVE"]
    latest = str(max(active, default=""))
    found = {str(number): each for number, each in revisions.items()}.get(revision or latest)
    if found is None:
        raise AwsRefusal("ClientException", "Unable to describe task definition.")
    return found
