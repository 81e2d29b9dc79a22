"""The JSON descriptions of a project and its cluster. SRV names do not resolve: the sandbox has no DNS.

Source: schemas Group and ClusterDescription20240805.
"""

from typing import Any

from sandbox.atlas.backing import ServerFacts
from sandbox.atlas.spec import ORGANIZATION, ProjectSpec, stable_id

CREATED = "2025-01-15T09:00:00Z"
_DNS = "sbx01.mongodb.net"


def group(spec: ProjectSpec, links: list[dict[str, str]]) -> dict[str, Any]:
    """Describe the project."""
    return {
        "clusterCount": 1,
        "created": CREATED,
        "id": spec.project_id,
        "links": links,
        "name": spec.name,
        "orgId": ORGANIZATION,
        "tags": [],
        "withDefaultAlertsSettings": True,
    }


def cluster(spec: ProjectSpec, facts: ServerFacts, links: list[dict[str, str]]) -> dict[str, Any]:
    """Describe the cluster: an M10 replica set of three by Atlas's account, one `mongod` in truth."""
    major = ".".join(facts.version.split(".")[:2])
    specs = {"diskIOPS": 3000, "diskSizeGB": 10, "ebsVolumeType": "STANDARD", "instanceSize": "M10"}
    none, three = {**specs, "nodeCount": 0}, {**specs, "nodeCount": 3}
    region = {
        "analyticsSpecs": none,
        "autoScaling": {
            "compute": {"enabled": False, "scaleDownEnabled": False},
            "diskGB": {"enabled": True},
        },
        "effectiveAnalyticsSpecs": none,
        "effectiveElectableSpecs": three,
        "effectiveReadOnlySpecs": none,
        "electableSpecs": three,
        "priority": 7,
        "providerName": "AWS",
        "readOnlySpecs": none,
        "regionName": spec.region,
    }
    replication = {
        "id": stable_id(spec.project_id, "replication"),
        "regionConfigs": [region],
        "zoneId": stable_id(spec.project_id, "zone"),
        "zoneName": "Zone 1",
    }
    return {
        "advancedConfiguration": {
            "customOpensslCipherConfigTls12": [],
            "customOpensslCipherConfigTls13": [],
            "minimumEnabledTlsProtocol": "TLS1_2",
            "tlsCipherConfigMode": "DEFAULT",
        },
        "backupEnabled": True,
        "biConnector": {"enabled": False, "readPreference": "SECONDARY"},
        "clusterType": "REPLICASET",
        "configServerManagementMode": "ATLAS_MANAGED",
        "connectionStrings": connection_strings(spec, facts),
        "createDate": CREATED,
        "diskWarmingMode": "FULLY_WARMED",
        "effectiveReplicationSpecs": [replication],
        "encryptionAtRestProvider": "NONE",
        "featureCompatibilityVersion": major,
        "globalClusterSelfManagedSharding": False,
        "groupId": spec.project_id,
        "id": stable_id(spec.project_id, spec.cluster_name),
        "internalClusterRole": "NONE",
        "labels": [],
        "links": links,
        "mongoDBMajorVersion": major,
        "mongoDBVersion": facts.version,
        "name": spec.cluster_name,
        "paused": False,
        "pitEnabled": True,
        "redactClientLogData": False,
        "replicaSetScalingStrategy": "WORKLOAD_TYPE",
        "replicationSpecs": [replication],
        "rootCertType": "ISRGROOTX1",
        "stateName": "IDLE",
        "tags": [],
        "terminationProtectionEnabled": True,
        "useAwsTimeBasedSnapshotCopyForFastInitialSync": False,
        "versionReleaseSystem": "LTS",
    }


def connection_strings(spec: ProjectSpec, facts: ServerFacts) -> dict[str, Any]:
    """Return the addresses; private ones need directConnection, as the replica set names the public address."""
    options = f"authSource=admin&replicaSet={facts.replica_set}"
    strings: dict[str, Any] = {
        "standard": f"mongodb://{spec.public_address}/?{options}",
        "standardSrv": f"mongodb+srv://{spec.cluster_name}.{_DNS}",
    }
    if spec.private_address:
        identity = "vpce-0" + stable_id(spec.project_id, "endpoint")[:16]
        endpoint = {"endpointId": identity, "providerName": "AWS", "region": spec.region}
        strings["privateEndpoint"] = [
            {
                "connectionString": f"mongodb://{spec.private_address}/?{options}&directConnection=true",
                "endpoints": [endpoint],
                "srvConnectionString": f"mongodb+srv://{spec.cluster_name}-pl-0.{_DNS}",
                "type": "MONGOD",
            }
        ]
    return strings
