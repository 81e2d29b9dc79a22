"""The mongodbatlas provider: what it sends, and what it makes of the answers."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from http_fixture import serving
from providers_client import ProviderClient
from providers_fake_atlas import PROJECT, FakeAtlas, signed

from sandbox.engine.values import UNKNOWN, Secret, bare
from sandbox.providers import serve

USER = "mongodbatlas:index/databaseUser:DatabaseUser"
ROLE = "mongodbatlas:index/customDbRole:CustomDbRole"
CLUSTER = "mongodbatlas:index/getAdvancedCluster:getAdvancedCluster"
MEDIA = "application/vnd.atlas.2023-01-01+json"
GIVEN_USER = {
    "projectId": PROJECT,
    "username": "app_audit_writer",
    "authDatabaseName": "admin",
    "password": Secret("canary-password"),
    "roles": [{"roleName": "role_audit_writer", "databaseName": "admin"}],
    "scopes": [{"name": "cl", "type": "CLUSTER"}],
}
GIVEN_ROLE = {
    "projectId": PROJECT,
    "roleName": "role_audit_writer",
    "actions": [
        {
            "action": "FIND",
            "resources": [{"collectionName": "agent_audit_log", "databaseName": "askflorence"}],
        }
    ],
}
ROLE_PATH = "/customDBRoles/roles/role_audit_writer"
USER_PATH = "/databaseUsers/admin/app_audit_writer"


@pytest.fixture
def fake() -> Iterator[FakeAtlas]:
    fake = FakeAtlas()
    with serving(fake.answer) as fake.url:
        yield fake


@pytest.fixture
def atlas(fake: FakeAtlas) -> Iterator[ProviderClient]:
    keys = {"MONGODB_ATLAS_PUBLIC_API_KEY": "pub", "MONGODB_ATLAS_PRIVATE_API_KEY": "priv"}
    yield from connected({"MONGODB_ATLAS_BASE_URL": fake.url + "/", **keys})


def connected(environment: dict[str, str]) -> Iterator[ProviderClient]:
    servers = serve(environment)
    client = ProviderClient(servers.ports["mongodbatlas"])
    client.configure()
    yield client
    client.close()
    servers.stop()


def test_every_request_goes_first_without_credentials_and_then_with_a_digest(fake, atlas):
    atlas.made(USER, GIVEN_USER)
    assert [("POST", False), ("POST", True)] == [(one.method, signed(one)) for one in fake.sent]
    assert fake.sent[0].body == fake.sent[1].body
    assert 'uri="/api/atlas/v2/groups/' in fake.sent[1].headers["authorization"]
    assert {(MEDIA, MEDIA)} == {(one.headers["accept"], one.headers["content-type"]) for one in fake.sent}


def test_a_user_is_created_with_one_request_that_names_every_kind(fake, atlas):
    identity, _, state = atlas.made(USER, GIVEN_USER)
    expected = {
        "awsIAMType": "NONE",
        "databaseName": "admin",
        "groupId": PROJECT,
        "labels": [],
        "ldapAuthType": "NONE",
        "oidcAuthType": "NONE",
        "password": "canary-password",
        "roles": [{"databaseName": "admin", "roleName": "role_audit_writer"}],
        "scopes": [{"name": "cl", "type": "CLUSTER"}],
        "username": "app_audit_writer",
        "x509Type": "NONE",
    }
    assert [("POST", "/databaseUsers")] == fake.requests()
    assert expected == fake.sent[-1].body
    assert Secret("canary-password") == state["password"]
    assert identity.startswith("YXV0aF9kYXRhYmFzZV9uYW1l:YWRtaW4=-cHJvamVjdF9pZA==:")


def test_an_unchanged_password_is_not_sent_again(fake, atlas):
    identity, inputs, state = atlas.made(USER, GIVEN_USER)
    wider = {**inputs, "roles": [{"roleName": "read", "databaseName": "askflorence"}]}
    assert ["roles"] == atlas.changed(USER, identity, state, wider)
    atlas.update(USER, identity, bare(state), wider)
    assert ("PATCH", USER_PATH) == fake.requests()[-1]
    assert "password" not in fake.sent[-1].body


def test_a_new_password_updates_the_user_in_place(fake, atlas):
    identity, inputs, state = atlas.made(USER, GIVEN_USER)
    renewed = {**inputs, "password": Secret("canary-renewed")}
    assert ["password"] == atlas.changed(USER, identity, bare(state), renewed)
    assert [] == atlas.replaced(USER, identity, bare(state), renewed)
    atlas.update(USER, identity, bare(state), renewed)
    assert "canary-renewed" == fake.sent[-1].body["password"]


@pytest.mark.parametrize("name", ["username", "projectId", "authDatabaseName"])
def test_who_and_where_a_user_is_replaces_it(atlas, name):
    identity, inputs, state = atlas.made(USER, GIVEN_USER)
    assert [name] == atlas.replaced(USER, identity, bare(state), {**inputs, name: "other"})


def test_a_user_is_imported_without_its_password(atlas):
    made, _, _ = atlas.made(USER, GIVEN_USER)
    identity, state, inputs = atlas.read(USER, f"{PROJECT}-app_audit_writer-admin")
    assert made == identity
    assert "password" not in state
    assert [] == atlas.changed(USER, identity, state, {**bare(GIVEN_USER), "password": None})
    assert inputs["scopes"] == GIVEN_USER["scopes"]


def test_the_order_of_a_users_roles_means_nothing(fake, atlas):
    roles = [{"roleName": name, "databaseName": "askflorence"} for name in ("read", "readWrite")]
    identity, inputs, state = atlas.made(USER, {**GIVEN_USER, "roles": roles})
    assert [] == atlas.changed(USER, identity, state, {**inputs, "roles": roles[::-1]})


def test_a_user_widened_by_hand_is_drift_that_the_inputs_follow(fake, atlas):
    identity, inputs, state = atlas.made(USER, GIVEN_USER)
    wide = {"databaseName": "admin", "roleName": "atlasAdmin"}
    fake.users["admin", "app_audit_writer"]["roles"].append(wide)
    _, drifted, followed = atlas.read(USER, identity, state, inputs)
    assert ["roles"] == atlas.changed(USER, identity, drifted, inputs)
    assert 2 == len(followed["roles"])
    assert Secret("canary-password") == followed["password"]


def test_a_user_that_is_gone_reads_as_gone_and_cannot_be_deleted(atlas):
    identity, inputs, state = atlas.made(USER, GIVEN_USER)
    atlas.delete(USER, identity, state)
    assert "" == atlas.read(USER, identity, state, inputs)[0]
    with pytest.raises(grpc.RpcError) as refused:
        atlas.delete(USER, identity, state)
    assert "error when destroying the database user resource" in refused.value.details()
    assert 'HTTP 404 Some Reason (Error code: "USERNAME_NOT_FOUND")' in refused.value.details()


def test_creating_a_user_is_never_tried_again(fake, atlas):
    fake.faults["POST"] = deque([500])
    with pytest.raises(grpc.RpcError) as refused:
        atlas.made(USER, GIVEN_USER)
    assert [("POST", "/databaseUsers")] == fake.requests()
    assert "error during database user creation" in refused.value.details()
    assert "canary-password" not in refused.value.details()


def test_the_preview_of_a_user_knows_all_but_its_id(atlas):
    given = {**GIVEN_USER, "password": Secret(UNKNOWN)}
    _, planned = atlas.create(USER, atlas.check(USER, given), preview=True)
    assert Secret(UNKNOWN) == planned["password"]
    assert ("NONE", "app_audit_writer") == (planned["awsIamType"], planned["username"])


def test_a_role_is_created_and_read_back(fake, atlas):
    identity, inputs, state = atlas.made(ROLE, GIVEN_ROLE)
    resource = {"cluster": False, "collection": "agent_audit_log", "db": "askflorence"}
    actions = [{"action": "FIND", "resources": [resource]}]
    expected = {"actions": actions, "inheritedRoles": [], "roleName": "role_audit_writer"}
    assert [("POST", "/customDBRoles/roles"), ("GET", ROLE_PATH)] == fake.requests()
    assert expected == next(one.body for one in fake.sent if one.method == "POST")
    assert [] == atlas.changed(ROLE, identity, state, inputs)


def test_changing_a_role_does_not_send_its_name(fake, atlas):
    identity, inputs, state = atlas.made(ROLE, GIVEN_ROLE)
    sessions = {"action": "LIST_SESSIONS", "resources": [{"cluster": True}]}
    wider = {**inputs, "actions": [*inputs["actions"], sessions]}
    atlas.update(ROLE, identity, state, wider)
    sent = [one for one in fake.sent if one.method == "PATCH"][-1]
    assert {"actions", "inheritedRoles"} == set(sent.body)
    assert {"cluster": True} == sent.body["actions"][1]["resources"][0]


@pytest.mark.parametrize("status", [404, 500])
def test_creating_a_role_is_tried_again_on_what_passes(fake, atlas, status):
    fake.faults["POST"] = deque([status])
    atlas.made(ROLE, GIVEN_ROLE)
    assert "role_audit_writer" in fake.roles


@pytest.mark.parametrize("status", [409, 429, 503])
def test_creating_a_role_fails_at_once_on_what_does_not_pass(fake, atlas, status):
    fake.faults["POST"] = deque([status])
    with pytest.raises(grpc.RpcError) as refused:
        atlas.made(ROLE, GIVEN_ROLE)
    assert f"POST: HTTP {status} Some Reason" in refused.value.details()


def test_a_role_that_exists_but_cannot_be_read_is_kept_in_the_state(fake, atlas):
    fake.faults["GET"] = deque([503])
    with pytest.raises(grpc.RpcError) as failed:
        atlas.made(ROLE, GIVEN_ROLE)
    details = dict(failed.value.trailing_metadata())["grpc-status-details-bin"]
    assert b"ErrorResourceInitFailed" in details
    assert b"role_audit_writer" in details


def test_a_role_that_is_gone_reads_as_gone_and_may_be_deleted(fake, atlas):
    identity, inputs, state = atlas.made(ROLE, GIVEN_ROLE)
    atlas.delete(ROLE, identity, state)
    assert [("GET", ROLE_PATH), ("DELETE", ROLE_PATH), ("GET", ROLE_PATH)] == fake.requests()[-3:]
    assert "" == atlas.read(ROLE, identity, state, inputs)[0]
    atlas.delete(ROLE, identity, state)


def test_roles_of_a_project_are_changed_one_at_a_time(fake, atlas):
    names = [f"role_{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: atlas.made(ROLE, {**GIVEN_ROLE, "roleName": name}), names))
    assert set(names) == set(fake.roles)
    assert 1 == fake.most_changing


def test_a_cluster_lookup_returns_its_addresses(fake, atlas):
    found = atlas.invoke(CLUSTER, projectId=PROJECT, name="cl")
    endpoint = found["connectionStrings"]["privateEndpoints"][0]
    assert "mongodb://127.0.0.1:27017/?replicaSet=rs0" == found["connectionStrings"]["standard"]
    assert "vpce-1" == endpoint["endpoints"][0]["endpointId"]
    versions = (found["mongoDbMajorVersion"], found["mongoDbVersion"])
    assert ("6.0", "6.0.5", "IDLE") == (*versions, found["stateName"])
    first = fake.sent[0].headers
    asked = (first["accept"], first["use-effective-instance-fields"])
    assert ("application/vnd.atlas.2024-08-05+json", "false") == asked
    assert ["/clusters/cl"] == [path for _, path in fake.requests()]


def test_a_base_url_that_is_not_loopback_is_refused_before_anything_is_sent():
    servers = serve({"MONGODB_ATLAS_BASE_URL": "https://cloud.mongodb.com/"})
    client = ProviderClient(servers.ports["mongodbatlas"])
    with pytest.raises(grpc.RpcError) as refused:
        client.configure()
    client.close()
    servers.stop()
    assert "is not loopback; nothing was sent" in refused.value.details()
