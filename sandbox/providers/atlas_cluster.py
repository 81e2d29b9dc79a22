"""The function mongodbatlas:index/getAdvancedCluster:getAdvancedCluster."""

from typing import Any, Final

from sandbox.providers.atlas_client import AtlasClient
from sandbox.providers.errors import ProviderError
from sandbox.providers.resource import Invoke
from sandbox.values import Properties

_NAME: Final = "data.advanced_cluster"
_VERSION: Final = "2024-08-05"
_ADVANCED: Final = {
    "changeStreamOptionsPreAndPostImagesExpireAfterSeconds": -1,
    "customOpensslCipherConfigTls12s": [],
    "customOpensslCipherConfigTls13s": [],
    "defaultMaxTimeMs": 0,
    "defaultWriteConcern": "majority",
    "javascriptEnabled": True,
    "minimumEnabledTlsProtocol": "TLS1_2",
    "noTableScan": False,
    "oplogMinRetentionHours": 0,
    "oplogSizeMb": 0,
    "sampleRefreshIntervalBiConnector": 0,
    "sampleSizeBiConnector": 0,
    "tlsCipherConfigMode": "DEFAULT",
    "transactionLifetimeLimitSeconds": 60,
}
"""Settings with the values that Atlas documents as defaults, under the names of the outputs."""

_RENAMED: Final = {
    "customOpensslCipherConfigTls12": "customOpensslCipherConfigTls12s",
    "oplogSizeMB": "oplogSizeMb",
}


def _get_advanced_cluster(client: AtlasClient, arguments: Properties) -> Properties:
    project, name = arguments["projectId"], arguments["name"]
    try:
        return _cluster(client, project, name, arguments.get("useEffectiveFields"))
    except ProviderError as error:
        raise ProviderError(f"error reading advanced cluster datasource ({name}): {error}") from error


def _cluster(client: AtlasClient, project: str, name: str, effective: Any) -> Properties:
    path = (project, "clusters", name)
    found: Any = client.call(
        "GET",
        path,
        name=_NAME,
        operation="read",
        version=_VERSION,
        headers={"Use-Effective-Instance-Fields": "true" if effective else "false"},
    )
    containers = _containers(client, project, found)
    arguments: Any = client.call(
        "GET", (*path, "processArgs"), name=_NAME, operation="read", version=_VERSION
    )
    return {
        "advancedConfiguration": _advanced(arguments),
        "backupEnabled": bool(found.get("backupEnabled")),
        "biConnectorConfig": _bi_connector(found.get("biConnector") or {}),
        "clusterId": found.get("id", ""),
        "clusterType": found.get("clusterType", ""),
        "configServerManagementMode": found.get("configServerManagementMode", ""),
        "configServerType": found.get("configServerType", ""),
        "connectionStrings": _connection_strings(found.get("connectionStrings") or {}),
        "createDate": found.get("createDate", ""),
        "encryptionAtRestProvider": found.get("encryptionAtRestProvider", "NONE"),
        "globalClusterSelfManagedSharding": bool(found.get("globalClusterSelfManagedSharding")),
        "id": name,
        "labels": {one["key"]: one["value"] for one in found.get("labels") or []},
        "mongoDbMajorVersion": found.get("mongoDBMajorVersion", ""),
        "mongoDbVersion": found.get("mongoDBVersion", ""),
        "name": found.get("name", name),
        "paused": bool(found.get("paused")),
        "pitEnabled": bool(found.get("pitEnabled")),
        "projectId": project,
        "redactClientLogData": bool(found.get("redactClientLogData")),
        "replicaSetScalingStrategy": found.get("replicaSetScalingStrategy", ""),
        "replicationSpecs": [_replication(one, containers) for one in found.get("replicationSpecs") or []],
        "rootCertType": found.get("rootCertType", ""),
        "stateName": found.get("stateName", ""),
        "tags": {one["key"]: one["value"] for one in found.get("tags") or []},
        "terminationProtectionEnabled": bool(found.get("terminationProtectionEnabled")),
        "useEffectiveFields": effective,
        "versionReleaseSystem": found.get("versionReleaseSystem", ""),
    }


def _containers(client: AtlasClient, project: str, found: Any) -> dict[str, str]:
    """Network containers by `provider:region`; asked per provider, as the real provider does."""
    regions = [
        region for spec in found.get("replicationSpecs") or [] for region in spec.get("regionConfigs") or []
    ]
    containers: dict[str, str] = {}
    for provider in sorted({region["providerName"] for region in regions if region.get("providerName")}):
        answer: Any = client.call(
            "GET",
            (project, "containers"),
            name=_NAME,
            operation="read",
            query={"providerName": provider},
        )
        for one in answer.get("results") or []:
            containers[f"{provider}:{one.get('regionName') or one.get('region', '')}"] = one.get("id", "")
    return containers


def _replication(found: Any, containers: dict[str, str]) -> Properties:
    regions = found.get("regionConfigs") or []
    keys = [f"{one.get('providerName', '')}:{one.get('regionName', '')}" for one in regions]
    return {
        "containerId": {key: containers[key] for key in keys if key in containers},
        "externalId": found.get("id", ""),
        "regionConfigs": [_region(one) for one in regions],
        "zoneId": found.get("zoneId", ""),
        "zoneName": found.get("zoneName", ""),
    }


def _region(found: Any) -> Properties:
    return {
        "backingProviderName": found.get("backingProviderName", ""),
        "electableSpecs": _specs(found.get("electableSpecs")),
        "priority": found.get("priority", 0),
        "providerName": found.get("providerName", ""),
        "readOnlySpecs": _specs(found.get("readOnlySpecs")),
        "regionName": found.get("regionName", ""),
    }


def _specs(found: Any) -> Properties | None:
    if not found:
        return None
    return {
        "diskIops": found.get("diskIOPS", 0),
        "diskSizeGb": found.get("diskSizeGB", 0),
        "ebsVolumeType": found.get("ebsVolumeType", ""),
        "instanceSize": found.get("instanceSize", ""),
        "nodeCount": found.get("nodeCount", 0),
    }


def _connection_strings(found: Any) -> Properties:
    return {
        "private": found.get("private", ""),
        "privateEndpoints": [_private_endpoint(one) for one in found.get("privateEndpoint") or []],
        "privateSrv": found.get("privateSrv", ""),
        "standard": found.get("standard", ""),
        "standardSrv": found.get("standardSrv", ""),
    }


def _private_endpoint(found: Any) -> Properties:
    return {
        "connectionString": found.get("connectionString", ""),
        "endpoints": [
            {
                "endpointId": one.get("endpointId", ""),
                "providerName": one.get("providerName", ""),
                "region": one.get("region", ""),
            }
            for one in found.get("endpoints") or []
        ],
        "srvConnectionString": found.get("srvConnectionString", ""),
        "srvShardOptimizedConnectionString": found.get("srvShardOptimizedConnectionString", ""),
        "type": found.get("type", ""),
    }


def _bi_connector(found: Any) -> Properties:
    return {"enabled": bool(found.get("enabled")), "readPreference": found.get("readPreference", "secondary")}


def _advanced(found: Any) -> Properties:
    given = {_RENAMED.get(name, name): value for name, value in found.items() if value is not None}
    return {**_ADVANCED, **{name: value for name, value in given.items() if name in _ADVANCED}}


GET_ADVANCED_CLUSTER: Final = Invoke(
    "mongodbatlas:index/getAdvancedCluster:getAdvancedCluster",
    frozenset({"name", "projectId", "useEffectiveFields"}),
    _get_advanced_cluster,
)
