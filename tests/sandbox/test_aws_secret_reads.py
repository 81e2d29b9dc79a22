"""Who may read a secret: the role's grants and the key's policy, as AWS words a refusal; and simulation of grants."""

import json
from typing import Any

import pytest
from aws_fixture import Aws
from botocore.exceptions import ClientError
from moto.sts.models import sts_backends

SECRET = "staging/mongodb/app-read"
SCHEMA_SECRET = "staging/mongodb/admin-schema"


def as_role(aws: Aws, role_arn: str) -> Any:
    """A client that acts as an execution role, as ECS does for it."""
    account = role_arn.split(":")[4]
    session = sts_backends[account]["aws"].assume_role("us-east-1", "task", role_arn, None, 900, None)
    return aws.client_of(
        "secretsmanager", session.access_key_id, session.secret_access_key, session.session_token
    )


def test_the_execution_role_reads_a_secret_it_is_granted(aws: Aws) -> None:
    answer = as_role(aws, aws.role()).get_secret_value(SecretId=SECRET)
    assert "mongodb://app_read_local_staging@localhost/x" == answer["SecretString"]


def test_the_runtimes_role_cannot_read_the_schema_secret(aws: Aws) -> None:
    with pytest.raises(ClientError) as caught:
        as_role(aws, aws.role()).get_secret_value(SecretId=SCHEMA_SECRET)
    error = caught.value.response["Error"]
    assert "AccessDeniedException" == error["Code"]
    arn = aws.secret_arn(SCHEMA_SECRET)
    assert error["Message"] == (
        f"User: arn:aws:sts::{aws.account()}:assumed-role/askflorence-staging-app-execution/task is not authorized "
        f"to perform: secretsmanager:GetSecretValue on resource: {arn} because no identity-based policy allows the "
        "secretsmanager:GetSecretValue action"
    )


def test_a_secret_of_another_key_is_read_but_not_decrypted(aws: Aws) -> None:
    aws.foreign_key()
    with pytest.raises(ClientError, match="Access to KMS is not allowed"):
        as_role(aws, aws.role()).get_secret_value(SecretId=SECRET)


def test_a_key_policy_that_no_longer_trusts_the_account_closes_every_secret(aws: Aws) -> None:
    kms = aws.client("kms")
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": "*"}]})
    key = kms.describe_key(KeyId="alias/askflorence-staging")["KeyMetadata"]["Arn"]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    for reader in (as_role(aws, aws.role()), aws.client("secretsmanager")):
        with pytest.raises(ClientError, match="Access to KMS is not allowed"):
            reader.get_secret_value(SecretId=SECRET)


def test_a_grant_on_the_key_is_as_good_as_a_policy(aws: Aws) -> None:
    other = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    aws.client("secretsmanager").update_secret(SecretId=SECRET, KmsKeyId=other)
    aws.client("kms").create_grant(KeyId=other, GranteePrincipal=aws.role(), Operations=["Decrypt"])
    assert "SecretString" in as_role(aws, aws.role()).get_secret_value(SecretId=SECRET)


def test_a_disabled_key_decrypts_nothing(aws: Aws) -> None:
    aws.disable_key()
    with pytest.raises(ClientError, match="Access to KMS is not allowed"):
        aws.client("secretsmanager").get_secret_value(SecretId=SECRET)


def test_an_explicit_deny_on_the_secret_wins(aws: Aws) -> None:
    reading = {"Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    statement = {"Effect": "Deny", "Principal": "*", **reading}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("secretsmanager").put_resource_policy(SecretId=SECRET, ResourcePolicy=policy)
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        as_role(aws, aws.role()).get_secret_value(SecretId=SECRET)


def test_simulation_answers_from_the_stored_policies(aws: Aws) -> None:
    granted, foreign = aws.secret_arn(SECRET), aws.secret_arn(SCHEMA_SECRET)
    results = aws.client("iam").simulate_principal_policy(
        PolicySourceArn=aws.role(),
        ActionNames=["secretsmanager:GetSecretValue"],
        ResourceArns=[granted, foreign],
    )["EvaluationResults"]
    assert [(granted, "allowed"), (foreign, "implicitDeny")] == [
        (r["EvalResourceName"], r["EvalDecision"]) for r in results
    ]
    assert "read-secrets" == results[0]["MatchedStatements"][0]["SourcePolicyId"]


def test_simulation_follows_a_grant_that_is_added_and_removed(aws: Aws) -> None:
    iam, arn = aws.client("iam"), aws.secret_arn(SCHEMA_SECRET)
    name = aws.role().rpartition("/")[2]
    statement = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": f"{arn[:-6]}??????"}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})

    def decided() -> str:
        asked = {"ActionNames": ["secretsmanager:GetSecretValue"], "ResourceArns": [arn]}
        result = iam.simulate_principal_policy(PolicySourceArn=aws.role(), **asked)
        return result["EvaluationResults"][0]["EvalDecision"]

    iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=document)
    assert "allowed" == decided()
    iam.delete_role_policy(RoleName=name, PolicyName="more")
    assert "implicitDeny" == decided()


def test_simulating_a_role_that_is_not_there_says_so(aws: Aws) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        aws.client("iam").simulate_principal_policy(
            PolicySourceArn=f"{aws.role()}-x", ActionNames=["kms:Decrypt"]
        )
