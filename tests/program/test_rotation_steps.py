"""What a stack declares at each step of a rotation, observed through Pulumi's mocks."""

import json
from functools import partial
from typing import Any

import pytest
import recorder
from recorder import Recorder, observed, run

from atlas_access.base.task_definition import secret_references
from atlas_access.retirement import unmet
from atlas_access.rotation import Pending

program = partial(recorder.program, phase="bind")
MOVING = {"generations": {"app_read": 2}, "rotating": "app_read"}
OPEN = Pending((unmet("soaked", "1 of 30 minutes", "Wait"),))
OVER = Pending(over=True)


def declared(rotation: Pending | None = None, **given: Any) -> Recorder:
    world = observed(rotation=rotation) if rotation else observed()
    return run(Recorder(), program(world=world, **given))


def bound(made: Recorder, family: str = "app") -> dict[str, str]:
    """Variable to the version that the family's revision pins."""
    text = made.of("TaskDefinition")[family]["containerDefinitions"]
    references = secret_references({"containerDefinitions": json.loads(text)})
    return {name: each.rpartition(":")[2] for name, each in references.items()}


def current(made: Recorder) -> dict[str, list[Any]]:
    """User to the generations that are made current."""
    found: dict[str, list[Any]] = {}
    for each in json.loads(made.of("CurrentVersions")["staging"]["secrets"]):
        found.setdefault(each["user"], []).append((each["version"], each["generation"]))
    return found


def test_a_move_declares_the_other_name_beside_the_old_one_and_binds_it() -> None:
    made = declared(**MOVING)
    assert {"app_read", "app_read_b"} <= set(made.of("DatabaseUser"))
    assert {"app_read", "app_read-2"} <= set(made.of("RandomPassword"))
    versions = set(made.of("SecretVersion"))
    assert {
        "app-read-v2",
        "app-read-v2-2",
        "reference-uri-v2",
        "reference-uri-v2-2",
        "app-write-v2",
        "audit-write",
    } == versions
    pinned = bound(made)
    assert ("version-of-app-read-v2-2", "version-of-reference-uri-v2-2", "version-of-app-write-v2") == tuple(
        pinned[name] for name in ("MONGODB_URI", "MONGODB_REFERENCE_URI", "MONGODB_WRITE_URI")
    )
    value = made.of("SecretVersion")["app-read-v2-2"]["secretString"]["value"]
    assert "://app_read_b:Pw" in value
    assert {"app_read": [("version-of-app-read-v2-2", 2), ("version-of-reference-uri-v2-2", 2)]} == {
        "app_read": current(made)["app_read"]
    }
    assert [("version-of-app-write-v2", 1)] == current(made)["app_write"]


def test_no_version_is_made_current_before_its_proof() -> None:
    assert [["atlas-access.created"]] * 4 == [
        each["versionStages"] for each in declared().of("SecretVersion").values()
    ]


@pytest.mark.parametrize(
    "given", [{}, {"rotationStep": "finish"}, {"rotationStep": "abort", "generations": {}}]
)
def test_nothing_that_lives_changes_its_name(given: dict[str, Any]) -> None:
    """URNs: an update of what was there before, never a replacement."""
    before, during = declared(), declared(OPEN, **{**MOVING, **given})
    kinds = ("DatabaseUser", "RandomPassword", "Secret", "SecretVersion", "PrivilegeProof", "Rollout")
    for kind in kinds:
        assert set(before.of(kind)) <= set(during.of(kind)), kind


def test_while_a_user_rotates_its_guard_stands_in_the_place_of_protect() -> None:
    made = declared(**MOVING)
    guard = json.loads(made.of("LeavingUser")["app_read"]["leaving"])
    assert ("app_read", 2, 1) == (guard["user"], guard["wanted"], guard["leaving"])
    assert {
        "staging": ["staging/mongodb/app-read-v2", "staging/mongodb/reference-uri-v2"],
        "prod": ["prod/mongodb/reference-uri-v2"],
    } == dict(guard["secrets"])
    assert {} == declared().of("LeavingUser")


