"""The mongodbatlas provider against the Atlas emulator and a real mongod: what it makes can sign in."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from providers_client import ProviderClient
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from sandbox.atlas import AtlasEmulator, ProjectSpec
from sandbox.mongod import MongodProcess
from sandbox.providers import serve
from sandbox.values import Secret, bare

PROJECT = "69e31af12fd2c0aef51bbb41"
CLUSTER = "askflorence-staging"
USER = "mongodbatlas:index/databaseUser:DatabaseUser"
ROLE = "mongodbatlas:index/customDbRole:CustomDbRole"
GET_CLUSTER = "mongodbatlas:index/getAdvancedCluster:getAdvancedCluster"
DEADLINE = 15.0


@dataclass
class Atlas:
    """A configured provider, and the server that its emulator writes to."""

    provider: ProviderClient
    address: str

    def signed_in(self, username: str, password: str) -> dict[str, Any] | None:
        """What the server says of a user that signs in, or None when it is refused."""
        with MongoClient(
            f"mongodb://{self.address}", username=username, password=password, authSource="admin"
        ) as client:
            try:
                return client.admin.command("connectionStatus")["authInfo"]
            except OperationFailure:
                return None

    def awaited(self, username: str, password: str) -> dict[str, Any]:
        """The same, once the user has reached the server."""
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            if found := self.signed_in(username, password):
                return found
        pytest.fail(f"{username} could not sign in within {DEADLINE} s")


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Atlas]:
    mongod = MongodProcess.start(tmp_path_factory.mktemp("mongod"), root_password="root")
    spec = ProjectSpec(
        project_id=PROJECT,
        name="staging",
        cluster_name=CLUSTER,
        mongod_uri=mongod.root_uri,
        public_address=mongod.address,
        public_key="public",
        private_key="canary-private",
    )
    emulator = AtlasEmulator([spec], propagation_seconds=0.05)
    keys = {"MONGODB_ATLAS_PUBLIC_KEY": "public", "MONGODB_ATLAS_PRIVATE_KEY": "canary-private"}
    servers = serve({"MONGODB_ATLAS_BASE_URL": emulator.start(), **keys})
    provider = ProviderClient(servers.ports["mongodbatlas"])
    provider.configure()
    try:
        yield Atlas(provider, mongod.address)
    finally:
        provider.close()
        servers.stop()
        emulator.stop()
        mongod.kill()


def given_role(name: str, *actions: str) -> dict[str, Any]:
    on = [{"collectionName": "agent_audit_log", "databaseName": "askflorence"}]
    granted = [{"action": action, "resources": on} for action in actions]
    return {"projectId": PROJECT, "roleName": name, "actions": granted}


def given_user(name: str, role: str, password: str) -> dict[str, Any]:
    return {
        "projectId": PROJECT,
        "username": name,
        "authDatabaseName": "admin",
        "password": Secret(password),
        "roles": [{"roleName": role, "databaseName": "admin"}],
        "scopes": [{"name": CLUSTER, "type": "CLUSTER"}],
    }


def test_a_user_with_a_custom_role_can_sign_in_and_has_its_role(atlas):
    atlas.provider.made(ROLE, given_role("role_one", "FIND", "INSERT"))
    atlas.provider.made(USER, given_user("user_one", "role_one", "canary-one"))
    expected = [{"role": "role_one", "db": "admin"}]
    assert expected == atlas.awaited("user_one", "canary-one")["authenticatedUserRoles"]


def test_what_was_made_shows_no_difference_when_read_back_or_imported(atlas):
    made = [
        (ROLE, given_role("role_two", "FIND", "INSERT"), f"{PROJECT}-role_two"),
        (USER, given_user("user_two", "role_two", "canary-two"), f"{PROJECT}-user_two-admin"),
    ]
    for token, given, import_id in made:
        identity, inputs, state = atlas.provider.made(token, given)
        _, read, _ = atlas.provider.read(token, identity, state, inputs)
        assert atlas.provider.changed(token, identity, bare(read), inputs) == []
        assert identity == atlas.provider.read(token, import_id)[0]


def test_a_new_password_replaces_the_old_one_on_the_server(atlas):
    atlas.provider.made(ROLE, given_role("role_three", "FIND"))
    identity, inputs, state = atlas.provider.made(USER, given_user("user_three", "role_three", "canary-old"))
    atlas.awaited("user_three", "canary-old")
    atlas.provider.update(USER, identity, bare(state), {**inputs, "password": Secret("canary-new")})
    atlas.awaited("user_three", "canary-new")
    assert atlas.signed_in("user_three", "canary-old") is None


def test_users_go_before_their_roles(atlas):
    role, _, role_state = atlas.provider.made(ROLE, given_role("role_four", "FIND"))
    user, _, user_state = atlas.provider.made(USER, given_user("user_four", "role_four", "canary-four"))
    with pytest.raises(Exception, match="ATLAS_CUSTOM_ROLE_IN_USE"):
        atlas.provider.delete(ROLE, role, role_state)
    atlas.provider.delete(USER, user, user_state)
    atlas.provider.delete(ROLE, role, role_state)
    gone = [atlas.provider.read(token, one)[0] for token, one in ((USER, user), (ROLE, role))]
    assert gone == ["", ""]


def test_the_cluster_names_the_server(atlas):
    found = atlas.provider.invoke(GET_CLUSTER, projectId=PROJECT, name=CLUSTER)
    assert atlas.address in found["connectionStrings"]["standard"]
    assert found["mongoDbMajorVersion"] == "6.0"
