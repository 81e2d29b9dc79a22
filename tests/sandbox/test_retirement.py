"""The retirement of both stacks in a whole sandbox: refused, tombstoned, restored, tombstoned, deleted a day later.

One sandbox plays the story in order, each test inspects one part: fourteen legacy users become eight managed ones.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import MongoClient
from retirement_story import Story, play
from world_fixture import ROOT, sandbox

from atlas_access.base.endpoints import Endpoints
from atlas_access.base.settings import check_settings
from atlas_access.clients.atlas_sign_in import sign_in_from
from atlas_access.retirement import observe_logins as login_history
from atlas_access.retirement.model import TOMBSTONE_ROLE
from atlas_access.retirement.observed import SoakLogins
from components.settings import read_files

STAY = ["app_admin_schema", "app_audit_writer", "app_read", "app_write"]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with sandbox(tmp_path_factory.mktemp("world"), propagation_seconds=0.2) as world:
        played = Story(world)
        play(played)
        yield played


def test_fourteen_legacy_users_become_eight_managed_ones(story: Story) -> None:
    assert 14 == len(story.users["before"])
    assert [f"{stack}/{name}" for stack in ("prod", "staging") for name in STAY] == sorted(
        story.users["again"]
    )


def test_every_step_succeeds(story: Story) -> None:
    assert dict.fromkeys(story.runs, "") == {name: run.failure for name, run in story.runs.items()}


def test_staging_waits_for_prod_whose_reader_it_owns(story: Story) -> None:
    done = story.gates["prod not bound"]
    assert "prod: 12 idle revisions" not in done
    uses = "askflorence-prod-app:12 names prod/mongodb/reference-uri, used by service askflorence-prod-app"
    assert uses in done
    assert "Bind prod, let it soak, and retire it first" in done
    assert "prod runs askflorence-prod-app:12, which is bound to legacy secrets" in done


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        ("young", "staging is bound for 0 h"),
        ("unconfirmed", "what was typed names another stack"),
        *(("scheduled", each) for each in ("app:12 names", "rule default/nightly")),
        *(("scheduled", each) for each in ("app:11 names", "schedule default/hourly")),
    ],
)
def test_the_gate_names_a_young_binding_a_wrong_confirmation_and_scheduled_tasks_even_disabled_ones(
    story: Story, gate: str, reason: str
) -> None:
    assert reason in story.gates[gate]


def prods_legacy(story: Story, name: str) -> list[list[str]]:
    """The roles of prod's legacy users after a step."""
    return [
        story.users[name][f"prod/{user}"] for user in ("app-read", "app-write", "app_writer_hubspot_sync")
    ]


@pytest.mark.parametrize("name", ["tombstoned", "prod tombstone", "prod tombstone again"])
def test_a_tombstone_takes_the_roles(story: Story, name: str) -> None:
    assert [[TOMBSTONE_ROLE]] * 3 == prods_legacy(story, name)


@pytest.mark.parametrize("name", ["restore", "prod back in bind"])
def test_a_restore_and_a_return_to_bind_give_the_recorded_roles_back(story: Story, name: str) -> None:
    assert 0 == story.commands["restore"].returncode, story.commands["restore"].stderr
    assert prods_legacy(story, "before") == prods_legacy(story, name)


def test_a_step_that_was_killed_for_real_is_continued_by_the_next_run(story: Story) -> None:
    """Killed while it tombstoned its last user, and again while it deleted that one."""
    early, late = story.users["killed tombstoning"], story.users["killed deleting"]
    assert [TOMBSTONE_ROLE] == early["prod/app-read"] == early["prod/app-write"]
    assert "prod/app-read" not in late
    assert "prod/app_writer_hubspot_sync" not in story.users["prod delete"]


def test_the_schema_admin_is_never_touched(story: Story) -> None:
    for name in ("staging/app_admin_schema", "prod/app_admin_schema"):
        assert [["role_admin_schema"]] * len(story.users) == [users[name] for users in story.users.values()]


def test_a_deletion_is_refused_before_its_day_is_over(story: Story) -> None:
    assert "unmet   tombstone_soaked: 23 h" in story.gates["too early"]
    assert story.gates["too early"].startswith("NOT DELETED  prod: 1 reason")


