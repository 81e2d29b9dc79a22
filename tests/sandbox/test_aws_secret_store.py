"""Secrets Manager's recovery window and stages."""

import pytest
from aws_fixture import Aws, aws
from botocore.exceptions import ClientError

__all__ = ["aws"]

NAME = "staging/mongodb/app-read"
DAY = 86400


@pytest.mark.parametrize("days", [0, 6, 31])
def test_a_recovery_window_is_7_to_30_days(aws: Aws, days: int) -> None:
    with pytest.raises(ClientError, match="between 7 and 30 days"):
        aws.client("secretsmanager").delete_secret(SecretId=NAME, RecoveryWindowInDays=days)


def test_during_the_window_the_value_is_unreadable_and_the_name_taken(aws: Aws) -> None:
    store = aws.client("secretsmanager")
    store.delete_secret(SecretId=NAME)
    with pytest.raises(ClientError, match="marked for deletion"):
        store.get_secret_value(SecretId=NAME)
    with pytest.raises(ClientError, match="marked for deletion"):
        store.put_secret_value(SecretId=NAME, SecretString="new")
    with pytest.raises(ClientError, match="already scheduled for deletion"):
        store.create_secret(Name=NAME, SecretString="new")
    with pytest.raises(ClientError, match="marked for deletion"):
        store.delete_secret(SecretId=NAME)


def test_a_restored_secret_has_its_value_again(aws: Aws) -> None:
    store = aws.client("secretsmanager")
    before = store.get_secret_value(SecretId=NAME)["VersionId"]
    store.delete_secret(SecretId=NAME, RecoveryWindowInDays=7)
    store.restore_secret(SecretId=NAME)
    assert before == store.get_secret_value(SecretId=NAME)["VersionId"]


def test_after_the_window_the_name_is_free(aws: Aws) -> None:
    store = aws.client("secretsmanager")
    store.delete_secret(SecretId=NAME, RecoveryWindowInDays=7)
    aws.clock.now += 6 * DAY
    with pytest.raises(ClientError, match="already scheduled for deletion"):
        store.create_secret(Name=NAME, SecretString="new")
    aws.clock.now += 2 * DAY
    store.create_secret(Name=NAME, SecretString="new")
    assert "new" == store.get_secret_value(SecretId=NAME)["SecretString"]


def test_a_label_of_ours_stays_on_its_version_when_another_becomes_current(aws: Aws) -> None:
    store = aws.client("secretsmanager")
    first = store.get_secret_value(SecretId=NAME)["VersionId"]
    store.update_secret_version_stage(SecretId=NAME, VersionStage="proven", MoveToVersionId=first)
    second = store.put_secret_value(SecretId=NAME, SecretString="new")["VersionId"]
    stages = store.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    assert {first: ["AWSPREVIOUS", "proven"], second: ["AWSCURRENT"]} == stages


def test_a_label_that_is_asked_for_moves_to_the_new_version(aws: Aws) -> None:
    store = aws.client("secretsmanager")
    first = store.get_secret_value(SecretId=NAME)["VersionId"]
    store.update_secret_version_stage(SecretId=NAME, VersionStage="proven", MoveToVersionId=first)
    stages = ["AWSCURRENT", "proven"]
    second = store.put_secret_value(SecretId=NAME, SecretString="new", VersionStages=stages)["VersionId"]
    assert {first: ["AWSPREVIOUS"], second: stages} == store.describe_secret(SecretId=NAME)[
        "VersionIdsToStages"
    ]


def test_the_list_of_versions_names_the_secrets_arn(aws: Aws) -> None:
    listed = aws.client("secretsmanager").list_secret_version_ids(SecretId=NAME)
    assert aws.secret_arn(NAME) == listed["ARN"]
    assert [["AWSCURRENT"]] == [version["VersionStages"] for version in listed["Versions"]]
