"""The aws provider's functions for ECS services and task definitions."""

from typing import Any, Final

from sandbox.providers import containers
from sandbox.providers.aws_lookups import rfc3339
from sandbox.providers.aws_session import AwsSession, aws_errors
from sandbox.providers.errors import ProviderError
from sandbox.providers.resource import Invoke
from sandbox.values import Properties


def _get_service(session: AwsSession, arguments: Properties) -> Properties:
    cluster, name = arguments["clusterArn"], arguments["serviceName"]
    with aws_errors(f"reading ECS Service ({name})"):
        answer = session.ecs(arguments).describe_services(cluster=cluster, services=[name], include=["TAGS"])
    found: list[Any] = [one for one in answer.get("services") or [] if one.get("status") != "INACTIVE"]
    if not found:
        raise ProviderError(
            f"reading ECS Service ({name}): no active service of that name in cluster {cluster}"
        )
    service = found[0]
    return {
        "arn": service["serviceArn"],
        "availabilityZoneRebalancing": service.get("availabilityZoneRebalancing", ""),
        "capacityProviderStrategies": list(service.get("capacityProviderStrategy") or []),
        "clusterArn": service.get("clusterArn", cluster),
        "createdAt": rfc3339(service.get("createdAt")),
        "createdBy": service.get("createdBy", ""),
        "deploymentConfigurations": _deployment_configurations(service.get("deploymentConfiguration")),
        "deploymentControllers": [dict(service.get("deploymentController") or {"type": "ECS"})],
        "deployments": [_deployment(one) for one in service.get("deployments") or []],
        "desiredCount": service.get("desiredCount", 0),
        "enableEcsManagedTags": bool(service.get("enableECSManagedTags")),
        "enableExecuteCommand": bool(service.get("enableExecuteCommand")),
        "events": [_event(one) for one in service.get("events") or []],
        "healthCheckGracePeriodSeconds": service.get("healthCheckGracePeriodSeconds", 0),
        "iamRole": service.get("roleArn", ""),
        "id": service["serviceArn"],
        "launchType": service.get("launchType", ""),
        "loadBalancers": [_load_balancer(one) for one in service.get("loadBalancers") or []],
        "networkConfigurations": _network_configurations(service.get("networkConfiguration")),
        "orderedPlacementStrategies": list(service.get("placementStrategy") or []),
        "pendingCount": service.get("pendingCount", 0),
        "placementConstraints": list(service.get("placementConstraints") or []),
        "platformFamily": service.get("platformFamily", ""),
        "platformVersion": service.get("platformVersion", ""),
        "propagateTags": service.get("propagateTags", ""),
        "region": arguments.get("region") or session.region,
        "runningCount": service.get("runningCount", 0),
        "schedulingStrategy": service.get("schedulingStrategy", ""),
        "serviceName": service["serviceName"],
        "serviceRegistries": list(service.get("serviceRegistries") or []),
        "status": service.get("status", ""),
        "tags": {tag["key"]: tag["value"] for tag in service.get("tags") or []},
        "taskDefinition": service.get("taskDefinition", ""),
        "taskSets": [],
    }


def _deployment(found: Any) -> Properties:
    return {
        "createdAt": rfc3339(found.get("createdAt")),
        "desiredCount": found.get("desiredCount", 0),
        "id": found.get("id", ""),
        "pendingCount": found.get("pendingCount", 0),
        "runningCount": found.get("runningCount", 0),
        "status": found.get("status", ""),
        "taskDefinition": found.get("taskDefinition", ""),
        "updatedAt": rfc3339(found.get("updatedAt")),
    }


def _deployment_configurations(found: Any) -> list[Properties]:
    if not found:
        return []
    breaker = found.get("deploymentCircuitBreaker")
    return [
        {
            "alarms": [],
            "bakeTimeInMinutes": "",
            "canaryConfigurations": [],
            "deploymentCircuitBreakers": [dict(breaker)] if breaker else [],
            "lifecycleHooks": [],
            "linearConfigurations": [],
            "maximumPercent": found.get("maximumPercent", 200),
            "minimumHealthyPercent": found.get("minimumHealthyPercent", 100),
            "strategy": found.get("strategy", ""),
        }
    ]


