"""Database users through the API, and what they can do in the real server."""

import time
from typing import Any

import pytest
from atlas_fixture import PASSWORD, PROD, STAGING, Atlas, user_body
from pymongo.errors import OperationFailure


def test_a_user_who_is_made_can_log_in_with_exactly_its_roles(atlas: Atlas) -> None:
    made = atlas.staging.add_user("app", roles=[{"databaseName": "shop", "roleName": "readWrite"}])
    shown = made.json()
    assert (made.status_code, shown["username"], shown["groupId"]) == (201, "app", STAGING)
    with atlas.login("app") as client:
        status = client.admin.command("connectionStatus")["authInfo"]
    assert status["authenticatedUserRoles"] == [{"role": "readWrite", "db": "shop"}]


def test_the_answers_to_create_read_and_list_are_the_same_user_without_its_password(atlas: Atlas) -> None:
    made = atlas.staging.add_user("app", labels=[{"key": "team", "value": "core"}], description="the app")
    got = atlas.staging.send("GET", "/databaseUsers/admin/app")
    (listed,) = atlas.staging.send("GET", "/databaseUsers").json()["results"]
    assert made.json() == got.json() == listed
    assert PASSWORD not in made.text + got.text


def test_a_change_without_a_password_keeps_the_old_one(atlas: Atlas) -> None:
    atlas.staging.add_user("app")
    patch = user_body("app", password=None, roles=[{"databaseName": "other", "roleName": "read"}])
    changed = atlas.staging.send("PATCH", "/databaseUsers/admin/app", patch)
    assert (changed.status_code, [r["databaseName"] for r in changed.json()["roles"]]) == (200, ["other"])
    assert "other." in atlas.privileges("app")


def test_a_new_password_replaces_the_old_one(atlas: Atlas) -> None:
    atlas.staging.add_user("app")
    atlas.staging.send("PATCH", "/databaseUsers/admin/app", {"password": "Another-horse-8"})
    assert (atlas.can_log_in("app"), atlas.can_log_in("app", "Another-horse-8")) == (False, True)


def test_what_a_patch_does_not_name_stays(atlas: Atlas) -> None:
    before = atlas.staging.add_user(
        "app", labels=[{"key": "team", "value": "core"}], description="the app"
    ).json()
    after = atlas.staging.send("PATCH", "/databaseUsers/admin/app", {}).json()
    assert before == after


def test_a_removed_user_cannot_log_in_and_is_not_found(atlas: Atlas) -> None:
    atlas.staging.add_user("app")
    removed = atlas.staging.send("DELETE", "/databaseUsers/admin/app")
    assert (removed.status_code, removed.content, atlas.can_log_in("app")) == (204, b"", False)
    for method in ("GET", "DELETE"):
        refused = atlas.staging.send(method, "/databaseUsers/admin/app")
        assert (refused.status_code, refused.json()["errorCode"]) == (404, "USERNAME_NOT_FOUND")


def test_an_existing_user_is_not_made_again(atlas: Atlas) -> None:
    atlas.staging.add_user("app")
    again = atlas.staging.add_user("app")
    assert (again.status_code, again.json()["errorCode"]) == (409, "USER_ALREADY_EXISTS")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"username": "else"}, "DATABASE_USERNAME_CANNOT_BE_CHANGED"),
        ({"databaseName": "$external"}, "DATABASE_NAME_CANNOT_BE_CHANGED"),
        ({"x509Type": "CUSTOMER"}, "AUTH_TYPE_CANNOT_BE_CHANGED"),
    ],
)
def test_what_identifies_a_user_cannot_be_changed(atlas: Atlas, changes: dict[str, str], code: str) -> None:
    atlas.staging.add_user("app")
    refused = atlas.staging.send("PATCH", "/databaseUsers/admin/app", changes)
    assert (refused.status_code, refused.json()["errorCode"]) == (409, code)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"groupId": PROD}, "GROUP_MISMATCH"),
        ({"groupId": ""}, "GROUP_MISMATCH"),
        ({"groupId": None}, "MISSING_ATTRIBUTE"),
        ({"databaseName": None}, "MISSING_ATTRIBUTE"),
        ({"color": "red"}, "INVALID_ATTRIBUTE"),
        ({"roles": "read"}, "INVALID_JSON_ATTRIBUTE"),
        ({"username": None}, "MISSING_ATTRIBUTE"),
        ({"x509Type": "MAYBE"}, "INVALID_ENUM_VALUE"),
        ({"scopes": [{"name": "-", "type": "CLUSTER"}]}, "VALIDATION_ERROR"),
        ({"description": "x" * 101}, "VALIDATION_ERROR"),
        ({"deleteAfterDate": "yesterday"}, "INVALID_JSON_ATTRIBUTE"),
    ],
)
def test_a_wrong_body_is_refused_with_atlas_s_code(atlas: Atlas, changes: dict[str, Any], code: str) -> None:
    refused = atlas.staging.send("POST", "/databaseUsers", user_body("app", **changes))
    assert (refused.status_code, refused.json()["errorCode"]) == (400, code)


