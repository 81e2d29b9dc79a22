"""Whatever is sent, the front answers in the service's own form: no 500, no HTML, and the agent keeps stepping."""

import json
import urllib.parse
from typing import Any

import pytest
import requests
from aws_fixture import Aws
from botocore.parsers import create_parser
from hypothesis import HealthCheck, given, settings, strategies as st

RELAXED = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TARGETS = {"ecs": "AmazonEC2ContainerServiceV20141113", "secretsmanager": "secretsmanager"}
CLUSTER, APP, SECRET = "askflorence-staging", "askflorence-staging-app", "staging/mongodb/app-read"
OF_APP = {"cluster": CLUSTER, "service": APP}
ECS: dict[str, dict[str, Any]] = {
    "CreateService": {"cluster": CLUSTER, "serviceName": "other", "taskDefinition": APP},
    "UpdateService": {**OF_APP, "forceNewDeployment": True},
    "RunTask": {"cluster": CLUSTER, "taskDefinition": APP},
    "StopTask": {"cluster": CLUSTER, "task": "none"},
    "ListTasks": {"cluster": CLUSTER},
    "DescribeTaskDefinition": {"taskDefinition": APP},
    "ListServiceDeployments": OF_APP,
    "DescribeServiceDeployments": {"serviceDeploymentArns": ["none"]},
    "DescribeServiceRevisions": {"serviceRevisionArns": ["none"]},
}
STORE: dict[str, dict[str, Any]] = {
    "GetSecretValue": {"SecretId": SECRET},
    "BatchGetSecretValue": {"SecretIdList": [SECRET]},
    "ReplicateSecretToRegions": {"SecretId": SECRET, "AddReplicaRegions": [{"Region": "us-west-2"}]},
    "CreateSecret": {"Name": "other", "SecretString": "x"},
    "DeleteSecret": {"SecretId": "other"},
    "PutSecretValue": {"SecretId": SECRET, "SecretString": "x"},
    "UpdateSecret": {"SecretId": SECRET, "SecretString": "x"},
    "UpdateSecretVersionStage": {"SecretId": SECRET, "VersionStage": "proven"},
    "ListSecretVersionIds": {"SecretId": SECRET},
}
NAMES = st.sampled_from(
    [
        *("askflorence-staging", "askflorence-staging-app", "askflorence-staging-app:7", "default", "other"),
        *(
            "askflorence-staging-app:²",
            "askflorence-staging-app:",
            ":7",
            "a/b/c",
            "",
            " ",
            "é",
            "\ud800",
            "\0",
        ),
        *("staging/mongodb/app-read", "staging/mongodb/plans-write", "arn:aws:secretsmanager:", "9" * 5000),
        *("AWSCURRENT", "AWSPREVIOUS", "proven", "0" * 32, "subnet-1", "x" * 70000),
    ]
)
NUMBERS = st.sampled_from([-(2**63), -(2**31), -3, -1, 0, 1, 2, 7, 30, 31, 2**31 - 1, 2**31, 2**63])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | NAMES | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


def shaped(shape: Any) -> st.SearchStrategy[Any]:
    """Values of a shape's type."""
    kind = shape.type_name
    if kind == "structure":
        members = {name: shaped(member) for name, member in shape.members.items()}
        needed = {name: members.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(needed, optional=members)
    if kind == "list":
        return st.lists(shaped(shape.member), max_size=3)
    if kind == "string":
        return st.sampled_from(shape.enum) if shape.enum else NAMES | st.text(max_size=70)
    return {"boolean": st.booleans(), "integer": NUMBERS, "long": NUMBERS}.get(kind, VALUES)


def post(aws: Aws, service: str, action: str, body: bytes, target: str = "") -> Any:
    """Send a body, and return what an SDK reads of the answer."""
    scope = f"{aws.sessions['staging'].access_key_id}/20260101/us-east-1/{service}/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    headers["Content-Type"] = "application/x-amz-json-1.1" if target else "application/x-www-form-urlencoded"
    headers |= {"X-Amz-Target": f"{target}.{action}"} if target else {}
    response = requests.post(aws.url, data=body, headers=headers, timeout=20)
    model = aws.client(service).meta.service_model
    answer = {"status_code": response.status_code, "headers": response.headers, "body": response.content}
    assert response.status_code < 500
    return create_parser(model.protocol).parse(answer, model.operation_model(action).output_shape)


def send(aws: Aws, service: str, action: str, sound: dict[str, Any], draw: Any) -> None:
    """Send a sound request of which up to two parameters are changed: mostly to others of their type."""
    members = aws.client(service).meta.service_model.operation_model(action).input_shape.members
    changed = {}
    for name in draw(st.lists(st.sampled_from(sorted(members)), max_size=2)):
        changed[name] = draw(shaped(members[name]) | shaped(members[name]) | VALUES)
    post(aws, service, action, json.dumps({**sound, **changed}).encode(), TARGETS[service])


@pytest.mark.parametrize("action", ECS)
@RELAXED
@given(data=st.data())
def test_any_request_to_ecs(aws: Aws, action: str, data: st.DataObject) -> None:
    sound = dict(ECS[action])
    if action in ("CreateService", "RunTask"):
        sound["networkConfiguration"] = aws.service()["networkConfiguration"]
    if action == "CreateService":
        sound["serviceName"] = f"other-{data.draw(st.integers(0, 99))}"
    send(aws, "ecs", action, sound, data.draw)
    aws.steps(1)


@pytest.mark.parametrize("action", STORE)
@RELAXED
@given(data=st.data())
def test_any_request_to_secrets_manager(aws: Aws, action: str, data: st.DataObject) -> None:
    send(aws, "secretsmanager", action, STORE[action], data.draw)


FIELDS = st.sampled_from(
    [
        *("PolicySourceArn", "ActionNames", "ActionNames.member.1", "ActionNames.member.2", "MaxItems"),
        *("ResourceArns.member.1", "ContextEntries.member.1.ContextKeyName", "ContextEntries.member.1.x"),
        *("ContextEntries.member.1.ContextKeyValues.member.1", "ContextEntries.member.1.ContextKeyType"),
        *("RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId", "Policy", "Tags.member.1.Key"),
    ]
)
ARNS = st.sampled_from(["arn:aws:iam::123456789012:role/none", "s3:*", "*", "900", "x"])


@pytest.mark.parametrize(("service", "action"), [("iam", "SimulatePrincipalPolicy"), ("sts", "AssumeRole")])
@RELAXED
@given(fields=st.dictionaries(FIELDS, ARNS | NAMES | st.text(max_size=30), max_size=8))
def test_any_request_to_iam_and_sts(aws: Aws, service: str, action: str, fields: dict[str, str]) -> None:
    known = {"PolicySourceArn": aws.role(), "ActionNames.member.1": "s3:*", "RoleSessionName": "name"}
    known["RoleArn"] = f"arn:aws:iam::{aws.account()}:role/atlas-access-deployer"
    asked = {"Action": action, **known, **fields}
    post(aws, service, action, urllib.parse.urlencode(asked, errors="replace").encode())


@RELAXED
@given(body=st.binary(max_size=60) | st.sampled_from([b"[" * 100_000, b"null", b"[]", b'"x"', b"\xff", b""]))
def test_any_body(aws: Aws, body: bytes) -> None:
    for service, action in (
        ("ecs", "ListTasks"),
        ("secretsmanager", "GetSecretValue"),
        ("sts", "AssumeRole"),
    ):
        post(aws, service, action, body, TARGETS.get(service, ""))
