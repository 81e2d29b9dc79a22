"""The aws provider's other resource types and its settings, against moto."""

import json

import grpc
import pytest
from providers_aws_fixture import (  # noqa: F401 - fixtures
    ACCOUNT,
    KEYS,
    REGION,
    api,
    configured_aws,
    endpoint_of_moto,
    port_of_provider,
    unique,
)
from providers_client import ProviderClient

from sandbox.providers import serve
from sandbox.values import UNKNOWN

SECRET = "aws:secretsmanager/secret:Secret"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"


def containers(**extra: object) -> str:
    return json.dumps([{"name": "app", "image": "example/app:1", "memory": 128, **extra}])


def test_a_role_policy_lives_through_create_drift_update_and_delete(aws, endpoint):
    role, iam = unique("execution"), api(endpoint, "iam")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}],
    }
    by_hand = {**policy, "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
    given = {"role": role, "name": "read", "policy": json.dumps(policy)}
    identity, inputs, state = aws.made(ROLE_POLICY, given)
    assert f"{role}:read" == identity
    assert [] == aws.changed(ROLE_POLICY, identity, aws.read(ROLE_POLICY, identity, state, inputs)[1], inputs)
    iam.put_role_policy(RoleName=role, PolicyName="read", PolicyDocument=json.dumps(by_hand))
    _, drifted, _ = aws.read(ROLE_POLICY, identity, state, inputs)
    assert ["policy"] == aws.changed(ROLE_POLICY, identity, drifted, inputs)
    aws.update(ROLE_POLICY, identity, drifted, inputs)
    assert [] == aws.changed(ROLE_POLICY, identity, aws.read(ROLE_POLICY, identity)[1], inputs)
    aws.delete(ROLE_POLICY, identity, state)
    assert ("", {}, {}) == aws.read(ROLE_POLICY, identity, state, inputs)


def test_a_task_definition_is_known_by_its_family_and_shows_no_difference_after_a_read(aws):
    family = unique("app")
    given = {
        "family": family,
        "containerDefinitions": containers(
            environment=[{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]
        ),
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "ephemeralStorage": {"sizeInGib": 30},
    }
    identity, inputs, state = aws.made(TASK_DEFINITION, given)
    assert (family, 1, state["arnWithoutRevision"] + ":1") == (identity, state["revision"], state["arn"])
    _, read, _ = aws.read(TASK_DEFINITION, identity, state, inputs)
    assert state == read
    assert [] == aws.changed(TASK_DEFINITION, identity, read, inputs)


def test_other_containers_replace_a_task_definition_and_other_tags_do_not(aws):
    given = {"family": unique("app"), "containerDefinitions": containers()}
    identity, inputs, state = aws.made(TASK_DEFINITION, given)
    changed = {**inputs, "containerDefinitions": containers(essential=False)}
    assert ["containerDefinitions"] == aws.replaced(TASK_DEFINITION, identity, state, changed)
    tagged = aws.check(TASK_DEFINITION, {**given, "tags": {"own": "1"}})
    assert [] == aws.replaced(TASK_DEFINITION, identity, state, tagged)
    updated = aws.update(TASK_DEFINITION, identity, state, tagged)
    assert {"own": "1", "project": "atlas-access"} == updated["tagsAll"]


def test_unknown_containers_replace_a_task_definition_in_a_preview(aws):
    identity, inputs, state = aws.made(
        TASK_DEFINITION, {"family": unique("app"), "containerDefinitions": containers()}
    )
    unknown = {**inputs, "containerDefinitions": UNKNOWN}
    assert ["containerDefinitions"] == aws.replaced(TASK_DEFINITION, identity, state, unknown)
    _, planned = aws.create(TASK_DEFINITION, unknown, preview=True)
    assert UNKNOWN == planned["containerDefinitions"]


@pytest.mark.parametrize(("skip", "status"), [(True, "ACTIVE"), (False, "INACTIVE")])
def test_deleting_a_task_definition_deregisters_it_unless_it_is_skipped(aws, endpoint, skip, status):
    given = {"family": unique("app"), "containerDefinitions": containers(), "skipDestroy": skip}
    identity, _, state = aws.made(TASK_DEFINITION, given)
    aws.delete(TASK_DEFINITION, identity, state)
    found = api(endpoint, "ecs").describe_task_definition(taskDefinition=state["arn"])
    assert status == found["taskDefinition"]["status"]


def test_another_account_is_refused(port):
    client = ProviderClient(port)
    with pytest.raises(grpc.RpcError) as refused:
        client.configure(region=REGION, allowedAccountIds=json.dumps(["999999999999"]))
    client.close()
    assert f"AWS account ID not allowed: {ACCOUNT}" == refused.value.details()


def test_two_connections_keep_their_own_settings(port):
    east, west = ProviderClient(port), ProviderClient(port)
    east.configure(region="us-east-1")
    west.configure(region="us-west-2")
    found = [one.check(SECRET, {})["region"] for one in (east, west)]
    east.close()
    west.close()
    assert ["us-east-1", "us-west-2"] == found


def test_an_endpoint_that_is_not_loopback_is_refused_before_anything_is_sent():
    servers = serve({**KEYS, "AWS_ENDPOINT_URL": "https://secretsmanager.us-east-1.amazonaws.com"})
    client = ProviderClient(servers.ports["aws"])
    with pytest.raises(grpc.RpcError) as refused:
        client.configure(region=REGION)
    client.close()
    servers.stop()
    assert "is not loopback; nothing was sent" in refused.value.details()
