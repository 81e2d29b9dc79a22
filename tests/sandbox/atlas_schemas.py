# ruff: noqa: N815 - the names are those of the API
"""What answers look like, for tests: a name too many, a name missing or a value of another type fails."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Id = Annotated[str, Field(pattern=r"^[a-f0-9]{24}$")]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
RegionName = Annotated[str, Field(pattern=r"^[A-Z]+(_[A-Z]+)+_\d$")]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Link(Closed):
    rel: str
    href: str


class Role(Closed):
    roleName: str
    databaseName: str
    collectionName: str | None = None


class Scope(Closed):
    name: str
    type: str


class Label(Closed):
    key: str
    value: str


class User(Closed):
    username: str
    databaseName: str
    groupId: str
    roles: list[Role]
    scopes: list[Scope]
    labels: list[Label]
    awsIAMType: str
    ldapAuthType: str
    oidcAuthType: str
    x509Type: str
    description: str | None = None
    deleteAfterDate: str | None = None
    links: list[Link]


class Resource(Closed):
    cluster: bool
    db: str
    collection: str


class Action(Closed):
    action: str
    resources: list[Resource]


class Inherited(Closed):
    db: str
    role: str


class CustomRole(Closed):
    roleName: str
    actions: list[Action]
    inheritedRoles: list[Inherited]


class Error(Closed):
    error: int
    errorCode: str
    detail: str
    reason: str
    parameters: list[str]


class Page(Closed):
    links: list[Link]
    results: list[dict[str, Any]]
    totalCount: int | None = None


class Event(Closed):
    id: str
    eventTypeName: str
    created: str
    groupId: str
    orgId: str
    isGlobalAdmin: bool
    links: list[Link]
    dbUserUsername: str | None = None
    apiKeyId: str | None = None
    publicKey: str | None = None
    username: str | None = None
    remoteAddress: str | None = None
    raw: dict[str, str] | None = None


class Login(Closed):
    authResult: bool
    authSource: str
    failureReason: str | None = None
    groupId: str
    hostname: str
    ipAddress: str
    logLine: str
    timestamp: str
    username: str


class Hardware(Closed):
    diskIOPS: int
    diskSizeGB: float
    ebsVolumeType: Literal["STANDARD", "PROVISIONED", "HIGH_PERFORMANCE"]
    instanceSize: Literal["M10"]
    nodeCount: int


class ComputeScaling(Closed):
    enabled: bool
    scaleDownEnabled: bool


class DiskScaling(Closed):
    enabled: bool


class AutoScaling(Closed):
    compute: ComputeScaling
    diskGB: DiskScaling


class Region(Closed):
    analyticsSpecs: Hardware
    autoScaling: AutoScaling
    effectiveAnalyticsSpecs: Hardware
    effectiveElectableSpecs: Hardware
    effectiveReadOnlySpecs: Hardware
    electableSpecs: Hardware
    priority: int
    providerName: Literal["AWS"]
    readOnlySpecs: Hardware
    regionName: RegionName


class Replication(Closed):
    id: Id
    regionConfigs: list[Region]
    zoneId: Id
    zoneName: str


class Endpoint(Closed):
    endpointId: str
    providerName: Literal["AWS"]
    region: RegionName


class PrivateEndpoint(Closed):
    connectionString: str
    endpoints: list[Endpoint]
    srvConnectionString: str
    type: Literal["MONGOD", "MONGOS"]


class ConnectionStrings(Closed):
    standard: str
    standardSrv: str
    privateEndpoint: list[PrivateEndpoint] | None = None


class Tls(Closed):
    customOpensslCipherConfigTls12: list[str]
    customOpensslCipherConfigTls13: list[str]
    minimumEnabledTlsProtocol: Literal["TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"]
    tlsCipherConfigMode: Literal["CUSTOM", "DEFAULT"]


class BiConnector(Closed):
    enabled: bool
    readPreference: Literal["PRIMARY", "SECONDARY", "ANALYTICS"]


class Cluster(Closed):
    advancedConfiguration: Tls
    backupEnabled: bool
    biConnector: BiConnector
    clusterType: Literal["REPLICASET", "SHARDED", "GEOSHARDED"]
    configServerManagementMode: Literal["ATLAS_MANAGED", "FIXED_TO_DEDICATED"]
    connectionStrings: ConnectionStrings
    createDate: Time
    diskWarmingMode: Literal["FULLY_WARMED", "VISIBLE_EARLIER", "ENHANCED_FULLY_WARMED"]
    effectiveReplicationSpecs: list[Replication]
    encryptionAtRestProvider: Literal["NONE", "AWS", "AZURE", "GCP"]
    featureCompatibilityVersion: str
    globalClusterSelfManagedSharding: bool
    groupId: Id
    id: Id
    internalClusterRole: Literal["NONE", "SYSTEM_CLUSTER", "INTERNAL_SHADOW_CLUSTER"]
    labels: list[Label]
    links: list[Link]
    mongoDBMajorVersion: str
    mongoDBVersion: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]*$")]
    paused: bool
    pitEnabled: bool
    redactClientLogData: bool
    replicaSetScalingStrategy: Literal["SEQUENTIAL", "WORKLOAD_TYPE", "NODE_TYPE"]
    replicationSpecs: list[Replication]
    rootCertType: Literal["ISRGROOTX1"]
    stateName: Literal["IDLE", "CREATING", "UPDATING", "DELETING", "REPAIRING"]
    tags: list[Label]
    terminationProtectionEnabled: bool
    useAwsTimeBasedSnapshotCopyForFastInitialSync: bool
    versionReleaseSystem: Literal["LTS", "CONTINUOUS"]


class ClusterStatus(Closed):
    changeStatus: Literal["PENDING", "APPLIED"]
    links: list[Link]


class Project(Closed):
    clusterCount: int
    created: Time
    id: Id
    links: list[Link]
    name: Annotated[str, Field(pattern=r"^[\p{L}\p{N}\-_.(),:&@+']{1,64}$")]
    orgId: Id
    tags: list[Label]
    withDefaultAlertsSettings: bool


def read(model: Any, body: Any) -> Any:
    """Return the body as the model, or fail."""
    return TypeAdapter(model).validate_python(body)