def _event(found: Any) -> Properties:
    return {
        "createdAt": rfc3339(found.get("createdAt")),
        "id": found.get("id", ""),
        "message": found.get("message", ""),
    }


def _load_balancer(found: Any) -> Properties:
    return {
        "advancedConfigurations": [],
        "containerName": found.get("containerName", ""),
        "containerPort": found.get("containerPort", 0),
        "elbName": found.get("loadBalancerName", ""),
        "targetGroupArn": found.get("targetGroupArn", ""),
    }


def _network_configurations(found: Any) -> list[Properties]:
    awsvpc = (found or {}).get("awsvpcConfiguration")
    if not awsvpc:
        return []
    return [
        {
            "assignPublicIp": awsvpc.get("assignPublicIp") == "ENABLED",
            "securityGroups": list(awsvpc.get("securityGroups") or []),
            "subnets": list(awsvpc.get("subnets") or []),
        }
    ]


def _get_task_definition(session: AwsSession, arguments: Properties) -> Properties:
    wanted = arguments["taskDefinition"]
    with aws_errors(f"reading ECS Task Definition ({wanted})"):
        answer = session.ecs(arguments).describe_task_definition(taskDefinition=wanted)
    found: Any = answer["taskDefinition"]
    arn = str(found["taskDefinitionArn"])
    storage, platform = found.get("ephemeralStorage"), found.get("runtimePlatform")
    return {
        "arn": arn,
        "arnWithoutRevision": arn.rpartition(":")[0],
        "containerDefinitions": containers.written(found["containerDefinitions"]),
        "cpu": found.get("cpu", ""),
        "enableFaultInjection": bool(found.get("enableFaultInjection")),
        "ephemeralStorages": [{"sizeInGib": storage["sizeInGiB"]}] if storage else [],
        "executionRoleArn": found.get("executionRoleArn", ""),
        "family": found["family"],
        "id": arn,
        "ipcMode": found.get("ipcMode", ""),
        "memory": found.get("memory", ""),
        "networkMode": found.get("networkMode", ""),
        "pidMode": found.get("pidMode", ""),
        "placementConstraints": list(found.get("placementConstraints") or []),
        "proxyConfigurations": [],
        "region": arguments.get("region") or session.region,
        "requiresCompatibilities": list(found.get("requiresCompatibilities") or []),
        "revision": found["revision"],
        "runtimePlatforms": [dict(platform)] if platform else [],
        "status": found.get("status", ""),
        "taskDefinition": wanted,
        "taskRoleArn": found.get("taskRoleArn", ""),
        "volumes": [_volume(one) for one in found.get("volumes") or []],
    }


def _volume(found: Any) -> Properties:
    efs, docker = found.get("efsVolumeConfiguration"), found.get("dockerVolumeConfiguration")
    return {
        "configureAtLaunch": bool(found.get("configuredAtLaunch")),
        "dockerVolumeConfigurations": [dict(docker)] if docker else [],
        "efsVolumeConfigurations": [_efs(efs)] if efs else [],
        "fsxWindowsFileServerVolumeConfigurations": [],
        "hostPath": (found.get("host") or {}).get("sourcePath", ""),
        "name": found.get("name", ""),
        "s3filesVolumeConfigurations": [],
    }


def _efs(found: Any) -> Properties:
    access = found.get("authorizationConfig")
    return {
        "authorizationConfigs": [dict(access)] if access else [],
        "fileSystemId": found.get("fileSystemId", ""),
        "rootDirectory": found.get("rootDirectory", ""),
        "transitEncryption": found.get("transitEncryption", ""),
        "transitEncryptionPort": found.get("transitEncryptionPort", 0),
    }


ECS_LOOKUPS: Final = (
    Invoke(
        "aws:ecs/getService:getService",
        frozenset({"clusterArn", "serviceName", "region", "tags"}),
        _get_service,
    ),
    Invoke(
        "aws:ecs/getTaskDefinition:getTaskDefinition",
        frozenset({"taskDefinition", "region"}),
        _get_task_definition,
    ),
)
