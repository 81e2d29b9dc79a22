"""ECS where moto differs from AWS: deployments, task lists by service, revisions that are INACTIVE.

Rules: ECS API reference (CreateService, UpdateService, RunTask, StopTask, ListTasks, DescribeTaskDefinition,
ListServiceDeployments, DescribeServiceDeployments, DescribeServiceRevisions). It must never run anything itself:
the agent moves tasks and deployments on.
"""

from typing import Any

from moto.ecs.models import ecs_backends

from sandbox.aws.grants import AwsRefusal
from sandbox.aws.tasks import start
from sandbox.aws.wire import Call
from sandbox.ecs_agent import EcsAgent

_MAX_SHOWN = 20


class EcsFront:
    """The handlers of ECS, in front of one agent."""

    def __init__(self, agent: EcsAgent) -> None:
        """Take the agent that moves what is created here."""
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
            "DescribeServiceDeployments": self._describe_deployments,
            "DescribeServiceRevisions": self._describe_revisions,
        }.get(call.action)
        return handler(call) if handler else None

    def _create_service(self, call: Call) -> object:
        backend, asked = _backend(call), call.parameters
        definition = _definition(backend, str(asked.get("taskDefinition", "")))
        cluster, name = str(asked.get("cluster", "default")), str(asked.get("serviceName", ""))
        key = f"{cluster.rpartition('/')[2]}:{name}"
        if key in backend.services and backend.services[key].status == "ACTIVE":
            raise AwsRefusal("InvalidParameterException", "Creation of service was not idempotent.")
        service = backend.create_service(
            cluster_str=cluster,
            service_name=name,
            desired_count=asked.get("desiredCount"),
            task_definition_str=definition.arn,
            load_balancers=asked.get("loadBalancers"),
            scheduling_strategy=asked.get("schedulingStrategy"),
            tags=asked.get("tags"),
            deployment_controller=asked.get("deploymentController"),
            launch_type=asked.get("launchType"),
            platform_version=asked.get("platformVersion"),
            propagate_tags=asked.get("propagateTags", "NONE"),
            network_configuration=asked.get("networkConfiguration"),
        )
        settle_service(service, asked.get("deploymentConfiguration") or {})
        self._agent.created(service)
        return {"service": service}

    def _update_service(self, call: Call) -> object:
        backend, asked = _backend(call), call.parameters
        service = _service(backend, asked)
        if service.status != "ACTIVE":
            raise AwsRefusal("ServiceNotActiveException", "Service was not ACTIVE.")
        definition = service.task_definition
        if asked.get("taskDefinition"):
            definition = _definition(backend, str(asked["taskDefinition"])).arn
        if asked.get("deploymentConfiguration"):
            service.deployment_configuration |= asked["deploymentConfiguration"]
        if asked.get("networkConfiguration"):
            service.network_configuration = asked["networkConfiguration"]
        count = asked.get("desiredCount")
        if count is not None and count != service.desired_count:
            service.desired_count = int(count)
            self._agent.scaled(service)
        if definition != service.task_definition or asked.get("forceNewDeployment"):
            self._agent.deploy(service, definition)
        return {"service": service}

    def _run_task(self, call: Call) -> object:
        backend, asked = _backend(call), call.parameters
        definition = _definition(backend, str(asked.get("taskDefinition", "")))
        if asked.get("launchType", "FARGATE") != "FARGATE":
            raise AwsRefusal("InvalidParameterException", "The sandbox runs tasks on FARGATE only.")
        tasks = self._agent.run(
            lambda: [
                start(
                    backend,
                    str(asked.get("cluster", "default")),
                    definition,
                    group=asked.get("group") or f"family:{definition.family}",
                    overrides=asked.get("overrides"),
                    started_by=asked.get("startedBy", ""),
                    tags=asked.get("tags"),
                    networking_configuration=asked.get("networkConfiguration"),
                    platform_version=asked.get("platformVersion"),
                )
                for _ in range(int(asked.get("count", 1)))
            ]
        )
        return {"tasks": tasks, "failures": []}

    def _stop_task(self, call: Call) -> object:
        backend, asked = _backend(call), call.parameters
        cluster = backend._get_cluster(str(asked.get("cluster", "default")))
        wanted = str(asked.get("task", "")).rpartition("/")[2]
        found = next((t for t in list(backend.tasks.get(cluster.name, {}).values()) if t.id == wanted), None)
        if found is None:
            raise AwsRefusal("InvalidParameterException", "The referenced task was not found.")
        self._agent.stop_task(found, str(asked.get("reason") or "Task stopped by user"))
        return {"task": found}

    def _list_tasks(self, call: Call) -> object:
        backend, asked = _backend(call), call.parameters
        cluster = backend._get_cluster(str(asked.get("cluster", "default")))
        status = asked.get("desiredStatus", "RUNNING")
        name = str(asked.get("serviceName", "")).rpartition("/")[2]
        arns = [
            task.task_arn
            for task in list(backend.tasks.get(cluster.name, {}).values())
            if task.desired_status == status
            and (not name or task.group == f"service:{name}")
            and (not asked.get("startedBy") or task.started_by == asked["startedBy"])
            and (not asked.get("family") or f"/{asked['family']}:" in task.task_definition_arn)
        ]
        return {"taskArns": arns}

    def _describe_task_definition(self, call: Call) -> object | None:
        """Let moto describe a revision; a family alone means its latest ACTIVE one."""
        name = str(call.parameters.get("taskDefinition", ""))
        if ":" in name.rpartition("/")[2]:
            return None
        definition = _definition(_backend(call), name)
        shown: dict[str, Any] = {"taskDefinition": definition}
        if "TAGS" in (call.parameters.get("include") or ()):
            shown["tags"] = definition.tags
        return shown

    def _list_deployments(self, call: Call) -> object:
        service = _service(_backend(call), call.parameters)
        wanted = call.parameters.get("status") or ()
        history = self._agent.history(service)
        shown = [record.brief() for record in history if not wanted or record.status in wanted]
        return {"serviceDeployments": shown[: int(call.parameters.get("maxResults") or _MAX_SHOWN)]}

    def _describe_deployments(self, call: Call) -> object:
        wanted = list(call.parameters.get("serviceDeploymentArns") or ())
        known = {r.arn: r for s in _backend(call).services.values() for r in self._agent.history(s)}
        missing = [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in known]
        found = [known[arn].full() for arn in wanted if arn in known]
        return {"serviceDeployments": found, "failures": missing}

    def _describe_revisions(self, call: Call) -> object:
        wanted = list(call.parameters.get("serviceRevisionArns") or ())
        known = {r.revision_arn: r for s in _backend(call).services.values() for r in self._agent.history(s)}
        missing = [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in known]
        found = [known[arn].revision() for arn in wanted if arn in known]
        return {"serviceRevisions": found, "failures": missing}


