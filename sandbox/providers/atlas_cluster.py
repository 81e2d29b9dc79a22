"""The function mongodbatlas:index/getAdvancedCluster:getAdvancedCluster, with the outputs that the program reads."""

from typing import Any, Final

from sandbox.engine.values import Properties
from sandbox.providers.atlas_client import AtlasClient
from sandbox.providers.resource import Invoke


def _texts(found: Any, *names: str) -> Properties:
    return {name: found.get(name, "") for name in names}


def _get_advanced_cluster(client: AtlasClient, arguments: Properties) -> Properties:
    project, name = arguments["projectId"], arguments["name"]
    effective = "true" if arguments.get("useEffectiveFields") else "false"
    found: Any = client.call(
        "GET",
        (project, "clusters", name),
        f"error reading advanced cluster datasource ({name})",
        version="2024-08-05",
        headers={"Use-Effective-Instance-Fields": effective},
    )
    strings = found.get("connectionStrings") or {}
    return {
        "clusterId": found.get("id", ""),
        "connectionStrings": {
            **_texts(strings, "private", "privateSrv", "standard", "standardSrv"),
            "privateEndpoints": [_private_endpoint(one) for one in strings.get("privateEndpoint") or []],
        },
        "id": name,
        "mongoDbMajorVersion": found.get("mongoDBMajorVersion", ""),
        "mongoDbVersion": found.get("mongoDBVersion", ""),
        "name": found.get("name", name),
        "projectId": project,
        **_texts(found, "clusterType", "stateName"),
    }


def _private_endpoint(found: Any) -> Properties:
    return {
        **_texts(
            found, "connectionString", "srvConnectionString", "srvShardOptimizedConnectionString", "type"
        ),
        "endpoints": [
            _texts(one, "endpointId", "providerName", "region") for one in found.get("endpoints") or []
        ],
    }


GET_ADVANCED_CLUSTER: Final = Invoke(
    "mongodbatlas:index/getAdvancedCluster:getAdvancedCluster",
    frozenset({"name", "projectId", "useEffectiveFields"}),
    _get_advanced_cluster,
)
