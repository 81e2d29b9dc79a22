"""The two accounts, as the estate describes them, through boto3."""

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
    assert ("COMPLETED", 2, 0) == (
        deployment["rolloutState"],
        deployment["runningCount"],
        deployment["pendingCount"],
    )
    assert {"enable": True, "rollback": True} == service["deploymentConfiguration"][
        "deploymentCircuitBreaker"
    ]


def test_credentials_act_in_their_own_account(aws: Aws) -> None:
    found = [aws.client("sts", name).get_caller_identity()["Account"] for name in ("staging", "prod")]
    assert [aws.account("staging"), aws.account("prod")] == found


def test_one_account_does_not_see_the_others_secrets(aws: Aws) -> None:
    arn = aws.secret_arn("prod/mongodb/app-read", "prod")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.client("secretsmanager", "staging").get_secret_value(SecretId=arn)


def test_another_region_of_the_account_is_empty(aws: Aws) -> None:
    session = aws.sessions["staging"]
    import boto3

    elsewhere = boto3.client(
        "secretsmanager",
        endpoint_url=aws.url,
        region_name="eu-west-1",
        aws_access_key_id=session.access_key_id,
        aws_secret_access_key=session.secret_access_key,
        aws_session_token=session.session_token,
    )
    assert [] == elsewhere.list_secrets()["SecretList"]


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


def test_secrets_are_encrypted_with_the_accounts_own_key(aws: Aws) -> None:
    key = aws.client("kms").describe_key(KeyId="alias/askflorence-staging")["KeyMetadata"]["Arn"]
    described = aws.client("secretsmanager").describe_secret(SecretId="staging/mongodb/app-read")
    assert key == described["KmsKeyId"]


def test_logs_and_the_mail_identity_are_there(aws: Aws) -> None:
    groups = aws.client("logs").describe_log_groups()["logGroups"]
    assert ["/ecs/askflorence-staging-app"] == [group["logGroupName"] for group in groups]
    assert ["example.com"] == aws.client("ses").list_identities()["Identities"]


def test_assuming_a_role_needs_the_roles_trust(aws: Aws) -> None:
    sts = aws.client("sts")
    deployer = f"arn:aws:iam::{aws.account()}:role/atlas-access-deployer"
    assert "Credentials" in sts.assume_role(RoleArn=deployer, RoleSessionName="again")
    for refused in (aws.role(), deployer.replace(aws.account(), "999999999999")):
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role(RoleArn=refused, RoleSessionName="not-trusted")
