"""The two accounts, as the inventory describes them, through boto3."""

import pytest
from aws_fixture import Aws
from botocore.exceptions import ClientError


@pytest.mark.parametrize(("environment", "revision"), [("staging", 7), ("prod", 12)])
def test_the_service_runs_two_tasks_of_the_seeded_revision_in_one_completed_deployment(
    aws: Aws, environment: str, revision: int
) -> None:
    service = aws.service(environment)
    (deployment,) = service["deployments"]
    assert service["taskDefinition"].endswith(f"askflorence-{environment}-app:{revision}")
    found = (deployment["rolloutState"], deployment["runningCount"], deployment["pendingCount"])
    assert ("COMPLETED", 2, 0) == found
    breaker = service["deploymentConfiguration"]["deploymentCircuitBreaker"]
    assert {"enable": True, "rollback": True} == breaker


def test_one_account_does_not_see_the_others_secrets(aws: Aws) -> None:
    arn = aws.secret_arn("prod/mongodb/app-read", "prod")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.client("secretsmanager", "staging").get_secret_value(SecretId=arn)


def test_a_key_that_the_sandbox_did_not_issue_is_refused(aws: Aws) -> None:
    stranger = aws.client_of("secretsmanager", "AKIAIOSFODNN7EXAMPLE", "x", None)
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.list_secrets()


def test_the_runtime_is_bound_to_the_legacy_secrets_and_the_schema_task_to_its_own(aws: Aws) -> None:
    ecs = aws.client("ecs")
    names = {}
    for family in ("app", "schema"):
        definition = ecs.describe_task_definition(taskDefinition=f"askflorence-staging-{family}")
        (container,) = definition["taskDefinition"]["containerDefinitions"]
        names[family] = {secret["name"]: secret["valueFrom"] for secret in container["secrets"]}
    assert names["schema"] == {"MONGODB_URI_ADMIN_SCHEMA": aws.secret_arn("staging/mongodb/admin-schema")}
    assert aws.secret_arn("staging/mongodb/app-read") == names["app"]["MONGODB_URI"]
    assert "MONGODB_URI_ADMIN_SCHEMA" not in names["app"]
    assert 10 == len(names["app"])


def test_assuming_a_role_needs_the_roles_trust(aws: Aws) -> None:
    sts = aws.client("sts")
    deployer = f"arn:aws:iam::{aws.account()}:role/atlas-access-deployer"
    assert "Credentials" in sts.assume_role(RoleArn=deployer, RoleSessionName="again")
    for refused in (aws.role(), deployer.replace(aws.account(), "999999999999")):
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role(RoleArn=refused, RoleSessionName="not-trusted")
