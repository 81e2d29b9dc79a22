# ruff: noqa: N815 - the names are those of the API
"""What a project's answers about itself look like, for tests: as closed as those of `atlas_schemas`."""

from typing import Annotated, Literal

from atlas_schemas import Closed, Id, Label, Link, RegionName, Time, Tls
from pydantic import Field


class ProcessArgs(Tls):
    changeStreamOptionsPreAndPostImagesExpireAfterSeconds: int
    javascriptEnabled: bool
    noTableScan: bool
    oplogMinRetentionHours: float | None
    oplogSizeMB: int | None
    queryStatsLogVerbosity: int


class Project(Closed):
    clusterCount: int
    created: Time
    id: Id
    links: list[Link]
    name: Annotated[str, Field(pattern=r"^[\p{L}\p{N}\-_.(),:&@+']{1,64}$")]
    orgId: Id
    tags: list[Label]
    withDefaultAlertsSettings: bool


class Limit(Closed):
    currentUsage: int
    defaultLimit: int
    maximumLimit: int
    name: str
    value: int


class Settings(Closed):
    isCollectDatabaseSpecificsStatisticsEnabled: bool
    isDataExplorerEnabled: bool
    isDataExplorerGenAIFeaturesEnabled: bool
    isDataExplorerGenAISampleDocumentPassingEnabled: bool
    isExtendedStorageSizesEnabled: bool
    isPerformanceAdvisorEnabled: bool
    isRealtimePerformancePanelEnabled: bool
    isSchemaAdvisorEnabled: bool


class ClusterAddresses(Closed):
    clusterName: str
    futureInbound: list[str]
    futureOutbound: list[str]
    inbound: list[str]
    outbound: list[str]


class ClusterServices(Closed):
    clusters: list[ClusterAddresses]


class IpAddresses(Closed):
    groupId: Id
    services: ClusterServices


class Container(Closed):
    atlasCidrBlock: Annotated[str, Field(pattern=r"^(\d{1,3}\.){3}\d{1,3}/\d{1,2}$")]
    id: Id
    providerName: Literal["AWS"]
    provisioned: bool
    regionName: RegionName
    vpcId: Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{17}$")]


class EndpointService(Closed):
    cloudProvider: Literal["AWS"]
    endpointServiceName: Annotated[
        str, Field(pattern=r"^com\.amazonaws\.vpce\.[a-z0-9-]+\.vpce-svc-[0-9a-f]{17}$")
    ]
    id: Id
    # The API's description has Atlas's 24 digits here; the documentation of Atlas's CLI has the ids that AWS gave.
    interfaceEndpoints: list[Annotated[str, Field(pattern=r"^vpce-[0-9a-f]{17}$")]]
    regionName: RegionName
    status: Literal["INITIATING", "AVAILABLE", "WAITING_FOR_USER", "FAILED", "DELETING"]


class Team(Closed):
    links: list[Link]
    roleNames: list[str]
    teamId: Id


class Setting(Closed):
    defaultValue: int | None
    value: int


class Method(Closed):
    method: Literal["GET", "POST", "PUT", "DELETE", "PATCH"]
    path: str


class RateLimit(Closed):
    capacity: Setting
    endpointSetId: str
    endpointSetName: str
    endpoints: list[Method]
    refillDurationSeconds: Setting
    refillRate: Setting
    scope: Literal["IP", "GROUP", "ORGANIZATION", "USER"]
