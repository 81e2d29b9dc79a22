"""What a rollout can follow: how ECS deploys the service, what AWS rotates, and room for tags."""

from typing import Any

import pytest
from botocore.session import get_session

from atlas_access.base.endpoints import Endpoints
from atlas_access.clients import AwsUnavailable
from atlas_access.rollout import deployment_kind
from atlas_access.rollout.deployment_kind import alarms, unsupported
from atlas_access.rollout.readable import Readability, rotated_by
from atlas_access.rollout.service_tags import ServiceTags, read_service_tags, untaggable

LONG, SHORT = "arn:aws:ecs:r:111111111111:service/c/app", "arn:aws:ecs:r:111111111111:service/app"
ENDING = "where the service is declared, then update again"


def controller(kind: object) -> dict[str, Any]:
    return {"deploymentController": {"type": kind}}


def configured(**given: Any) -> dict[str, Any]:
    return {"deploymentController": {"type": "ECS"}, "deploymentConfiguration": given}


@pytest.mark.parametrize(
    "service",
    [
        {},
        controller("ECS"),
        {"deploymentController": None, "deploymentConfiguration": None},
        configured(strategy="ROLLING", bakeTimeInMinutes=0, lifecycleHooks=[]),
        configured(strategy=None, lifecycleHooks=None, alarms={"enable": True, "alarmNames": ["5xx"]}),
    ],
)
def test_a_rolling_service_of_ecs_is_supported(service: dict[str, Any]) -> None:
    assert "" == unsupported(service)


@pytest.mark.parametrize(
    ("service", "found", "remedy"),
    [
        (controller("CODE_DEPLOY"), "deployment controller CODE_DEPLOY,", "set deployment controller ECS"),
        (controller("EXTERNAL"), "deployment controller EXTERNAL,", "set deployment controller ECS"),
        (controller("NEXT"), "deployment controller NEXT, which is unknown here,", "set deployment controller"),
        (configured(strategy="BLUE_GREEN"), "deployment strategy BLUE_GREEN,", "set strategy ROLLING"),
        (
            configured(strategy="LINEAR", bakeTimeInMinutes=5, lifecycleHooks=[{}, {}]),
            "deployment strategy LINEAR (a bake time of 5 minutes and 2 lifecycle hooks),",
            "set strategy ROLLING",
        ),
        (configured(strategy="CANARY"), "deployment strategy CANARY,", "set strategy ROLLING"),
        (configured(strategy="WAVES"), "strategy WAVES, which is unknown here,", "set strategy ROLLING"),
        (configured(strategy="ROLLING", bakeTimeInMinutes=30), "a bake time of 30 minutes", "remove it"),
        (configured(lifecycleHooks=[{"targetType": "PAUSE"}]), "1 lifecycle hook", "remove it"),
    ],
)  # fmt: skip
def test_any_other_is_refused_with_what_was_found_and_what_to_change(
    service: dict[str, Any], found: str, remedy: str
) -> None:
    sentence = unsupported(service)
    assert (True, True, True) == (found in sentence, remedy in sentence, sentence.endswith(ENDING))


def test_every_controller_and_strategy_that_the_sdk_knows_is_known_here() -> None:
    ecs = get_session().get_service_model("ecs")
    known = (deployment_kind._CONTROLLERS, deployment_kind._STRATEGIES)
    assert known == tuple(
        tuple(ecs.shape_for(name).enum) for name in ("DeploymentControllerType", "DeploymentStrategy")
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"enable": True, "alarmNames": ["5xx", "p99"], "rollback": True}, ("5xx", "p99")),
        ({"enable": False, "alarmNames": ["5xx"]}, ()),
        ({"enable": True, "alarmNames": None}, ()),
        (None, ()),
    ],
)
def test_alarms_that_end_a_deployment_are_read(given: Any, expected: tuple[str, ...]) -> None:
    assert expected == alarms(configured(alarms=given))


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ({}, ""),
        ({"RotationEnabled": None}, ""),
        ({"RotationEnabled": False, "RotationLambdaARN": "arn:aws:lambda:r:1:function:f"}, ""),
        (
            {"RotationEnabled": True, "Name": "staging/app-read"},
            "Secrets Manager rotates this secret by itself: aws secretsmanager cancel-rotate-secret "
            "--secret-id staging/app-read, then update again",
        ),
        ({"RotationEnabled": "later", "Name": "s"}, "RotationEnabled is 'later'"),
        ({"OwningService": "rds"}, "rds manages this secret and replaces its value: name another secret"),
        ({"Type": "MongoDBAtlasDatabaseUser"}, "MongoDBAtlasDatabaseUser manages this secret"),
    ],
)
def test_a_secret_whose_value_somebody_else_replaces_is_refused(
    secret: dict[str, Any], expected: str
) -> None:
    found = rotated_by(secret)
    assert (bool(expected), True) == (bool(found), found.startswith(expected))


