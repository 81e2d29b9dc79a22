"""The descriptions of the project and its cluster have the names and types of the API."""

from typing import Any

import pytest
from atlas_fixture import STAGING, V1, V_CLUSTER, Atlas
from atlas_schemas import Cluster, ClusterStatus, Page, Project, read


@pytest.mark.parametrize(
    ("path", "version", "model"),
    [
        ("", V1, Project),
        ("/clusters/{}", V_CLUSTER, Cluster),
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


def test_the_list_of_clusters_has_the_names_and_types_of_the_api(atlas: Atlas) -> None:
    page = read(Page, atlas.staging.send("GET", "/clusters", version=V_CLUSTER).json())
    (cluster,) = read(list[Cluster], page.results)
    assert (1, STAGING) == (page.totalCount, cluster.groupId)
