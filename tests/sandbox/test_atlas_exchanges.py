"""The exchanges that the real provider makes, step by step: digest and service account, roles, users, reads, faults."""

import re
from typing import Any

import pytest
import requests
from atlas_fixture import STAGING, V1, V_CLUSTER, Api, Atlas, role_body, user_body
from atlas_schemas import Error, Page, read
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
    patch = user_body(
        "app", password=None, groupId=STAGING, roles=[{"databaseName": "db1", "roleName": "read"}]
    )
    statuses = [
        api.send("POST", "/databaseUsers", body).status_code,
        api.send("GET", "/databaseUsers/admin/app").status_code,
        api.send("PATCH", "/databaseUsers/admin/app", patch).status_code,
        api.send("DELETE", "/databaseUsers/admin/app").status_code,
        api.send("GET", "/databaseUsers/admin/app").status_code,
        api.send("DELETE", "/databaseUsers/admin/app").status_code,
    ]
    assert statuses == [201, 200, 200, 204, 404, 404]


def test_a_role_s_whole_life(api: Api) -> None:
    find = {"action": "FIND", "resources": [{"cluster": False, "collection": "", "db": "db1"}]}
    patch = {
        "actions": [{"action": "INSERT", "resources": [{"cluster": False, "collection": "c", "db": "db1"}]}],
        "inheritedRoles": [],
    }
    body = role_body("rr", actions=[find], inheritedRoles=[{"db": "db1", "role": "read"}])
    made = api.send("POST", "/customDBRoles/roles", body)
    changed = api.send("PATCH", "/customDBRoles/roles/rr", patch)
    got = api.send("GET", "/customDBRoles/roles/rr")
    removed = api.send("DELETE", "/customDBRoles/roles/rr")
    gone = api.send("GET", "/customDBRoles/roles/rr")
    assert [r.status_code for r in (made, changed, got, removed, gone)] == [202, 200, 200, 204, 404]
    assert got.json() == {"roleName": "rr", **patch}


@pytest.mark.parametrize("status", [404, 409, 429, 500, 503])
@pytest.mark.parametrize("step", [("GET", "/databaseUsers/admin/app"), ("POST", "/customDBRoles/roles")])
def test_an_injected_refusal_comes_once_and_only_after_sign_in(
    atlas: Atlas, status: int, step: tuple[str, str]
) -> None:
    method, path = step
    atlas.staging.add_user("app")
    atlas.control("/faults", {"method": method, "path": f"*{path}", "status": status})
    body = role_body("own") if method == "POST" else None
    first, second = (atlas.staging.send(method, path, body) for _ in range(2))
    assert (first.status_code, read(Error, first.json()).errorCode, second.ok) == (status, "INJECTED", True)
    assert ("Retry-After" in first.headers) == (status == 429)


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


def test_a_connection_is_kept_for_the_answer_to_the_challenge(atlas: Atlas) -> None:
    for _ in range(5):
        assert atlas.staging.send("GET", "/databaseUsers").ok
    assert len(atlas.emulator._server.connections) == 1


def test_a_wrong_key_is_refused(atlas: Atlas) -> None:
    atlas.staging.auth = HTTPDigestAuth("public-staging", "wrong")
    assert atlas.staging.send("GET", "/databaseUsers").status_code == 401


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
    looked, changed = atlas.staging.send("GET", "/databaseUsers"), atlas.staging.add_user("app")
    assert (looked.status_code, changed.status_code, changed.json()["errorCode"]) == (
        200,
        401,
        "USER_UNAUTHORIZED",
    )


def test_a_form_of_too_many_fields_is_no_proper_request_for_a_token(atlas: Atlas) -> None:
    url, fields = f"{atlas.emulator.url}/api/oauth/token", [("a", "1")] * 21
    refused = requests.post(url, data=fields, auth=(atlas.specs[0].client_id, ""), timeout=20)
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_request"})


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
def test_what_is_not_there_is_refused(
    atlas: Atlas, method: str, path: str, expected: tuple[int, str]
) -> None:
    version = V_CLUSTER if "clusters" in path else V1
    refused = atlas.staging.send(method, path, version=version)
    assert (refused.status_code, read(Error, refused.json()).errorCode) == expected


@pytest.mark.parametrize(
    ("project", "expected"),
    [("0" * 24, (404, "GROUP_NOT_FOUND")), ("short", (404, "INVALID_GROUP_ID"))],
)
def test_an_unknown_project_is_refused(atlas: Atlas, project: str, expected: tuple[int, str]) -> None:
    atlas.staging.project_id = project
    refused = atlas.staging.send("GET", "/databaseUsers")
    assert (refused.status_code, refused.json()["errorCode"]) == expected


@pytest.mark.parametrize("media", ["application/json", "*/*", "application/vnd.atlas.2020-01-01+json"])
def test_a_media_type_that_is_no_version_is_refused(atlas: Atlas, media: str) -> None:
    accept = atlas.staging.send("GET", "/databaseUsers", headers={"Accept": media})
    content = atlas.staging.send("POST", "/databaseUsers", user_body("app"), headers={"Content-Type": media})
    assert (accept.status_code, content.status_code) == (406, 415)


def test_a_later_date_is_served_by_the_version_in_force(atlas: Atlas) -> None:
    got = atlas.staging.send("GET", "/databaseUsers", version="application/vnd.atlas.2025-03-12+json")
    assert (got.status_code, got.headers["Content-Type"].split(";")[0]) == (200, V1)


def test_users_are_listed_page_by_page(atlas: Atlas) -> None:
    for number in range(5):
        atlas.staging.add_user(f"user_{number}")
    names, path = [], "/databaseUsers?itemsPerPage=2"
    while path:
        page = read(Page, atlas.staging.send("GET", path).json())
        names += [user["username"] for user in page.results]
        onward = [link.href for link in page.links if link.rel == "next"]
        path = onward[0].partition(STAGING)[2] if onward else ""
    assert names == [f"user_{number}" for number in range(5)]
