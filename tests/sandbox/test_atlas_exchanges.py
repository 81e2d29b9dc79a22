"""Who may sign in and what is not there: digest, service account, challenge, refusals."""

import re
from typing import Any

import pytest
import requests
from atlas_fixture import STAGING, V1, V_CLUSTER, Api, Atlas, user_body
from requests.auth import AuthBase, HTTPDigestAuth


class Bearer(AuthBase):
    """A token in every request."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def token(atlas: Atlas, project: int = 0) -> requests.Response:
    spec = atlas.specs[project]
    return requests.post(
        f"{atlas.emulator.url}/api/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(spec.client_id, spec.client_secret),
        timeout=20,
    )


@pytest.fixture(params=["digest", "service account"])
def api(request: pytest.FixtureRequest, atlas: Atlas) -> Api:
    """Staging's client, signed in in either way."""
    if request.param == "service account":
        atlas.staging.auth = Bearer(token(atlas).json()["access_token"])
    return atlas.staging


def test_a_user_s_whole_life(api: Api) -> None:
    body = user_body(
        "app",
        labels=[{"key": "k", "value": "v"}],
        roles=[
            {"collectionName": "c1", "databaseName": "db2", "roleName": "read"},
            {"databaseName": "db1", "roleName": "readWrite"},
        ],
        scopes=[{"name": "staging", "type": "CLUSTER"}],
    )
    roles = [{"databaseName": "db1", "roleName": "read"}]
    patch = user_body("app", password=None, groupId=STAGING, roles=roles)
    statuses = [
        api.send("POST", "/databaseUsers", body).status_code,
        api.send("GET", "/databaseUsers/admin/app").status_code,
        api.send("PATCH", "/databaseUsers/admin/app", patch).status_code,
        api.send("DELETE", "/databaseUsers/admin/app").status_code,
        api.send("GET", "/databaseUsers/admin/app").status_code,
        api.send("DELETE", "/databaseUsers/admin/app").status_code,
    ]
    assert statuses == [201, 200, 200, 204, 404, 404]


def test_the_first_request_without_credentials_is_challenged_in_atlas_s_form(atlas: Atlas) -> None:
    refused = requests.post(
        f"{atlas.emulator.url}/api/atlas/v2/groups/{STAGING}/databaseUsers",
        json=user_body("app"),
        headers={"Accept": V1, "Content-Type": V1},
        timeout=20,
    )
    challenge = refused.headers["WWW-Authenticate"]
    names = [part.split("=")[0] for part in challenge.removeprefix("Digest ").split(", ")]
    assert (refused.status_code, names) == (401, ["realm", "domain", "nonce", "algorithm", "qop", "stale"])
    assert re.search(r'realm="MMS Public API"', challenge)
    assert atlas.staging.send("GET", "/databaseUsers/admin/app").status_code == 404


@pytest.mark.parametrize("way", ["digest", "service account"])
def test_another_project_s_credential_is_refused(atlas: Atlas, way: str) -> None:
    auth: Any = atlas.prod.auth if way == "digest" else Bearer(token(atlas, project=1).json()["access_token"])
    atlas.staging.auth = auth
    refused = atlas.staging.add_user("app")
    assert (refused.status_code, refused.json()["errorCode"]) == (401, "USER_CANNOT_ACCESS_GROUP")
    assert not atlas.can_log_in("app")


def test_a_reader_s_key_may_look_but_not_change(atlas: Atlas) -> None:
    spec = atlas.specs[0]
    atlas.staging.auth = HTTPDigestAuth(spec.read_only_public_key, spec.read_only_private_key)
    observed, changed = atlas.staging.send("GET", "/databaseUsers"), atlas.staging.add_user("app")
    found = (observed.status_code, changed.status_code, changed.json()["errorCode"])
    assert found == (200, 401, "USER_UNAUTHORIZED")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("PUT", "/databaseUsers", (405, "METHOD_NOT_ALLOWED")),
        ("DELETE", "/databaseUsers", (405, "METHOD_NOT_ALLOWED")),
        ("OPTIONS", "/clusters", (405, "METHOD_NOT_ALLOWED")),
        ("GET", "/nothing", (404, "RESOURCE_NOT_FOUND")),
        ("GET", "/databaseUsers/admin/", (404, "RESOURCE_NOT_FOUND")),
        ("GET", "/clusters/other", (404, "CLUSTER_NOT_FOUND")),
        ("GET", "/events?pageNum=0", (400, "INVALID_QUERY_PARAMETER")),
    ],
)
def test_what_is_missing_is_refused(atlas: Atlas, method: str, path: str, expected: tuple[int, str]) -> None:
    version = V_CLUSTER if "clusters" in path else V1
    refused = atlas.staging.send(method, path, version=version)
    assert (refused.status_code, refused.json()["errorCode"]) == expected


@pytest.mark.parametrize(("project", "code"), [("0" * 24, "GROUP_NOT_FOUND"), ("short", "INVALID_GROUP_ID")])
def test_an_unknown_project_is_refused(atlas: Atlas, project: str, code: str) -> None:
    atlas.staging.project_id = project
    refused = atlas.staging.send("GET", "/databaseUsers")
    assert (refused.status_code, refused.json()["errorCode"]) == (404, code)
