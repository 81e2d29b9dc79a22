"""The function mongodbatlas:index/getAdvancedCluster:getAdvancedCluster, with the outputs that the program reads."""

from typing import Any, Final

from sandbox.providers.atlas_client import AtlasClient
from sandbox.providers.errors import doing
from sandbox.providers.resource import Invoke
from sandbox.values import Properties


def _get_advanced_cluster(client: AtlasClient, arguments: Properties) -> Properties:
    project, name = arguments["projectId"], arguments["name"]
    effective = "true" if arguments.get("useEffectiveFields") else "false"
    with doing(f"error reading advanced cluster datasource ({name})"):
        found: Any = client.call(
            "GET",
            (project, "clusters", name),
            name="data.advanced_cluster",
            operation="read",
            version="2024-08-05",
            headers={"Use-Effective-Instance-Fields": effective},
        )
    return {
        "clusterId": found.get("id", ""),
        "clusterType": found.get("clusterType", ""),
        "connectionStrings": _connection_strings(found.get("connectionStrings") or {}),
        "id": name,
        "mongoDbMajorVersion": found.get("mongoDBMajorVersion", ""),
        "mongoDbVersion": found.get("mongoDBVersion", ""),
        "name": found.get("name", name),
        "projectId": project,
        "stateName": found.get("stateName", ""),
    }


def _connection_strings(found: Any) -> Properties:
    kinds = ("private", "privateSrv", "standard", "standardSrv")
    endpoints = [_private_endpoint(one) for one in found.get("privateEndpoint") or []]
    return {**{kind: found.get(kind, "") for kind in kinds}, "privateEndpoints": endpoints}


def _private_endpoint(found: Any) -> Properties:
    kinds = ("connectionString", "srvConnectionString", "srvShardOptimizedConnectionString", "type")
    endpoints = [
        {key: one.get(key, "") for key in ("endpointId", "providerName", "region")}
        for one in found.get("endpoints") or []
    ]
    return {**{kind: found.get(kind, "") for kind in kinds}, "endpoints": endpoints}


GET_ADVANCED_CLUSTER: Final = Invoke(
    "mongodbatlas:index/getAdvancedCluster:getAdvancedCluster",
    frozenset({"name", "projectId", "useEffectiveFields"}),
    _get_advanced_cluster,
)
