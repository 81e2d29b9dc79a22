"""The JSON descriptions of a project and its cluster. SRV names do not resolve: the sandbox has no DNS.

Source: schemas Group, ClusterDescription20240805, ClusterDescriptionProcessArgs20240805 and related ones.
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
        "advancedConfiguration": _tls(),
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
        endpoint = {
            "endpointId": endpoint_id(spec),
            "providerName": "AWS",
            "region": spec.region,
        }
        strings["privateEndpoint"] = [
            {
                "connectionString": f"mongodb://{spec.private_address}/?{options}&directConnection=true",
                "endpoints": [endpoint],
                "srvConnectionString": f"mongodb+srv://{spec.cluster_name}-pl-0.{_DNS}",
                "type": "MONGOD",
            }
        ]
    return strings


def endpoint_id(spec: ProjectSpec) -> str:
    """Return the id of the project's interface endpoint in AWS."""
    return "vpce-0" + stable_id(spec.project_id, "endpoint")[:16]


def process_args() -> dict[str, Any]:
    """Give the cluster's process options: Atlas's defaults."""
    return {
        **_tls(),
        "changeStreamOptionsPreAndPostImagesExpireAfterSeconds": -1,
        "javascriptEnabled": True,
        "noTableScan": False,
        "oplogMinRetentionHours": None,
        "oplogSizeMB": None,
        "queryStatsLogVerbosity": 1,
    }


def containers(spec: ProjectSpec, provider: str) -> list[dict[str, Any]]:
    """List the network containers of a cloud provider."""
    if provider != "AWS":
        return []
    return [
        {
            "atlasCidrBlock": "192.168.248.0/21",
            "id": stable_id(spec.project_id, "container"),
            "providerName": "AWS",
            "provisioned": True,
            "regionName": spec.region,
            "vpcId": "vpc-0" + stable_id(spec.project_id, "vpc")[:16],
        }
    ]


def limits(users: int, roles: int, max_users: int, max_roles: int) -> list[dict[str, Any]]:
    """List the project's limits with what is used of them."""
    return [
        _limit("atlas.project.deployment.clusters", 1, 25, 100),
        _limit("atlas.project.security.databaseAccess.users", users, max_users, 900),
        _limit("atlas.project.security.databaseAccess.customRoles", roles, max_roles, 1400),
    ]


def settings() -> dict[str, bool]:
    """Give the project's settings: Atlas's defaults."""
    names = (
        *("CollectDatabaseSpecificsStatistics", "DataExplorer", "DataExplorerGenAIFeatures"),
        *("PerformanceAdvisor", "RealtimePerformancePanel", "SchemaAdvisor"),
    )
    off = ("DataExplorerGenAISampleDocumentPassing", "ExtendedStorageSizes")
    return {**{f"is{n}Enabled": True for n in names}, **{f"is{n}Enabled": False for n in off}}


def ip_addresses(spec: ProjectSpec) -> dict[str, Any]:
    """Give the addresses of the cluster's nodes."""
    here = [spec.public_address.rpartition(":")[0]]
    addresses = {"inbound": here, "outbound": here, "futureInbound": [], "futureOutbound": []}
    return {
        "groupId": spec.project_id,
        "services": {"clusters": [{"clusterName": spec.cluster_name, **addresses}]},
    }


def endpoint_services(spec: ProjectSpec, provider: str) -> list[dict[str, Any]]:
    """List the private endpoint services of a cloud provider."""
    if provider != "AWS" or not spec.private_address:
        return []
    region = spec.region.lower().replace("_", "-")
    return [
        {
            "cloudProvider": "AWS",
            "endpointServiceName": f"com.amazonaws.vpce.{region}.vpce-svc-0{stable_id(spec.project_id)[:16]}",
            "id": stable_id(spec.project_id, "endpoint service"),
            "interfaceEndpoints": [endpoint_id(spec)],
            "regionName": spec.region,
            "status": "AVAILABLE",
        }
    ]


def rate_limits(routes: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """List the endpoint sets that share a rate limit; every route here belongs to one of two."""
    sets = {"Database Access": ("databaseUsers", "customDBRoles"), "Project Read": ("",)}
    found: dict[str, list[dict[str, str]]] = {name: [] for name in sets}
    for method, path in routes:
        name = next(name for name, parts in sets.items() if any(part in path for part in parts))
        found[name].append({"method": method, "path": path})
    return [
        {
            "capacity": {"defaultValue": None, "value": 100},
            "endpointSetId": name.lower().replace(" ", "-"),
            "endpointSetName": name,
            "endpoints": endpoints,
            "refillDurationSeconds": {"defaultValue": None, "value": 60},
            "refillRate": {"defaultValue": None, "value": 100},
            "scope": "GROUP",
        }
        for name, endpoints in found.items()
    ]


def _limit(name: str, usage: int, default: int, maximum: int) -> dict[str, Any]:
    return {
        "currentUsage": usage,
        "defaultLimit": default,
        "maximumLimit": maximum,
        "name": name,
        "value": default,
    }


def _tls() -> dict[str, Any]:
    return {
        "customOpensslCipherConfigTls12": [],
        "customOpensslCipherConfigTls13": [],
        "minimumEnabledTlsProtocol": "TLS1_2",
        "tlsCipherConfigMode": "DEFAULT",
    }
