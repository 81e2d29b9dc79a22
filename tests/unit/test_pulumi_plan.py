"""What a saved plan does to access, in the sentences of the review."""

import json

import pytest

from atlas_access.review import PlanUnread, access_of_plan
from tests.unit.manifests import manifest

USER = "mongodbatlas:index/databaseUser:DatabaseUser"
ROLE = "mongodbatlas:index/customDbRole:CustomDbRole"
TASK = "aws:ecs/taskDefinition:TaskDefinition"


def planned(kind: str, name: str, step: str, **given: object) -> dict[str, object]:
    urn = f"urn:pulumi:staging::atlas-access::atlas-access:index:ServiceAccess${kind}::{name}"
    return {urn: {"goal": {"inputDiff": {"adds": given, "deletes": None}}, "steps": [step]}}


def test_each_change_of_a_role_a_user_or_a_task_is_a_sentence_and_nothing_else_is() -> None:
    places = [{"databaseName": "askflorence", "collectionName": "agent_audit_log"}]
    containers = json.dumps([{"name": "app", "secrets": [{"name": "MONGODB_URI", "valueFrom": "arn"}]}])
    held = [{"roleName": "read", "databaseName": "askflorence"}]
    plans = {
        **planned(USER, "app_read", "create", roles=held, password={"ciphertext": "c"}),
        **planned(USER, "old", "delete"),
        **planned(ROLE, "role_audit_writer", "update", actions=[{"action": "INSERT", "resources": places}]),
        **planned(TASK, "app", "create-replacement", containerDefinitions=containers),
        **planned(USER, "app_write", "same"),
        **planned("aws:s3/bucket:Bucket", "theirs", "create", roles=[]),
    }
    assert (
        "create mongodbatlas DatabaseUser app_read",
        "    role read@askflorence: FIND on every collection of askflorence (pii, public)",
        "delete mongodbatlas DatabaseUser old",
        "update mongodbatlas CustomDbRole role_audit_writer",
        "    may INSERT on agent_audit_log (pii)",
        "create-replacement aws TaskDefinition app",
        "    app receives MONGODB_URI (app_read)",
    ) == access_of_plan(json.dumps({"resourcePlans": plans}), manifest(), "staging")


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 9999, '{"resourcePlans": [1]}', '{"resourcePlans": {"a": 1}}']
)
def test_what_is_no_plan_is_said(text: str) -> None:
    with pytest.raises(PlanUnread):
        access_of_plan(text, manifest(), "staging")


def test_a_plan_that_changes_nothing_says_nothing() -> None:
    assert () == access_of_plan("{}", manifest(), "staging")
