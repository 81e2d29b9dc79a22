"""What ECS refuses, what it does not find, and how it pages."""

from typing import Any

import pytest
from aws_fixture import Aws
from botocore.exceptions import ClientError

CLUSTER, APP = "askflorence-staging", "askflorence-staging-app"


def refused(aws: Aws, action: str, **asked: Any) -> str:
    with pytest.raises(ClientError) as caught:
        getattr(aws.client("ecs"), action)(**asked)
    return caught.value.response["Error"]["Code"]


def network(**changes: Any) -> dict[str, Any]:
    return {"networkConfiguration": {"awsvpcConfiguration": changes}}


@pytest.mark.parametrize("revision", ["²", "99", "-7", "+7", " 7", "9" * 5000, "7:7"])
@pytest.mark.parametrize("action", ["run_task", "describe_task_definition"])
def test_a_revision_that_is_not_there_is_not_described(aws: Aws, action: str, revision: str) -> None:
    where = {"cluster": CLUSTER} if action == "run_task" else {}
    assert "ClientException" == refused(aws, action, taskDefinition=f"{APP}:{revision}", **where)


def test_an_inactive_revision_is_described(aws: Aws) -> None:
    ecs = aws.client("ecs")
    ecs.deregister_task_definition(taskDefinition=f"{APP}:3")
    found = ecs.describe_task_definition(taskDefinition=f"{APP}:3", include=["TAGS"])
    assert ("INACTIVE", 3) == (found["taskDefinition"]["status"], found["taskDefinition"]["revision"])
    assert [{"key": "managed-by", "value": "terraform"}] == found["tags"]


@pytest.mark.parametrize("count", [-3, -1, 5001])
def test_a_service_has_no_such_number_of_tasks(aws: Aws, count: int) -> None:
    asked = {"cluster": CLUSTER, "service": APP, "desiredCount": count}
    assert "InvalidParameterException" == refused(aws, "update_service", **asked)
    assert 2 == aws.service()["desiredCount"]


@pytest.mark.parametrize(
    "asked",
    [
        {"maximumPercent": 0},
        {"maximumPercent": 99},
        {"maximumPercent": 100},
        {"minimumHealthyPercent": -5},
        {"minimumHealthyPercent": 101},
    ],
)
def test_no_service_deploys_within_such_bounds(aws: Aws, asked: dict[str, int]) -> None:
    before = aws.service()["deploymentConfiguration"]
    settings = {"cluster": CLUSTER, "deploymentConfiguration": asked}
    where = {"taskDefinition": APP, "networkConfiguration": aws.service()["networkConfiguration"]}
    codes = {
        refused(aws, "update_service", service=APP, **settings),
        refused(aws, "create_service", serviceName="other", desiredCount=1, **settings, **where),
    }
    assert ({"InvalidParameterException"}, before) == (codes, aws.service()["deploymentConfiguration"])


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"launchType": "EC2"}, "FARGATE only"),
        ({"launchType": "EXTERNAL"}, "FARGATE only"),
        ({"schedulingStrategy": "DAEMON"}, "REPLICA only"),
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, "ECS only"),
    ],
)
def test_a_kind_of_service_that_is_not_offered_is_refused_by_name(
    aws: Aws, asked: dict[str, Any], named: str
) -> None:
    where = {"taskDefinition": APP, "networkConfiguration": aws.service()["networkConfiguration"]}
    with pytest.raises(ClientError, match=named):
        aws.client("ecs").create_service(cluster=CLUSTER, serviceName="other", **where, **asked)


@pytest.mark.parametrize("where", [{}, network(subnets=[]), network(subnets=["subnet-none"])])
def test_tasks_in_a_vpc_need_a_subnet_that_is_there(aws: Aws, where: dict[str, Any]) -> None:
    asked = {"cluster": CLUSTER, "taskDefinition": APP, **where}
    codes = {
        refused(aws, "run_task", **asked),
        refused(aws, "create_service", serviceName="other", desiredCount=1, **asked),
    }
    assert {"InvalidParameterException"} == codes


@pytest.mark.parametrize("action", ["list_tasks", "list_service_deployments", "update_service"])
def test_a_service_that_is_not_there_is_not_found(aws: Aws, action: str) -> None:
    named = {"serviceName" if action == "list_tasks" else "service": "none"}
    assert "ServiceNotFoundException" == refused(aws, action, cluster=CLUSTER, **named)


@pytest.mark.parametrize("cluster", ["none", "", "é", "a/b/c"])
def test_a_cluster_that_is_not_there_is_not_found(aws: Aws, cluster: str) -> None:
    assert "ClusterNotFoundException" == refused(aws, "list_tasks", cluster=cluster)


def test_a_task_that_is_not_there_cannot_be_stopped(aws: Aws) -> None:
    assert "InvalidParameterException" == refused(aws, "stop_task", cluster=CLUSTER, task="none")


def test_deployments_are_listed_page_by_page_newest_first(aws: Aws) -> None:
    for _ in range(4):
        aws.update(forceNewDeployment=True)
    ecs, where = aws.client("ecs"), {"cluster": CLUSTER, "service": APP}
    whole = ecs.list_service_deployments(**where)["serviceDeployments"]
    pages: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        answer = ecs.list_service_deployments(**where, maxResults=2, **token)
        pages.append([each["serviceDeploymentArn"] for each in answer["serviceDeployments"]])
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert [2, 2, 1] == [len(page) for page in pages]
    assert [each["serviceDeploymentArn"] for each in whole] == [arn for page in pages for arn in page]


def test_tasks_are_listed_page_by_page(aws: Aws) -> None:
    ecs = aws.client("ecs")
    whole = ecs.list_tasks(cluster=CLUSTER, serviceName=APP)["taskArns"]
    pages = [
        page["taskArns"]
        for page in ecs.get_paginator("list_tasks").paginate(
            cluster=CLUSTER, PaginationConfig={"PageSize": 1}
        )
    ]
    assert [[arn] for arn in whole] == pages


def test_up_to_twenty_are_described_and_those_not_there_are_named(aws: Aws) -> None:
    assert "InvalidParameterException" == refused(
        aws, "describe_service_revisions", serviceRevisionArns=["none"] * 21
    )
    found = aws.client("ecs").describe_service_revisions(serviceRevisionArns=["none"] * 20)
    assert [{"arn": "none", "reason": "MISSING"}] * 20 == found["failures"]