def test_a_body_that_is_no_json_is_refused(atlas: Atlas) -> None:
    url = f"{atlas.emulator.url}/api/atlas/v2/groups/{STAGING}/databaseUsers"
    media = "application/vnd.atlas.2023-01-01+json"
    refused = atlas.staging.session.post(
        url, data=b"{", headers={"Accept": media, "Content-Type": media}, auth=atlas.staging.auth
    )
    assert (refused.status_code, refused.json()["errorCode"]) == (400, "MALFORMED_JSON")


def scoped(cluster: str) -> dict[str, list[dict[str, str]]]:
    return {"scopes": [{"name": cluster, "type": "CLUSTER"}]}


def test_a_user_scoped_to_another_cluster_cannot_log_in_to_this_one(atlas: Atlas) -> None:
    made = atlas.staging.add_user("app", **scoped("elsewhere"))
    assert (made.status_code, atlas.can_log_in("app")) == (201, False)


@pytest.mark.parametrize("back", [scoped("staging"), {"scopes": []}])
def test_a_user_whose_scope_comes_back_logs_in_with_the_password_it_had(
    atlas: Atlas, back: dict[str, Any]
) -> None:
    atlas.staging.add_user("app")
    atlas.staging.send("PATCH", "/databaseUsers/admin/app", scoped("elsewhere"))
    roles = [{"databaseName": "shop", "roleName": "readWrite"}]
    atlas.staging.send("PATCH", "/databaseUsers/admin/app", {**back, "roles": roles})
    assert "insert" in atlas.privileges("app")["shop."]


@pytest.mark.parametrize("changes", [{}, {"password": "Another-horse-8"}])
def test_a_user_of_another_cluster_brings_its_password_here(atlas: Atlas, changes: dict[str, str]) -> None:
    atlas.staging.add_user("app", **scoped("elsewhere"))
    atlas.staging.send("PATCH", "/databaseUsers/admin/app", changes)
    atlas.staging.send("PATCH", "/databaseUsers/admin/app", scoped("staging"))
    assert atlas.can_log_in("app", changes.get("password", PASSWORD))


def test_a_user_whose_scope_leaves_the_cluster_loses_the_connections_it_has(atlas: Atlas) -> None:
    atlas.staging.add_user("app")
    with atlas.login("app") as client:
        before = client.shop.orders.find_one()
        atlas.staging.send("PATCH", "/databaseUsers/admin/app", scoped("elsewhere"))
        with pytest.raises(OperationFailure) as refusal:
            client.shop.orders.find_one()
    assert (before, refusal.value.code) == (None, 13)


def test_a_role_on_one_collection_reaches_that_collection_only(atlas: Atlas) -> None:
    grant = {"databaseName": "shop", "collectionName": "orders", "roleName": "read"}
    atlas.staging.add_user("app", roles=[grant])
    found = atlas.privileges("app")
    assert ("find" in found["shop.orders"], "shop." in found) == (True, False)


def test_an_atlas_admin_is_made_of_what_mongodb_has(atlas: Atlas) -> None:
    atlas.staging.add_user("boss", roles=[{"databaseName": "admin", "roleName": "atlasAdmin"}])
    assert {"find", "insert", "createIndex"} <= atlas.privileges("boss")["."]


def test_a_hundred_users_and_a_hundred_roles_fit_and_no_more(atlas: Atlas) -> None:
    started = time.monotonic()
    for number in range(100):
        assert atlas.staging.add_role(f"role_{number}").status_code == 202
        grant = {"databaseName": "admin", "roleName": f"role_{number}"}
        assert atlas.staging.add_user(f"user_{number}", roles=[grant]).status_code == 201
    seconds = time.monotonic() - started
    too_many = [atlas.staging.add_role("more"), atlas.staging.add_user("more")]
    assert [(r.status_code, r.json()["errorCode"]) for r in too_many] == [
        (403, "CUSTOM_ROLES_LIMIT_EXCEEDED"),
        (403, "GROUP_USERS_LIMIT_EXCEEDED"),
    ]
    assert seconds < 20
    assert atlas.can_log_in("user_99")
