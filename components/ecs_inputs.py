"""Turns a task definition as ECS describes it into the inputs that register the same one again.

"Everything else kept as it is" means that a field which cannot be carried over is an error, never dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from atlas_access.base import DefinitionUnusable, registrable

_CARRIED: Mapping[str, frozenset[str]] = {
    "": frozenset(
        {
            "family", "containerDefinitions", "taskRoleArn", "executionRoleArn", "networkMode", "volumes",
            "placementConstraints", "requiresCompatibilities", "cpu", "memory", "tags", "pidMode", "ipcMode",
            "proxyConfiguration", "ephemeralStorage", "runtimePlatform", "enableFaultInjection",
        }
    ),
    "volumes": frozenset(
        {
            "name", "host", "configuredAtLaunch", "dockerVolumeConfiguration", "efsVolumeConfiguration",
            "fsxWindowsFileServerVolumeConfiguration",
        }
    ),
    "volumes.host": frozenset({"sourcePath"}),
    "volumes.dockerVolumeConfiguration": frozenset({"scope", "autoprovision", "driver", "driverOpts", "labels"}),
    "volumes.efsVolumeConfiguration": frozenset(
        {"fileSystemId", "rootDirectory", "transitEncryption", "transitEncryptionPort", "authorizationConfig"}
    ),
    "volumes.efsVolumeConfiguration.authorizationConfig": frozenset({"accessPointId", "iam"}),
    "volumes.fsxWindowsFileServerVolumeConfiguration": frozenset(
        {"fileSystemId", "rootDirectory", "authorizationConfig"}
    ),
    "volumes.fsxWindowsFileServerVolumeConfiguration.authorizationConfig": frozenset(
        {"credentialsParameter", "domain"}
    ),
    "placementConstraints": frozenset({"type", "expression"}),
    "proxyConfiguration": frozenset({"type", "containerName", "properties"}),
    "proxyConfiguration.properties": frozenset({"name", "value"}),
    "ephemeralStorage": frozenset({"sizeInGiB"}),
    "runtimePlatform": frozenset({"cpuArchitecture", "operatingSystemFamily"}),
}  # fmt: skip
"""The fields of RegisterTaskDefinition that are carried over, by where they are. Containers are carried as they are."""


def task_definition_args(
    definition: Mapping[str, Any], container_definitions: pulumi.Input[str]
) -> aws.ecs.TaskDefinitionArgs:
    """The registration of `definition` with other container definitions (API RegisterTaskDefinition).

    Raises:
        DefinitionUnusable: the definition has a field that would be lost, or is none that ECS describes.
    """
    definition = registrable(definition)
    family = str(definition["family"])
    lost = tuple(_lost(definition, ""))
    if lost:
        raise DefinitionUnusable(
            f"{family}: {', '.join(lost)} cannot be carried over to a new revision. "
            "Register the revision with that field by hand, or remove the field."
        )
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
        volumes=[_volume(each) for each in definition.get("volumes", [])] or None,
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


def _lost(found: Mapping[str, Any], where: str) -> Iterator[str]:
    """The fields that are not carried over, each with where it is."""
    for key, value in sorted(found.items()):
        path = f"{where}.{key}".lstrip(".")
        if key not in _CARRIED[where] and value not in (None, [], {}):
            yield path
        elif path in _CARRIED:
            for each in value if isinstance(value, list) else [value]:
                yield from _lost(each, path)


def _volume(volume: Mapping[str, Any]) -> aws.ecs.TaskDefinitionVolumeArgs:
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
