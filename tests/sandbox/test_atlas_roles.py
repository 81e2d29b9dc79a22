"""Custom roles through the API, and the privileges they are in the real server."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from atlas_fixture import Atlas, grants, role_body

from atlas_access.privileges.actions import ATLAS_ACTIONS, ActionScope, mongo_actions

OWN = [{"databaseName": "admin", "roleName": "own"}]


def test_a_role_is_answered_as_it_was_sent(atlas: Atlas) -> None:
    sent = role_body("own", inheritedRoles=[{"db": "shop", "role": "read"}])
    made = atlas.staging.send("POST", "/customDBRoles/roles", sent)
    got = atlas.staging.send("GET", "/customDBRoles/roles/own")
    listed = atlas.staging.send("GET", "/customDBRoles/roles")
    assert (made.status_code, made.json()) == (202, sent)
    assert (got.json(), listed.json()) == (sent, [sent])


def test_a_user_with_a_custom_role_has_its_privileges_and_no_others(atlas: Atlas) -> None:
    resources = [{"cluster": False, "db": "shop", "collection": c} for c in ("orders", "carts")]
    atlas.staging.add_role("own", actions=[{"action": a, "resources": resources} for a in ("FIND", "INSERT")])
    atlas.staging.add_user("app", roles=OWN)
    assert atlas.privileges("app") == {"shop.orders": {"find", "insert"}, "shop.carts": {"find", "insert"}}


def test_a_changed_role_changes_its_users_at_once(atlas: Atlas) -> None:
    atlas.staging.add_role("own")
    atlas.staging.add_user("app", roles=OWN)
    patch = {"actions": [grants("INSERT", collection="orders")], "inheritedRoles": []}
    changed = atlas.staging.send("PATCH", "/customDBRoles/roles/own", patch)
    assert (changed.status_code, changed.json()["roleName"]) == (200, "own")
    assert atlas.privileges("app") == {"shop.orders": {"insert"}}


def test_inherited_roles_are_inherited_in_the_server(atlas: Atlas) -> None:
    atlas.staging.add_role("base")
    atlas.staging.add_role("own", actions=[], inheritedRoles=[{"db": "admin", "role": "base"}])
    atlas.staging.add_user("app", roles=OWN)
    assert atlas.privileges("app") == {"shop.orders": {"find"}}


def test_every_action_is_kept_and_those_with_a_counterpart_are_enforced(atlas: Atlas) -> None:
    sent = [grants(a.name, cluster=a.scope is ActionScope.CLUSTER) for a in ATLAS_ACTIONS.values()]
    made = atlas.staging.add_role("own", actions=sent)
    atlas.staging.add_user("app", roles=OWN)
    version = atlas.staging.send(
        "GET", "/clusters/staging", version="application/vnd.atlas.2024-08-05+json"
    ).json()["mongoDBVersion"]
    found = atlas.privileges("app")
    status = atlas.emulator.status()[atlas.staging.project_id]
    expected: dict[str, set[str]] = {"cluster": set(), "shop.": set()}
    for action in ATLAS_ACTIONS.values():
        where = "cluster" if action.scope is ActionScope.CLUSTER else "shop."
        expected[where] |= set(mongo_actions(action.name, version))
    assert (made.status_code, len(made.json()["actions"]), found) == (202, 80, expected)
    assert status["notEnforced"] == {
        "own": [name for name in ATLAS_ACTIONS if not mongo_actions(name, version)]
    }
    assert status["refused"] == []


def test_a_role_in_use_is_not_removed_until_its_users_are(atlas: Atlas) -> None:
    atlas.staging.add_role("own")
    atlas.staging.add_user("app", roles=OWN)
    refused = atlas.staging.send("DELETE", "/customDBRoles/roles/own")
    assert (refused.status_code, refused.json()["errorCode"]) == (409, "ATLAS_CUSTOM_ROLE_IN_USE_BY_USERS")
    atlas.staging.send("DELETE", "/databaseUsers/admin/app")
    assert atlas.staging.send("DELETE", "/customDBRoles/roles/own").status_code == 204


def test_a_role_that_another_inherits_is_not_removed(atlas: Atlas) -> None:
    atlas.staging.add_role("base")
    atlas.staging.add_role("own", inheritedRoles=[{"db": "admin", "role": "base"}])
    refused = atlas.staging.send("DELETE", "/customDBRoles/roles/base")
    assert (refused.status_code, refused.json()["errorCode"]) == (409, "ATLAS_CUSTOM_ROLE_IN_USE_BY_ROLES")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_a_missing_role_is_not_found(atlas: Atlas, method: str) -> None:
    body = {"inheritedRoles": []} if method == "PATCH" else None
    refused = atlas.staging.send(method, "/customDBRoles/roles/none", body)
    assert (refused.status_code, refused.json()["errorCode"]) == (404, "ATLAS_CUSTOM_ROLE_NOT_FOUND")


def test_an_existing_role_is_not_made_again(atlas: Atlas) -> None:
    atlas.staging.add_role("own")
    again = atlas.staging.add_role("own")
    assert (again.status_code, again.json()["errorCode"]) == (409, "ATLAS_CUSTOM_ROLE_NAME_ALREADY_EXISTS")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"actions": [grants("FIND", cluster=True)]}, "ATLAS_INVALID_RESOURCE"),
        ({"inheritedRoles": [{"db": "admin", "role": "none"}]}, "ATLAS_INVALID_CUSTOM_ROLE_INHERITANCE"),
        ({"roleName": "a b"}, "ATLAS_CUSTOM_ROLE_INVALID_NAME"),
        ({"database": "shop"}, "INVALID_ATTRIBUTE"),
    ],
)
def test_a_wrong_role_is_refused_with_atlas_code(atlas: Atlas, changes: dict[str, object], code: str) -> None:
    atlas.staging.add_role("other")
    refused = atlas.staging.send("POST", "/customDBRoles/roles", {**role_body("own"), **changes})
    assert (refused.status_code, refused.json()["errorCode"]) == (400, code)


def test_every_role_that_the_server_has_of_its_own_is_refused_as_a_custom_role(atlas: Atlas) -> None:
    with atlas.servers[atlas.staging.project_id].client() as root:
        listed = root.admin.command("rolesInfo", 1, showBuiltinRoles=True)["roles"]
    names = [each["role"] for each in listed if each["isBuiltin"]]
    refused = {name: atlas.staging.add_role(name).json()["errorCode"] for name in names}
    restricted, invalid = "ATLAS_INVALID_CUSTOM_ROLE_RESTRICTED", "ATLAS_CUSTOM_ROLE_INVALID_NAME"
    assert refused == {name: invalid if name.startswith("__") else restricted for name in names}
    assert "root" in names


def test_two_changes_of_roles_at_once_are_not_borne(atlas: Atlas) -> None:
    atlas.emulator.project(atlas.staging.project_id)._role_change_seconds = 0.3
    with ThreadPoolExecutor() as pool:
        statuses = sorted(pool.map(lambda n: atlas.staging.add_role(f"r{n}").status_code, range(2)))
    assert statuses == [202, 409]
