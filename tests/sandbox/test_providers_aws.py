"""The aws provider's resource types and settings against moto, through the protocol that an engine speaks."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import grpc
import pytest
from moto.server import ThreadedMotoServer
from providers_client import ProviderClient

from sandbox.engine.values import UNKNOWN, Secret, bare
from sandbox.providers import serve

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
ACCOUNT = "123456789012"
REGION = "us-east-1"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}


@pytest.fixture(scope="module", name="endpoint")
def endpoint_of_moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture(scope="module", name="port")
def port_of_provider(endpoint: str) -> Iterator[int]:
    servers = serve({**KEYS, "AWS_ENDPOINT_URL": endpoint})
    yield servers.ports["aws"]
    servers.stop()


@pytest.fixture(name="aws")
def configured_aws(port: int) -> Iterator[ProviderClient]:
    client = ProviderClient(port)
    client.configure(region=REGION, allowedAccountIds=json.dumps([ACCOUNT]))
    yield client
    client.close()


def api(endpoint: str, service: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION, **keys)


def unique(name: str) -> str:
    return f"{name}-{uuid4().hex[:8]}"


def test_a_secret_gets_the_providers_defaults(aws):
    inputs = aws.check(SECRET, {"name": unique("s"), "tags": {"own": "1"}})
    chosen = ["forceOverwriteReplicaSecret", "recoveryWindowInDays"]
    assert chosen == inputs["__defaults"]
    chosen = (inputs["recoveryWindowInDays"], inputs["forceOverwriteReplicaSecret"], inputs["region"])
    assert (30, False, REGION) == chosen
    assert {"own": "1"} == inputs["tagsAll"]


def test_the_preview_of_a_secret_knows_its_name_but_not_its_arn(aws):
    name = unique("s")
    identity, planned = aws.create(SECRET, aws.check(SECRET, {"name": name}), preview=True)
    assert ("", name, UNKNOWN) == (identity, planned["name"], planned["arn"])


def test_a_created_secret_shows_no_difference_and_is_known_by_its_arn(aws):
    identity, inputs, state = aws.made(SECRET, {"name": unique("s"), "description": "d"})
    assert identity == state["arn"] == state["id"]
    assert [] == aws.changed(SECRET, identity, state, inputs)


def test_a_secret_is_imported_from_its_arn_alone(aws, endpoint):
    name = unique("legacy")
    arn = api(endpoint, "secretsmanager").create_secret(Name=name, SecretString="x")["ARN"]
    identity, state, inputs = aws.read(SECRET, arn)
    assert (arn, name, name) == (identity, state["name"], inputs["name"])


def test_a_read_finds_a_manual_change_of_a_secret_and_an_update_corrects_it(aws, endpoint):
    name = unique("s")
    identity, inputs, state = aws.made(SECRET, {"name": name, "description": "ours", "tags": {"own": "1"}})
    by_hand = api(endpoint, "secretsmanager")
    by_hand.update_secret(SecretId=name, Description="by hand")
    by_hand.tag_resource(SecretId=name, Tags=[{"Key": "own", "Value": "2"}])
    _, drifted, read_inputs = aws.read(SECRET, identity, state, inputs)
    assert ("by hand", {"own": "2"}) == (drifted["description"], read_inputs["tags"])
    assert ["description", "tags", "tagsAll"] == aws.changed(SECRET, identity, drifted, inputs)
    assert state == aws.update(SECRET, identity, drifted, inputs)


def test_a_new_name_replaces_a_secret_and_new_days_update_it(aws):
    identity, inputs, state = aws.made(SECRET, {"name": unique("s")})
    renamed = aws.check(SECRET, {"name": unique("other")})
    assert ["name"] == aws.replaced(SECRET, identity, state, renamed)
    shorter = {**inputs, "recoveryWindowInDays": 7}
    assert [] == aws.replaced(SECRET, identity, state, shorter)
    assert 7 == aws.update(SECRET, identity, state, shorter)["recoveryWindowInDays"]


def test_a_deleted_secret_waits_in_its_recovery_window_and_its_name_stays_taken(aws, endpoint):
    name = unique("s")
    identity, inputs, state = aws.made(SECRET, {"name": name, "recoveryWindowInDays": 7})
    aws.delete(SECRET, identity, state)
    assert "DeletedDate" in api(endpoint, "secretsmanager").describe_secret(SecretId=name)
    assert "" == aws.read(SECRET, identity, state, inputs)[0]
    with pytest.raises(grpc.RpcError) as refused:
        aws.create(SECRET, inputs)
    assert f"creating Secrets Manager Secret ({name})" in refused.value.details()


def test_deleting_a_secret_that_is_gone_is_no_error(aws):
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{unique('none')}-abcdef"
    aws.delete(SECRET, arn, {"name": "none"})


@pytest.mark.parametrize(
    "given",
    [*({"recoveryWindowInDays": days} for days in (1, 6, 31)), {"replicas": [{"region": "us-west-2"}]}],
)
def test_what_aws_refuses_or_is_not_served_fails_the_check(aws, given):
    assert list(given) == list(aws.failures(SECRET, {"name": "s", **given}))


@pytest.fixture
def secret(aws: ProviderClient) -> str:
    """The ARN of a secret."""
    return aws.made(SECRET, {"name": unique("s")})[0]


def test_a_secret_version_is_known_by_arn_and_version_and_its_value_is_secret(aws, secret):
    identity, inputs, state = aws.made(VERSION, {"secretId": secret, "secretString": Secret("canary-1")})
    assert f"{secret}|{state['versionId']}" == identity
    assert Secret("canary-1") == inputs["secretString"] == state["secretString"]
    assert ["AWSCURRENT"] == state["versionStages"]
    assert [] == aws.changed(VERSION, identity, state, inputs)


def test_a_value_given_in_plain_is_secret_in_the_outputs_all_the_same(aws, secret):
    _, _, state = aws.made(VERSION, {"secretId": secret, "secretString": "canary-1"})
    assert Secret("canary-1") == state["secretString"]


def test_a_new_value_is_a_new_version_and_the_old_one_stays_readable(aws, secret, endpoint):
    first, _, old = aws.made(VERSION, {"secretId": secret, "secretString": Secret("canary-1")})
    wanted = aws.check(VERSION, {"secretId": secret, "secretString": Secret("canary-2")})
    assert ["secretString"] == aws.replaced(VERSION, first, old, wanted)
    aws.create(VERSION, wanted)
    aws.delete(VERSION, first, bare(old))
    found = api(endpoint, "secretsmanager").get_secret_value(SecretId=secret, VersionId=old["versionId"])
    assert "canary-1" == found["SecretString"]


def test_a_secret_version_is_imported_from_its_id(aws, secret):
    identity, _, state = aws.made(VERSION, {"secretId": secret, "secretString": "canary-1"})
    found, imported, _ = aws.read(VERSION, identity)
    assert (identity, bare(state)) == (found, bare(imported))


def test_an_error_never_holds_the_secret_value(aws):
    with pytest.raises(grpc.RpcError) as refused:
        aws.made(VERSION, {"secretId": "canary-value-of-the-secret", "secretString": Secret("canary-value")})
    assert "canary-value" not in refused.value.details()
    assert "***-of-the-secret" in refused.value.details()


def containers(**extra: object) -> str:
    return json.dumps([{"name": "app", "image": "example/app:1", "memory": 128, **extra}])


def test_a_role_policy_lives_through_create_drift_update_and_delete(aws, endpoint):
    role, iam = unique("execution"), api(endpoint, "iam")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
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
    assert {"own": "1"} == updated["tagsAll"]


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


def test_an_endpoint_that_is_not_loopback_is_refused_before_anything_is_sent():
    servers = serve({**KEYS, "AWS_ENDPOINT_URL": "https://secretsmanager.us-east-1.amazonaws.com"})
    client = ProviderClient(servers.ports["aws"])
    with pytest.raises(grpc.RpcError) as refused:
        client.configure(region=REGION)
    client.close()
    servers.stop()
    assert "is not loopback; nothing was sent" in refused.value.details()