def test_a_rotation_that_cannot_be_asked_is_unknown_and_keeps_what_aws_said() -> None:
    class Closed:
        def describe_secret(self, **_: Any) -> Any:
            raise AwsUnavailable("secretsmanager:DescribeSecret", "AccessDenied", "no policy allows it")

    readability = Readability("r", Endpoints(), lambda *_, **__: Closed())
    (reason,) = readability.rotated(["arn:aws:secretsmanager:r:111111111111:secret:s-AbCdEf"] * 2)
    why = "secretsmanager:DescribeSecret: AWS answered AccessDenied (no policy allows it)"
    assert f"s: whether AWS rotates it is unknown: {why}" == reason


@pytest.mark.parametrize(("version", "reasons"), [("b" * 32, 0), ("c" * 32, 1)])
def test_a_version_without_a_label_is_there_while_secrets_manager_keeps_it(
    version: str, reasons: int
) -> None:
    arn = "arn:aws:secretsmanager:r:111111111111:secret:s-AbCdEf"

    class Account:
        """DescribeSecret leaves out a version without a label; the list has it, on its second page."""

        def describe_secret(self, **_: Any) -> Any:
            return {"VersionIdsToStages": {"a" * 32: ["AWSCURRENT"]}}

        def list_secret_version_ids(self, **asked: Any) -> Any:
            if "NextToken" not in asked:
                return {"Versions": [{"VersionId": "a" * 32}], "NextToken": "more"}
            return {"Versions": [{"VersionId": "b" * 32}]}

        def simulate_principal_policy(self, ActionNames: Any, ResourceArns: Any, **_: Any) -> Any:  # noqa: N803
            allowed = [{"EvalResourceName": each, "EvalDecision": "allowed"} for each in ResourceArns]
            return {"EvaluationResults": allowed}

    definition = {
        "executionRoleArn": "arn:aws:iam::111111111111:role/r",
        "containerDefinitions": [
            {"name": "app", "secrets": [{"name": "OTHER", "valueFrom": f"{arn}:::{version}"}]}
        ],
    }
    readability = Readability("r", Endpoints(), lambda *_, **__: Account())
    assert reasons == len(readability.refusals("f:1", definition))


@pytest.mark.parametrize(
    ("arn", "others", "expected"),
    [
        (LONG, 38, ""),
        (LONG, 39, "the service has 39 tags beside ours, and AWS allows 50: remove 1"),
        (SHORT, 0, f"the service has the old short ARN ({SHORT}), which AWS lets nobody tag"),
    ],
)
def test_a_rollout_needs_room_for_its_tags(arn: str, others: int, expected: str) -> None:
    found = untaggable(arn, ServiceTags(others=others))
    assert (bool(expected), True) == (bool(found), found.startswith(expected))


def test_tags_of_ours_and_of_aws_take_no_room() -> None:
    tags = {"atlas-access/held": "1", "aws:cloudformation:stack-name": "x", "team": "a"}
    assert 1 == read_service_tags(tags).others


ROLE = "arn:aws:iam::111111111111:role/execution"
PARAMETER = "arn:aws:ssm:r:111111111111:parameter/colour"


class AsTheRole:
    """AWS that simulates nothing and answers the role itself; it has one parameter."""

    def simulate_principal_policy(self, **_: Any) -> Any:
        raise AwsUnavailable("iam:SimulatePrincipalPolicy", "AccessDenied")

    def get_parameters(self, *, Names: list[str], WithDecryption: bool) -> Any:  # noqa: N803
        if "secret" in Names[0]:
            raise AwsUnavailable("ssm:GetParameters", "AccessDeniedException", "key policy")
        return {"InvalidParameters": [each for each in Names if each != PARAMETER]}


@pytest.mark.parametrize(
    ("value_from", "expected"),
    [
        (PARAMETER, ()),
        ("colour", ()),
        ("/missing", ("app:7: A from parameter /missing: there is no such parameter",)),
        (
            "/secret",
            (
                "app:7: execution cannot read A (parameter /secret): AWS answered AccessDeniedException (key policy)",
            ),
        ),
    ],
)
def test_a_parameter_is_read_as_the_role_where_iam_simulates_nothing(
    value_from: str, expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atlas_access.rollout.readable.taken_on", lambda *_: None)
    container = {"name": "app", "secrets": [{"name": "A", "valueFrom": value_from}]}
    definition = {"executionRoleArn": ROLE, "containerDefinitions": [container]}
    readability = Readability("r", Endpoints(), lambda *_, **__: AsTheRole())
    assert expected == readability.refusals("task-definition/app:7", definition)
