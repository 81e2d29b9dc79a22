"""Turns a task definition as ECS describes it into the inputs that register the same one again.

"Everything else kept as it is" means that a field which cannot be carried over is an error, never dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from atlas_access.base import DefinitionUnusable

_CARRIED = frozenset(
    {
        "family", "containerDefinitions", "taskRoleArn", "executionRoleArn", "networkMode", "volumes",
        "placementConstraints", "requiresCompatibilities", "cpu", "memory", "tags", "pidMode", "ipcMode",
        "proxyConfiguration", "ephemeralStorage", "runtimePlatform", "enableFaultInjection",
    }
)  # fmt: skip
_VOLUME_CARRIED = frozenset(
    {
        "name",
        "host",
        "configuredAtLaunch",
        "dockerVolumeConfiguration",
        "efsVolumeConfiguration",
        "fsxWindowsFileServerVolumeConfiguration",
    }
)


def task_definition_args(
    definition: Mapping[str, Any], container_definitions: pulumi.Input[str]
) -> aws.ecs.TaskDefinitionArgs:
    """The registration of `definition` with other container definitions (API RegisterTaskDefinition).

    Raises:
        DefinitionUnusable: the definition has a field that would be lost.
    """
    family = str(definition["family"])
    _refuse_lost(family, definition, _CARRIED, "")
    return aws.ecs.TaskDefinitionArgs(
        family=family,
        container_definitions=container_definitions,
        cpu=definition.get("cpu"),
        memory=definition.get("memory"),
        network_mode=definition.get("networkMode"),
        execution_role_arn=definition.get("executionRoleArn"),
        task_role_arn=definition.get("taskRoleArn"),
        requires_compatibilities=definition.get("requiresCompatibilities") or None,
        pid_mode=definition.get("pidMode"),
        ipc_mode=definition.get("ipcMode"),
        enable_fault_injection=definition.get("enableFaultInjection"),
        volumes=[_volume(family, each) for each in definition.get("volumes", [])] or None,
        placement_constraints=[
            aws.ecs.TaskDefinitionPlacementConstraintArgs(
                type=each["type"], expression=each.get("expression")
            )
            for each in definition.get("placementConstraints", [])
        ]
        or None,
        runtime_platform=_platform(definition.get("runtimePlatform")),
        ephemeral_storage=_storage(definition.get("ephemeralStorage")),
        proxy_configuration=_proxy(definition.get("proxyConfiguration")),
        tags={tag["key"]: tag["value"] for tag in definition.get("tags", [])} or None,
        skip_destroy=True,
    )


def _refuse_lost(family: str, found: Mapping[str, Any], carried: frozenset[str], where: str) -> None:
    lost = sorted(key for key in found if key not in carried and found[key] not in (None, [], {}))
    if lost:
        raise DefinitionUnusable(
            f"{family}: {where}{', '.join(lost)} cannot be carried over to a new revision. "
            "Register the revision with that field by hand, or remove the field."
        )


def _volume(family: str, volume: Mapping[str, Any]) -> aws.ecs.TaskDefinitionVolumeArgs:
    _refuse_lost(family, volume, _VOLUME_CARRIED, f"volume {volume.get('name')}: ")
    docker, efs = volume.get("dockerVolumeConfiguration"), volume.get("efsVolumeConfiguration")
    fsx = volume.get("fsxWindowsFileServerVolumeConfiguration")
    return aws.ecs.TaskDefinitionVolumeArgs(
        name=volume["name"],
        host_path=(volume.get("host") or {}).get("sourcePath"),
        configure_at_launch=volume.get("configuredAtLaunch"),
        docker_volume_configuration=docker
        and aws.ecs.TaskDefinitionVolumeDockerVolumeConfigurationArgs(
            scope=docker.get("scope"),
            autoprovision=docker.get("autoprovision"),
            driver=docker.get("driver"),
            driver_opts=docker.get("driverOpts"),
            labels=docker.get("labels"),
        ),
        efs_volume_configuration=efs
        and aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationArgs(
            file_system_id=efs["fileSystemId"],
            root_directory=efs.get("rootDirectory"),
            transit_encryption=efs.get("transitEncryption"),
            transit_encryption_port=efs.get("transitEncryptionPort"),
            authorization_config=efs.get("authorizationConfig")
            and aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfigArgs(
                access_point_id=efs["authorizationConfig"].get("accessPointId"),
                iam=efs["authorizationConfig"].get("iam"),
            ),
        ),
        fsx_windows_file_server_volume_configuration=fsx
        and aws.ecs.TaskDefinitionVolumeFsxWindowsFileServerVolumeConfigurationArgs(
            file_system_id=fsx["fileSystemId"],
            root_directory=fsx["rootDirectory"],
            authorization_config=aws.ecs.TaskDefinitionVolumeFsxWindowsFileServerVolumeConfigurationAuthorizationConfigArgs(
                credentials_parameter=fsx["authorizationConfig"]["credentialsParameter"],
                domain=fsx["authorizationConfig"]["domain"],
            ),
        ),
    )


def _platform(found: Mapping[str, Any] | None) -> aws.ecs.TaskDefinitionRuntimePlatformArgs | None:
    if not found:
        return None
    return aws.ecs.TaskDefinitionRuntimePlatformArgs(
        cpu_architecture=found.get("cpuArchitecture"),
        operating_system_family=found.get("operatingSystemFamily"),
    )


def _storage(found: Mapping[str, Any] | None) -> aws.ecs.TaskDefinitionEphemeralStorageArgs | None:
    return aws.ecs.TaskDefinitionEphemeralStorageArgs(size_in_gib=found["sizeInGiB"]) if found else None


def _proxy(found: Mapping[str, Any] | None) -> aws.ecs.TaskDefinitionProxyConfigurationArgs | None:
    if not found:
        return None
    return aws.ecs.TaskDefinitionProxyConfigurationArgs(
        container_name=found["containerName"],
        type=found.get("type"),
        properties={each["name"]: each["value"] for each in found.get("properties", [])},
    )
