"""What stands around the secrets of an account, in a real AWS stand-in: sidecars and the key."""

import pytest
from aws_fixture import Aws
from test_drift_inventory import Inventory

from atlas_access.base.settings import Phase
from atlas_access.drift.finding import Kind


@pytest.fixture
def inventory(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Inventory:
    return Inventory(aws, monkeypatch)


def test_credentials_moved_to_a_sidecar_are_found_and_missed_where_they_belong(inventory: Inventory) -> None:
    ecs = inventory.aws.client("ecs")
    asked = ecs.describe_task_definition(taskDefinition=inventory.aws.register())["taskDefinition"]
    app = asked["containerDefinitions"][0]
    logs = {"logDriver": "splunk", "secretOptions": app["secrets"][:1]}
    sidecar = {"name": "side", "image": "side", "secrets": app["secrets"], "logConfiguration": logs}
    kept = {"family", "cpu", "memory", "networkMode", "requiresCompatibilities"}
    kept |= {"executionRoleArn", "taskRoleArn"}
    changed = {key: asked[key] for key in kept}
    changed["containerDefinitions"] = [{**app, "secrets": []}, sidecar]
    arn = ecs.register_task_definition(**changed)["taskDefinition"]["taskDefinitionArn"]
    inventory.aws.update(taskDefinition=arn)
    found = inventory.check(Phase.BIND).findings
    moved = {each.subject for each in found if each.kind is Kind.BINDING_UNDECLARED}
    assert {"MONGODB_URI_PLANS_WRITE", "logConfiguration"} <= moved
    assert "MONGODB_WRITE_URI" in {each.subject for each in found if each.kind is Kind.BINDING_MISSING}


def test_a_family_beside_the_service_that_is_handed_a_credential_is_found(inventory: Inventory) -> None:
    value = inventory.aws.secret_arn("staging/mongodb/app-write-v2")
    secrets = [{"name": "DATABASE", "valueFrom": value}]
    container = {"name": "job", "image": "job", "memory": 64, "secrets": secrets}
    inventory.aws.client("ecs").register_task_definition(family="night-job", containerDefinitions=[container])
    (found,) = inventory.check().findings
    assert (Kind.BINDING_UNDECLARED, "night-job") == (found.kind, found.subject)


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_a_key_that_does_not_decrypt_is_found(inventory: Inventory, state: str) -> None:
    kms = inventory.aws.client("kms")
    key = kms.describe_key(KeyId="alias/askflorence-staging")["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key) if state == "Disabled" else kms.schedule_key_deletion(KeyId=key)
    (found,) = inventory.check().findings
    assert (Kind.KEY_UNUSABLE, state) == (found.kind, found.detail)
