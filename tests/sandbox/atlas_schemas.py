# ruff: noqa: N815 - the names are those of the API
"""What answers look like, for tests: a name too many, a name missing or a value of another type fails."""

from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter


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
    diskSizeGB: int
    ebsVolumeType: str
    instanceSize: str
    nodeCount: int


class Region(Closed):
    analyticsSpecs: Hardware
    autoScaling: dict[str, dict[str, bool]]
    effectiveAnalyticsSpecs: Hardware
    effectiveElectableSpecs: Hardware
    effectiveReadOnlySpecs: Hardware
    electableSpecs: Hardware
    priority: int
    providerName: str
    readOnlySpecs: Hardware
    regionName: str


class Replication(Closed):
    id: str
    regionConfigs: list[Region]
    zoneId: str
    zoneName: str


class Endpoint(Closed):
    endpointId: str
    providerName: str
    region: str


class PrivateEndpoint(Closed):
    connectionString: str
    endpoints: list[Endpoint]
    srvConnectionString: str
    type: str


class ConnectionStrings(Closed):
    standard: str
    standardSrv: str
    privateEndpoint: list[PrivateEndpoint] | None = None


class Cluster(BaseModel):
    """The part of a cluster's description that programs read."""

    id: str
    name: str
    groupId: str
    clusterType: str
    stateName: str
    mongoDBMajorVersion: str
    mongoDBVersion: str
    connectionStrings: ConnectionStrings
    replicationSpecs: list[Replication]
    effectiveReplicationSpecs: list[Replication]
    links: list[Link]


def read(model: Any, body: Any) -> Any:
    """Return the body as the model, or fail."""
    return TypeAdapter(model).validate_python(body)