@pytest.mark.parametrize(
    ("step", "rotation", "users", "going"),
    [
        ("finish", OPEN, {"app_read", "app_read_b"}, ""),
        ("finish", Pending(), {"app_read_b"}, "app_read"),
        ("finish", OVER, {"app_read_b"}, ""),
        ("abort", OPEN, {"app_read", "app_read_b"}, ""),
        ("abort", Pending(), {"app_read"}, "app_read"),
        ("move", Pending(), {"app_read", "app_read_b"}, ""),
    ],
)
def test_a_generation_goes_once_its_end_waits_for_nothing(
    step: str, rotation: Pending, users: set[str], going: str
) -> None:
    wanted = {
        "generations": {"app_read": 1 if step == "abort" else 2},
        "rotating": "app_read",
        "rotationStep": step,
    }
    made = declared(rotation, **wanted)
    assert users == {name for name in made.of("DatabaseUser") if name.startswith("app_read")}
    way_back = made.of("RecordedWayBack")["askflorence-staging-app"]
    said = json.loads(way_back["leaving"])["user"] if way_back["leaving"] else ""
    assert going == said


def test_an_end_names_the_versions_that_stay() -> None:
    ending = declared(OPEN, **MOVING, rotationStep="finish").of("RecordedWayBack")["askflorence-staging-app"]
    arns = "arn:aws:secretsmanager:us-east-1:111111111111:secret:{}"
    assert {
        arns.format("app-read-v2"): "version-of-app-read-v2-2",
        arns.format("reference-uri-v2"): "version-of-reference-uri-v2-2",
    } == ending["secrets"]
    assert {} == declared(**MOVING).of("RecordedWayBack")["askflorence-staging-app"]["secrets"]


@pytest.mark.parametrize(
    ("step", "rotation", "database"),
    [
        ("revoke", OPEN, "askflorence"),
        ("revoke", Pending(), "atlas_access_revoked"),
        ("move", Pending(), "askflorence"),
    ],
)
def test_a_leaked_login_loses_its_roles_when_every_reading_stack_has_followed(
    step: str, rotation: Pending, database: str
) -> None:
    users = declared(rotation, **MOVING, rotationStep=step).of("DatabaseUser")
    assert [{"databaseName": database, "roleName": "read"}] == users["app_read"]["roles"]
    assert [{"databaseName": "askflorence", "roleName": "read"}] == users["app_read_b"]["roles"]


def test_an_adopted_user_comes_into_our_hands_with_its_second_generation() -> None:
    made = declared(generations={"app_admin_schema": 2}, rotating="app_admin_schema")
    assert "password" in made.of("DatabaseUser")["app_admin_schema_b"]
    assert "password" not in made.of("DatabaseUser")["app_admin_schema"]
    assert "admin-schema-2" in made.of("SecretVersion")
    assert {"MONGODB_URI_ADMIN_SCHEMA": "version-of-admin-schema-2"} == bound(made, "schema")
    assert [("version-of-admin-schema-2", 2)] == current(made)["app_admin_schema"]
    assert "app_admin_schema" not in current(declared())


def test_a_password_is_replaced_in_place_by_its_login_name() -> None:
    passwords = declared(passwords={"app_read": 1}).of("RandomPassword")
    assert {"app_read": {"replaced": "1"}, "app_write": None, "app_audit_writer": None} == {
        name: each.get("keepers") for name, each in passwords.items()
    }


def test_what_another_stack_hands_over_names_its_generation_and_whether_it_ends() -> None:
    received = {
        "referenceConnection": "mongodb://app_read_b:Pw@127.0.0.2:27118/askflorence?authSource=admin",
        "referenceGeneration": 2,
        "referenceRotationEnds": True,
    }
    made = run(Recorder(received=received), program("prod"))
    each = next(
        one
        for one in json.loads(made.of("CurrentVersions")["prod"]["secrets"])
        if one["cluster"] == "staging"
    )
    assert ("app_read", 2, "version-of-reference-uri-v2") == (
        each["user"],
        each["generation"],
        each["version"],
    )
    ending = made.of("RecordedWayBack")["askflorence-prod-app"]["secrets"]
    assert ["version-of-reference-uri-v2"] == list(ending.values())
