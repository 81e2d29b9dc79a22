"""The cluster as programs see it: its addresses, the delay of changes, its events and its logins."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from atlas_fixture import STAGING, V_CLUSTER, Atlas, status, until
from pymongo import MongoClient

from sandbox.atlas import AtlasEmulator, EmulatorError, ProjectSpec


def test_the_public_address_is_the_real_server_s(atlas: Atlas) -> None:
    cluster = atlas.staging.send("GET", "/clusters/staging", version=V_CLUSTER).json()
    with atlas.servers[STAGING].client() as root:
        version = root.server_info()["version"]
    atlas.staging.add_user("app")
    standard = cluster["connectionStrings"]["standard"]
    with MongoClient(standard, username="app", password="Correct-horse-7-battery") as client:
        pong = client.admin.command("ping")["ok"]
    assert (cluster["mongoDBVersion"], "replicaSet=rs-69e3" in standard, pong) == (version, True, 1.0)


def test_only_a_project_with_a_private_address_offers_one(atlas: Atlas) -> None:
    offered, none = (
        api.send("GET", f"/clusters/{name}", version=V_CLUSTER).json()["connectionStrings"]
        for api, name in ((atlas.staging, "staging"), (atlas.prod, "prod"))
    )
    (private,) = offered["privateEndpoint"]
    assert "privateEndpoint" not in none
    assert private["connectionString"].startswith("mongodb://127.0.0.1:9/?")
    assert "directConnection=true" in private["connectionString"]


def test_a_server_that_is_away_is_one_clear_line_without_its_password(specs: Sequence[ProjectSpec]) -> None:
    address, nowhere = specs[0].public_address, "127.0.0.1:1"
    spec = replace(specs[0], mongod_uri=specs[0].mongod_uri.replace(address, nowhere))
    with pytest.raises(EmulatorError, match="mongod of cluster staging does not answer") as refusal:
        AtlasEmulator([spec], 0.0).start()
    assert "root-secret" not in str(refusal.value)


def test_a_change_is_pending_until_it_has_reached_the_server(atlas: Atlas) -> None:
    atlas.emulator.project(STAGING).propagation.seconds = 0.4
    atlas.staging.add_user("app")
    before = (status(atlas), atlas.can_log_in("app"))
    assert before == ("PENDING", False)
    assert until(lambda: status(atlas) == "APPLIED")
    assert atlas.can_log_in("app")


def test_a_removed_user_can_log_in_until_the_change_has_reached_the_server(atlas: Atlas) -> None:
    atlas.staging.add_user("app")
    atlas.emulator.project(STAGING).propagation.seconds = 0.4
    atlas.staging.send("DELETE", "/databaseUsers/admin/app")
    assert atlas.can_log_in("app")
    assert until(lambda: status(atlas) == "APPLIED")
    assert not atlas.can_log_in("app")


def test_the_delay_is_set_for_one_project_alone(atlas: Atlas) -> None:
    answer = atlas.control("/propagation", {"projectId": STAGING, "seconds": 30.0}).json()
    atlas.staging.add_user("app")
    atlas.prod.add_user("app")
    assert [each["propagationSeconds"] for each in answer.values()] == [30.0, 0.0]
    assert atlas.emulator.status()[STAGING]["pending"] == 1
    assert atlas.can_log_in("app", project_id=atlas.prod.project_id)
    assert atlas.control("/settle", {}).status_code == 200
    assert atlas.can_log_in("app")


def test_events_name_the_change_and_the_key_that_made_it(atlas: Atlas) -> None:
    atlas.staging.add_role("own")
    inherited = {"inheritedRoles": [{"db": "shop", "role": "read"}]}
    atlas.staging.send("PATCH", "/customDBRoles/roles/own", inherited)
    atlas.staging.send("DELETE", "/customDBRoles/roles/own")
    atlas.staging.add_user("app")
    atlas.staging.send("PATCH", "/databaseUsers/admin/app", {"description": "new"})
    atlas.staging.send("DELETE", "/databaseUsers/admin/app")
    events = atlas.staging.send("GET", "/events?includeRaw=true").json()["results"]
    assert [event["eventTypeName"] for event in reversed(events)] == [
        *(f"MONGODB_ROLE_{done}" for done in ("ADDED", "UPDATED", "DELETED")),
        *(f"MONGODB_USER_{done}" for done in ("ADDED", "UPDATED", "DELETED")),
    ]
    assert {event["publicKey"] for event in events} == {"public-staging"}
    assert events[0]["dbUserUsername"] == "app"
    assert "own" in str(events[-1]["raw"])


def test_a_refused_change_is_no_event(atlas: Atlas) -> None:
    atlas.staging.add_user("app", password="short")
    assert atlas.staging.send("GET", "/events").json()["totalCount"] == 0


def test_events_are_chosen_by_type(atlas: Atlas) -> None:
    atlas.staging.add_role("own")
    atlas.staging.add_user("app")
    chosen = [
        atlas.staging.send("GET", f"/events?{query}").json()["totalCount"]
        for query in (
            "eventType=MONGODB_ROLE_ADDED",
            "eventType=MONGODB_ROLE_ADDED&eventType=MONGODB_USER_ADDED",
            "eventType=CLUSTER_CREATED",
        )
    ]
    assert chosen == [1, 2, 0]


@pytest.mark.parametrize(
    "query",
    [
        "events?eventType=MONGODB_USER_ADDEDD",
        "events?excludedEventType=MONGODB_USER_ADDED",
        "dbAccessHistory/clusters/staging?ipAddress=127.0.0.1",
    ],
)
def test_a_choice_of_another_form_or_not_offered_is_refused(atlas: Atlas, query: str) -> None:
    refused = atlas.staging.send("GET", f"/{query}")
    assert (refused.status_code, refused.json()["errorCode"]) == (400, "INVALID_QUERY_PARAMETER")


def logins(atlas: Atlas, query: str = "") -> list[dict[str, Any]]:
    answer = atlas.staging.send("GET", f"/dbAccessHistory/clusters/staging{query}").json()
    return list(answer["accessLogs"])


def test_logins_are_listed_with_their_result_without_those_of_the_servers(atlas: Atlas) -> None:
    atlas.staging.add_user("watched")
    atlas.can_log_in("watched")
    atlas.can_log_in("watched", "wrong-password")

    def listed() -> list[bool]:
        return [login["authResult"] for login in logins(atlas) if login["username"] == "watched"]

    assert until(lambda: len(listed()) == 2)
    assert listed() == [False, True]
    assert {login["username"] for login in logins(atlas)}.isdisjoint({"root", "__system"})


def test_logins_are_chosen_by_result_number_and_time(atlas: Atlas) -> None:
    atlas.staging.add_user("watched")
    for password in ("wrong-password", "Correct-horse-7-battery", "Correct-horse-7-battery"):
        atlas.can_log_in("watched", password)
    assert until(lambda: len(logins(atlas, "?authResult=true")) >= 2)
    assert {login["authResult"] for login in logins(atlas, "?authResult=true")} == {True}
    assert {login["authResult"] for login in logins(atlas, "?authResult=false")} == {False}
    assert len(logins(atlas, "?nLogs=1")) == 1
    assert {login["ipAddress"] for login in logins(atlas)} == {"127.0.0.1"}
    assert logins(atlas, "?start=1199145600000&end=1199145600001") == []
    refused = atlas.staging.send("GET", "/dbAccessHistory/clusters/staging?start=1199145600000")
    assert refused.status_code == 400


def test_nothing_of_a_password_is_in_events_status_or_answers(atlas: Atlas) -> None:
    atlas.staging.add_user("app", password="canary-4711-canary")
    atlas.staging.send("PATCH", "/databaseUsers/admin/app", {"password": "canary-4712-canary"})
    observed = [
        atlas.staging.send("GET", path).text for path in ("/databaseUsers", "/events?includeRaw=true")
    ]
    observed += [json.dumps(atlas.emulator.status()), repr(atlas.emulator.project(STAGING).users)]
    assert not [text for text in observed if "canary" in text]
    assert "canary" not in atlas.servers[STAGING].log_path.read_text()
