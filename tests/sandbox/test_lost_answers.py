"""A creation whose answer was lost, and a state that was lost, on a whole sandbox: imported by name, then as ever."""

import json
import re
from pathlib import Path

import pytest
import requests
from world_fixture import UNGATED, deployed, sandbox

from atlas_access.base import Endpoints
from atlas_access.clients import MADE_LABEL, Atlas, SignIn
from atlas_access.review.deployment import Deployment, Operation
from sandbox.aws.clients import client_of
from sandbox.world import World


def lose(world: World, path: str) -> None:
    """Close the connection after the next creation on a path was carried out."""
    fault = {"method": "POST", "path": path, "drop": "after"}
    requests.post(f"{world.atlas_url}/sandbox/atlas/faults", json=fault, timeout=5).raise_for_status()


def provision(world: World, operation: Operation = Operation.UP, **settings: str) -> tuple[Deployment, str]:
    said: list[str] = []
    given = {**UNGATED, **settings}
    run = deployed(
        world, "staging", "provision", operation, settings=given, say=lambda each: said.append(each.text)
    )
    return run, "\n".join(said)


def steps(run: Deployment, name: str) -> list[str]:
    """What was done to the user or role of a name."""
    kinds = (":DatabaseUser", ":CustomDbRole")
    return [str(each.operation) for each in run.steps if each.type.endswith(kinds) and each.name == name]


def project(world: World) -> tuple[str, SignIn, Endpoints]:
    here = world.of("staging")
    sign_in = SignIn(here.atlas.public, here.atlas.private)
    return here.project_id, sign_in, Endpoints.from_environment(world.environment("staging"))


@pytest.mark.parametrize("path", ["*/databaseUsers", "*/customDBRoles/roles"])
def test_a_creation_whose_answer_was_lost_is_imported_by_its_name(tmp_path: Path, path: str) -> None:
    with sandbox(tmp_path, propagation_seconds=0.2) as world:
        lose(world, path)
        lost, _ = provision(world)
        again, _ = provision(world)
        taken = re.search(r"already has a (?:custom role|database user) (\w+)", again.failure)
        assert (True, True) == ("no answer from Atlas" in lost.failure, taken is not None), again.failure
        assert taken is not None
        given, said = provision(world, takeOverNames=json.dumps([taken[1]]))
        assert ("", ["import"]) == (given.failure, steps(given, taken[1]))
        assert f" {taken[1]}: ours already, imported where the state lacks them" in said
        after, _ = provision(world)
        changing = [step.name for step in after.steps if step.changing and "Gates" not in step.type]
        # An import leaves the password out, and the next update sets it: the same one here.
        assert ("", {taken[1]} if "Users" in path else set()) == (after.failure, set(changing) - {"staging"})


def test_a_user_that_the_state_has_lost_gets_its_new_password_by_the_next_update(tmp_path: Path) -> None:
    with sandbox(tmp_path, propagation_seconds=0.2) as world:
        with Atlas(*project(world)) as atlas:
            made = {"databaseName": "admin", "groupId": atlas.project, "username": "app_write"}
            made |= {"password": "a" * 32, "labels": [{"key": MADE_LABEL[0], "value": MADE_LABEL[1]}]}
            made |= {"roles": [{"roleName": "readWrite", "databaseName": "askflorence"}]}
            made |= {"scopes": [{"name": "askflorence-staging", "type": "CLUSTER"}]}
            atlas.send("making a user", "POST", "databaseUsers", made)
        given, _ = provision(world, takeOverNames='["app_write"]')
        assert ["import"] == steps(given, "app_write")
        assert "app_write could not log in (code 18 AuthenticationFailed)" in given.failure
        after, _ = provision(world)
        assert ("", ["update"]) == (after.failure, steps(after, "app_write"))


def test_a_pinned_version_that_lost_its_label_is_labelled_by_the_next_update(tmp_path: Path) -> None:
    with sandbox(tmp_path, propagation_seconds=0.2) as world:
        assert "" == bind(world).failure
        store, name = client_of(world, "staging", "secretsmanager"), "staging/mongodb/app-write-v2"
        pinned = store.get_secret_value(SecretId=name)
        for _ in range(2):
            store.put_secret_value(SecretId=name, SecretString=pinned["SecretString"])
        label, version = "atlas-access.staging.app_write.1.1", pinned["VersionId"]
        store.update_secret_version_stage(SecretId=name, VersionStage=label, RemoveFromVersionId=version)
        assert pinned["VersionId"] not in store.describe_secret(SecretId=name)["VersionIdsToStages"]
        given = bind(world)
        assert ("", {"Rollout"}) == (
            given.failure,
            {each.type.rpartition(":")[2] for each in given.steps if each.changing} - {"ServiceGates"},
        )
        stages = store.describe_secret(SecretId=name)["VersionIdsToStages"]
        assert [f"atlas-access.pinned.{pinned['VersionId']}"] == stages[pinned["VersionId"]]
        assert [] == [each for each in bind(world).steps if each.changing]


def bind(world: World) -> Deployment:
    return deployed(world, "staging", "bind", settings=UNGATED)


def test_somebody_elses_user_stops_the_preview(tmp_path: Path) -> None:
    with sandbox(tmp_path, propagation_seconds=0.2) as world:
        with Atlas(*project(world)) as atlas:
            made = {"databaseName": "admin", "groupId": atlas.project, "username": "app_write"}
            roles = {"password": "a" * 32, "roles": [{"roleName": "read", "databaseName": "askflorence"}]}
            atlas.send("making a user", "POST", "databaseUsers", made | roles)
        given, _ = provision(world, Operation.PREVIEW, takeOverNames='["app_write"]')
        assert (
            "the user app_write has no label made-by=atlas-access: delete it, or declare it" in given.failure
        )
