"""Deployments and tasks, moved on step by step."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_fixture import Aws
from botocore.exceptions import ClientError

NAMES = {"cluster": "askflorence-staging", "service": "askflorence-staging-app"}
NO_BREAKER = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
NO_ROLLBACK = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}


def stopped(aws: Aws) -> list[dict[str, Any]]:
    ecs = aws.client("ecs")
    where = {"cluster": NAMES["cluster"], "desiredStatus": "STOPPED"}
    arns = ecs.list_tasks(**where, serviceName=NAMES["service"])["taskArns"]
    return ecs.describe_tasks(cluster=NAMES["cluster"], tasks=arns)["tasks"]


def history(aws: Aws) -> list[str]:
    listed = aws.client("ecs").list_service_deployments(**NAMES)
    return [deployment["status"] for deployment in listed["serviceDeployments"]]


def test_a_new_revision_replaces_the_old_one_without_a_gap(aws: Aws) -> None:
    wanted = aws.register()
    assert ["PRIMARY", "ACTIVE"] == [d["status"] for d in aws.update(taskDefinition=wanted)["deployments"]]
    observed = []
    while len(aws.service()["deployments"]) > 1:
        aws.steps(1)
        observed.append(aws.service()["runningCount"])
        assert len(observed) < 10
    (deployment,) = aws.service()["deployments"]
    found = (deployment["taskDefinition"], deployment["rolloutState"], deployment["runningCount"])
    assert (wanted, "COMPLETED", 2) == found
    assert min(observed) >= 2
    assert ["SUCCESSFUL", "SUCCESSFUL"] == history(aws)


def test_another_network_starts_a_deployment_and_the_same_one_does_not(aws: Aws) -> None:
    network = aws.service()["networkConfiguration"]
    started = [len(aws.update(networkConfiguration=network)["deployments"])]
    network["awsvpcConfiguration"]["assignPublicIp"] = "ENABLED"
    updated = aws.update(networkConfiguration=network)
    assert [1, 2] == [*started, len(updated["deployments"])]
    assert network == updated["deployments"][0]["networkConfiguration"]


def test_describing_a_deployment_leads_to_its_task_definition(aws: Aws) -> None:
    ecs = aws.client("ecs")
    (listed,) = ecs.list_service_deployments(**NAMES)["serviceDeployments"]
    (revision,) = ecs.describe_service_revisions(serviceRevisionArns=[listed["targetServiceRevisionArn"]])[
        "serviceRevisions"
    ]
    assert "SUCCESSFUL" == listed["status"]
    assert aws.service()["taskDefinition"] == revision["taskDefinition"]


def test_the_same_revision_again_is_no_deployment_unless_forced(aws: Aws) -> None:
    current = aws.service()["taskDefinition"]
    assert 1 == len(aws.update(taskDefinition=current)["deployments"])
    assert 2 == len(aws.update(forceNewDeployment=True)["deployments"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Aws.unreadable, "is not authorized to perform: secretsmanager:GetSecretValue"),
        (Aws.foreign_key, "Access to KMS is not allowed"),
        (Aws.missing_version, "can't find the specified secret value for VersionId"),
    ],
)
def test_an_unreadable_secret_stops_tasks_with_the_reason_that_ecs_gives(
    aws: Aws, change: Callable[[Aws], str | None], reason: str
) -> None:
    wanted = change(aws) or aws.service()["taskDefinition"]
    aws.update(taskDefinition=wanted, forceNewDeployment=True, deploymentConfiguration=NO_BREAKER)
    aws.steps(3)
    failed = [task["stoppedReason"] for task in stopped(aws) if task["stopCode"] == "TaskFailedToStart"]
    assert failed
    assert failed[0].startswith("ResourceInitializationError: unable to pull secrets")
    assert reason in failed[0]


def test_a_pinned_version_starts(aws: Aws) -> None:
    store = aws.client("secretsmanager")

    def pin(container: dict[str, Any]) -> None:
        for secret in container["secrets"]:
            version = store.get_secret_value(SecretId=secret["valueFrom"])["VersionId"]
            secret["valueFrom"] += f":::{version}"

    aws.update(taskDefinition=aws.register(pin))
    aws.steps(6)
    assert "COMPLETED" == aws.service()["deployments"][0]["rolloutState"]


def test_without_a_circuit_breaker_the_deployment_stays_in_progress_and_the_old_tasks_run(aws: Aws) -> None:
    aws.update(taskDefinition=aws.unreadable(), deploymentConfiguration=NO_BREAKER)
    aws.steps(30)
    service = aws.service()
    assert ["IN_PROGRESS", "COMPLETED"] == [d["rolloutState"] for d in service["deployments"]]
    assert (0, 2) == tuple(d["runningCount"] for d in service["deployments"])
    assert service["deployments"][0]["failedTasks"] > 0


def failing(aws: Aws, configuration: dict[str, Any]) -> dict[str, Any]:
    """Deploy what cannot start, and step until the circuit breaker has acted."""
    aws.update(taskDefinition=aws.unreadable(), deploymentConfiguration=configuration)
    for _ in range(500):
        aws.steps(1)
        service = aws.service()
        if any("deployment failed" in event["message"] for event in service["events"]):
            aws.steps(5)
            return aws.service()
    raise AssertionError("the circuit breaker did not act")


def test_the_circuit_breaker_fails_the_deployment_and_leaves_the_old_tasks_running(aws: Aws) -> None:
    service = failing(aws, NO_ROLLBACK)
    assert ["FAILED", "COMPLETED"] == [d["rolloutState"] for d in service["deployments"]]
    reason = service["deployments"][0]["rolloutStateReason"]
    assert "ECS deployment circuit breaker: tasks failed to start." == reason
    assert 2 == service["runningCount"]


def test_the_circuit_breakers_rollback_reads_as_a_completed_deployment_of_the_old_revision(aws: Aws) -> None:
    before = aws.service()["taskDefinition"]
    service = failing(aws, {})
    (deployment,) = service["deployments"]
    found = (deployment["taskDefinition"], deployment["rolloutState"], deployment["runningCount"])
    assert (before, "COMPLETED", 2) == found
    assert before == service["taskDefinition"]
    assert ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"] == history(aws)


def test_a_new_deployment_supersedes_one_that_is_stuck(aws: Aws) -> None:
    before = aws.service()["taskDefinition"]
    aws.update(taskDefinition=aws.unreadable(), deploymentConfiguration=NO_BREAKER)
    aws.steps(3)
    aws.update(taskDefinition=before)
    aws.steps(6)
    assert [before] == [d["taskDefinition"] for d in aws.service()["deployments"]]
    assert ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"] == history(aws)


def test_an_inactive_revision_cannot_be_deployed(aws: Aws) -> None:
    ecs = aws.client("ecs")
    ecs.deregister_task_definition(taskDefinition="askflorence-staging-app:3")
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        aws.update(taskDefinition="askflorence-staging-app:3")


def test_a_family_means_its_latest_active_revision(aws: Aws) -> None:
    ecs = aws.client("ecs")
    ecs.deregister_task_definition(taskDefinition=aws.register())
    latest = ecs.describe_task_definition(taskDefinition="askflorence-staging-app")["taskDefinition"]
    assert 7 == latest["revision"]


def schema_task(aws: Aws) -> dict[str, Any]:
    ecs = aws.client("ecs")
    network = aws.service()["networkConfiguration"]
    asked = {"cluster": NAMES["cluster"], "launchType": "FARGATE", "networkConfiguration": network}
    (task,) = ecs.run_task(taskDefinition="askflorence-staging-schema", **asked)["tasks"]
    assert "PROVISIONING" == task["lastStatus"]
    aws.steps(4)
    (ended,) = ecs.describe_tasks(cluster=NAMES["cluster"], tasks=[task["taskArn"]])["tasks"]
    return ended


def test_a_one_off_task_runs_and_ends_with_exit_code_0(aws: Aws) -> None:
    task = schema_task(aws)
    ended = (task["lastStatus"], task["stopCode"], task["containers"][0]["exitCode"])
    assert ("STOPPED", "EssentialContainerExited", 0) == ended


def test_a_one_off_task_whose_secret_is_unreadable_fails_to_start(aws: Aws) -> None:
    aws.client("iam").delete_role_policy(
        RoleName="askflorence-staging-schema-execution", PolicyName="read-secrets"
    )
    task = schema_task(aws)
    assert "TaskFailedToStart" == task["stopCode"]
    assert "exitCode" not in task["containers"][0]
