"""What the project and its cluster say of themselves is what the API's description allows, name by name."""

from typing import Any

import pytest
from atlas_fixture import STAGING, V1, V_CLUSTER, Atlas, atlas, atlas_servers, specs
from atlas_project_schemas import (
    Container,
    EndpointService,
    IpAddresses,
    Limit,
    ProcessArgs,
    Project,
    RateLimit,
    Settings,
    Team,
)
from atlas_schemas import Cluster, ClusterStatus, Page, read

__all__ = ["atlas", "atlas_servers", "specs"]


@pytest.mark.parametrize(
    ("path", "version", "model"),
    [
        ("", V1, Project),
        ("/limits", V1, list[Limit]),
        ("/settings", V1, Settings),
        ("/ipAddresses", V1, IpAddresses),
        ("/managedSlowMs", V1, bool),
        ("/privateEndpoint/AWS/endpointService", V1, list[EndpointService]),
        ("/clusters/{}", V_CLUSTER, Cluster),
        ("/clusters/{}/processArgs", V_CLUSTER, ProcessArgs),
        ("/clusters/{}/status", V1, ClusterStatus),
    ],
)
def test_a_description_has_the_names_and_types_of_the_api(
    atlas: Atlas, path: str, version: str, model: Any
) -> None:
    for api, name in ((atlas.staging, "staging"), (atlas.prod, "prod")):
        answer = api.send("GET", path.format(name), version=version)
        read(model, answer.json())
        assert 200 == answer.status_code


@pytest.mark.parametrize(
    ("path", "version", "model", "count"),
    [
        ("groups/{}/containers", V1, Container, 1),
        ("groups/{}/teams", V1, Team, 0),
        ("groups/{}/clusters", V_CLUSTER, Cluster, 1),
        ("rateLimits", "application/vnd.atlas.2025-03-12+json", RateLimit, 2),
    ],
)
def test_a_list_has_the_names_and_types_of_the_api(
    atlas: Atlas, path: str, version: str, model: Any, count: int
) -> None:
    api = atlas.staging
    url = f"{api.url}/api/atlas/v2/{path.format(STAGING)}"
    page = read(Page, api.session.get(url, headers={"Accept": version}, auth=api.auth, timeout=20).json())
    assert (count, count) == (len(read(list[model], page.results)), page.totalCount)