def test_once_deleted_there_is_nothing_to_do_and_no_way_back(story: Story) -> None:
    assert 0 == story.runs["again"].changes
    assert 1 == story.commands["no way back"].returncode
    assert "a new user with a new password" in story.commands["no way back"].stderr
    assert story.users["again"] == story.users["left"]


def standing(story: Story, name: str) -> dict[str, tuple[str, str]]:
    answer = json.loads(story.commands[name].stdout)
    return {each["phase"]: (each["state"], each["evidence"]) for each in answer["phases"]}


def test_the_standing_reports_tombstones_and_then_that_the_retirement_is_done(story: Story) -> None:
    state, evidence = standing(story, "standing between")["G"]
    assert "blocked" == state
    assert "9 of 9 legacy users left (9 tombstoned)" in evidence
    assert "the service's record: tombstoned since" in evidence
    found = standing(story, "standing")
    assert (
        dict.fromkeys(("B", "C", "D.0", "D.1", "G", "H"), "done").items()
        <= {phase: state for phase, (state, _) in found.items()}.items()
    )
    assert found["G"][1].startswith("0 of 9 legacy users left, 0 roles, 0 readable secrets")


def test_nothing_legacy_is_listed_as_left_and_none_of_it_is_a_surprise(story: Story) -> None:
    answer = json.loads(story.commands["inventory"].stdout)
    assert (0, [], []) == (story.commands["inventory"].returncode, answer["left"], answer["surprises"])


def test_the_way_back_from_the_deletion_is_closed_and_says_what_re_creation_takes(story: Story) -> None:
    done = story.commands["undo"]
    assert (1, True) == (done.returncode, done.stdout.startswith("CLOSED"))
    assert "NOT REVERSIBLE" in done.stdout


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_drift_check_is_clean_without_the_legacy_estate(story: Story, stack: str) -> None:
    done = story.commands[f"drift {stack}"]
    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize(("stack", "count"), [("staging", 9), ("prod", 4)])
def test_legacy_secrets_can_be_restored_for_thirty_days(story: Story, stack: str, count: int) -> None:
    listed = story.aws("secretsmanager", stack).list_secrets(IncludePlannedDeletion=True)["SecretList"]
    scheduled = [each for each in listed if each.get("DeletedDate")]
    assert count == len(scheduled)
    assert f"{stack}/mongodb/admin-schema" not in {each["Name"] for each in scheduled}


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_no_active_revision_names_a_deprecated_variable(story: Story, stack: str) -> None:
    """Legacy-bound revisions are deregistered, and only they."""
    ecs = story.aws("ecs", stack)
    inactive = ecs.list_task_definitions(familyPrefix=f"askflorence-{stack}-app", status="INACTIVE")
    assert {"staging": 7, "prod": 12}[stack] == len(inactive["taskDefinitionArns"])
    service = ecs.describe_services(cluster=f"askflorence-{stack}", services=[f"askflorence-{stack}-app"])
    running = ecs.describe_task_definition(taskDefinition=service["services"][0]["taskDefinition"])
    bound = {each["name"] for each in running["taskDefinition"]["containerDefinitions"][0]["secrets"]}
    assert not [name for name in bound if name.startswith("MONGODB_URI_")]


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_no_legacy_role_is_left(story: Story, stack: str) -> None:
    with MongoClient[dict[str, Any]](story.world.of(stack).mongod.root_uri) as client:
        roles = {each["role"] for each in client.admin.command("rolesInfo", 1)["roles"]}
    assert {"role_admin_schema", "role_audit_writer"} == roles


def test_the_access_history_names_who_logged_in(story: Story) -> None:
    """The probe that looks for legacy logins sees those of a managed user."""
    here: Mapping[str, str] = story.world.environment("staging")
    settings = check_settings("staging", read_files(ROOT), sandbox=True)
    found = login_history.observe(
        settings.atlas_project_id,
        settings.atlas_cluster,
        ["app_read", "nobody"],
        0.0,
        datetime.now(UTC).timestamp(),
        sign_in_from(here),
        Endpoints.from_environment(here),
    )
    assert isinstance(found, SoakLogins)
    assert ["app_read"] == [each.user for each in found.legacy]