def settle_service(service: Any, configuration: dict[str, Any]) -> None:
    """Give a service what moto does not store: its deployment configuration, with ECS's defaults."""
    breaker = {"enable": False, "rollback": False}
    defaults = {"maximumPercent": 200, "minimumHealthyPercent": 100, "deploymentCircuitBreaker": breaker}
    service.deployment_configuration = defaults | configuration
    service.created_at = service.deployments[0]["createdAt"]


def _backend(call: Call) -> Any:
    return ecs_backends[call.account][call.region]


def _service(backend: Any, asked: Any) -> Any:
    name = str(asked.get("service", ""))
    cluster = asked.get("cluster") or (name.split("/")[1] if name.count("/") == 2 else "default")
    cluster_name = backend._get_cluster(str(cluster)).name
    found = backend.services.get(f"{cluster_name}:{name.rpartition('/')[2]}")
    if found is None:
        raise AwsRefusal("ServiceNotFoundException", "Service not found.")
    return found


def _definition(backend: Any, name: str) -> Any:
    """Return an ACTIVE revision: the one named, or a family's latest."""
    family, _, revision = name.rpartition("/")[2].partition(":")
    revisions = backend.task_definitions.get(family, {})
    if revision:
        found = revisions.get(int(revision)) if revision.isdigit() else None
    else:
        active = [number for number, d in revisions.items() if d.status == "ACTIVE"]
        found = revisions[max(active)] if active else None
    if found is None:
        raise AwsRefusal("ClientException", "Unable to describe task definition.")
    if found.status != "ACTIVE":
        raise AwsRefusal("ClientException", "TaskDefinition is inactive")
    return found
