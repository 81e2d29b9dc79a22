"""What the services' models ask of a request, and how a breach is worded."""

from typing import Any

import pytest

from sandbox.aws.grants import AwsRefusal, Caller
from sandbox.aws.shapes import checked
from sandbox.aws.wire import Call

CALLER = Caller(
    "123456789012", "arn:aws:iam::123456789012:role/r", "arn:aws:sts::123456789012:assumed-role/r/s"
)
SECRET = {"SecretId": "s"}


def call(service: str, action: str, **parameters: Any) -> Call:
    return Call(service, "us-east-1", action, parameters, CALLER)


def refusal(service: str, action: str, **parameters: Any) -> AwsRefusal:
    with pytest.raises(AwsRefusal) as caught:
        checked(call(service, action, **parameters))
    return caught.value


@pytest.mark.parametrize(
    ("parameters", "code", "ending"),
    [
        (
            {},
            "ValidationException",
            "Value null at 'secretId' failed to satisfy constraint: Member must not be null",
        ),
        ({"SecretId": 7}, "SerializationException", "at 'secretId' is not of type string."),
        ({"SecretId": "\ud800"}, "SerializationException", "at 'secretId' cannot be decoded."),
        ({"SecretId": ""}, "ValidationException", "Member must have length greater than or equal to 1"),
        (
            {"SecretId": "x" * 2049},
            "ValidationException",
            "Member must have length less than or equal to 2048",
        ),
        ({**SECRET, "SecretBinary": "!"}, "SerializationException", "at 'secretBinary' cannot be decoded."),
        (
            {**SECRET, "VersionStages": "x"},
            "SerializationException",
            "at 'versionStages' is not of type list.",
        ),
        (
            {**SECRET, "VersionStages": ["a", 7]},
            "SerializationException",
            "at 'versionStages.2.member' is not of type string.",
        ),
    ],
)
def test_secrets_manager_refuses_by_its_model(parameters: dict[str, Any], code: str, ending: str) -> None:
    refused = refusal("secretsmanager", "PutSecretValue", **parameters)
    assert (code, True) == (refused.code, refused.message.endswith(ending))


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "InvalidParameterException"),
        ({"taskDefinition": "t", "launchType": "NONE"}, "InvalidParameterException"),
        ({"taskDefinition": "t", "count": True}, "SerializationException"),
        ({"taskDefinition": "t", "count": 1.5}, "SerializationException"),
        ({"taskDefinition": "t", "count": 2**31}, "SerializationException"),
        ({"taskDefinition": "t", "enableExecuteCommand": 1}, "SerializationException"),
        ({"taskDefinition": "t", "networkConfiguration": []}, "SerializationException"),
        (
            {"taskDefinition": "t", "networkConfiguration": {"awsvpcConfiguration": {}}},
            "InvalidParameterException",
        ),
    ],
)
def test_ecs_refuses_what_its_model_does_not_allow(parameters: dict[str, Any], code: str) -> None:
    assert code == refusal("ecs", "RunTask", **parameters).code


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"RoleArn": "arn:aws:iam::123456789012:role/r"},
        {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "name", "DurationSeconds": "x"},
        {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "name", "DurationSeconds": "899"},
        {"RoleArn": "arn:aws:iam::123456789012:role/r\0", "RoleSessionName": "name"},
    ],
)
def test_sts_refuses_what_its_model_does_not_allow(parameters: dict[str, str]) -> None:
    assert "ValidationError" == refusal("sts", "AssumeRole", **parameters).code


def test_the_query_protocols_numbered_names_become_lists() -> None:
    flat = {"PolicySourceArn": "arn:aws:iam::123456789012:role/r", "MaxItems": "5"}
    flat |= {"ActionNames.member.1": "s3:Get", "ActionNames.member.2": "s3:Put"}
    asked = checked(call("iam", "SimulatePrincipalPolicy", **flat)).parameters
    assert (["s3:Get", "s3:Put"], 5) == (asked["ActionNames"], asked["MaxItems"])


def test_a_value_is_never_repeated() -> None:
    for value in ("canary" * 20000, ["canary"], {"canary": "canary"}):
        refused = refusal("secretsmanager", "PutSecretValue", **SECRET, SecretString=value)
        assert "canary" not in refused.message


def test_what_a_model_does_not_know_is_left_alone() -> None:
    sound = call("secretsmanager", "GetSecretValue", **SECRET, Other=7)
    assert sound == checked(sound)


def test_an_operation_that_takes_nothing_takes_whatever_names_it() -> None:
    asked = call("iam", "GetAccountSummary", Action="GetAccountSummary", Version="2010-05-08")
    assert asked == checked(asked)
