"""Secrets Manager's recovery window, stages and refusals."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aws_fixture import Aws
from botocore.exceptions import ClientError

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


@pytest.mark.parametrize("ahead", [-20, 20])
def test_the_window_begins_and_ends_by_the_sandboxs_clock(aws: Aws, ahead: int) -> None:
    store = aws.client("secretsmanager")
    aws.clock.now = int(aws.clock.now) + ahead * DAY
    due = aws.clock.now + 7 * DAY
    said = store.delete_secret(SecretId=NAME, RecoveryWindowInDays=7)["DeletionDate"]
    aws.clock.now = due - 1
    kept = store.describe_secret(SecretId=NAME)["DeletedDate"]
    assert [due, due] == [said.timestamp(), kept.timestamp()]
    aws.clock.now = due
    assert "ResourceNotFoundException" == refused(aws, "describe_secret", SecretId=NAME)
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
    labels = store.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    assert {first: ["AWSPREVIOUS"], second: stages} == labels


def refused(aws: Aws, action: str, **asked: Any) -> str:
    with pytest.raises(ClientError) as caught:
        getattr(aws.client("secretsmanager"), action)(**asked)
    return caught.value.response["Error"]["Code"]


@pytest.mark.parametrize(
    ("action", "asked"),
    [
        ("get_secret_value", {}),
        ("put_secret_value", {"SecretString": "new"}),
        ("update_secret", {"SecretString": "new"}),
        ("update_secret", {"Description": "new"}),
        ("update_secret_version_stage", {"VersionStage": "proven"}),
        ("list_secret_version_ids", {}),
        ("delete_secret", {}),
    ],
)
@pytest.mark.parametrize("name", ["none", "é", "arn:aws:secretsmanager:us-east-1:1:secret:none"])
def test_a_missing_secret_is_not_found(aws: Aws, action: str, asked: dict[str, Any], name: str) -> None:
    assert "ResourceNotFoundException" == refused(aws, action, SecretId=name, **asked)


def test_an_update_with_a_value_moves_the_stages_of_aws_and_leaves_ours(aws: Aws) -> None:
    store = aws.client("secretsmanager")
    first = store.get_secret_value(SecretId=NAME)["VersionId"]
    store.update_secret_version_stage(SecretId=NAME, VersionStage="proven", MoveToVersionId=first)
    second = store.update_secret(SecretId=NAME, SecretString="second")["VersionId"]
    third = store.update_secret(SecretId=NAME, SecretBinary=b"third")["VersionId"]
    stages = store.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    assert {first: ["proven"], second: ["AWSPREVIOUS"], third: ["AWSCURRENT"]} == stages


def test_an_update_cannot_take_the_token_of_a_version_that_is_there(aws: Aws) -> None:
    token = aws.client("secretsmanager").get_secret_value(SecretId=NAME)["VersionId"]
    code = refused(aws, "update_secret", SecretId=NAME, SecretString="new", ClientRequestToken=token)
    assert "ResourceExistsException" == code


def test_putting_the_same_value_again_by_its_token_changes_nothing(aws: Aws) -> None:
    store, token = aws.client("secretsmanager"), "0" * 32
    store.put_secret_value(SecretId=NAME, SecretString="new", ClientRequestToken=token)
    before = store.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    store.put_secret_value(SecretId=NAME, SecretString="new", ClientRequestToken=token)
    assert before == store.describe_secret(SecretId=NAME)["VersionIdsToStages"]


@pytest.mark.parametrize("again", [{}, {"VersionStages": ["AWSPENDING"]}, {"VersionStages": ["proven"]}])
def test_a_value_put_again_leaves_the_labels_of_its_version(aws: Aws, again: dict[str, Any]) -> None:
    store, first = aws.client("secretsmanager"), {"SecretId": NAME, "ClientRequestToken": "0" * 32}
    current = store.get_secret_value(SecretId=NAME)["VersionId"]
    store.put_secret_value(**first, SecretString="new", VersionStages=["AWSPENDING"])
    store.update_secret_version_stage(
        SecretId=NAME, VersionStage="AWSCURRENT", MoveToVersionId="0" * 32, RemoveFromVersionId=current
    )
    answer = store.put_secret_value(**first, SecretString="new", **again)
    stages = store.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    assert {"0" * 32: ["AWSPENDING", "AWSCURRENT"], current: ["AWSPREVIOUS"]} == stages
    assert ("0" * 32, stages["0" * 32]) == (answer["VersionId"], answer["VersionStages"])


@pytest.mark.parametrize("stage", ["AWSCURRENT", "AWSPENDING"])
@pytest.mark.parametrize("other", [{"SecretString": "other"}, {"SecretBinary": b"new"}])
def test_a_client_request_token_is_bound_to_one_value(aws: Aws, stage: str, other: dict[str, Any]) -> None:
    store, first = aws.client("secretsmanager"), {"SecretId": NAME, "ClientRequestToken": "0" * 32}
    store.put_secret_value(**first, SecretString="new", VersionStages=[stage])
    code = refused(aws, "put_secret_value", **first, VersionStages=[stage], **other)
    kept = store.get_secret_value(SecretId=NAME, VersionId="0" * 32)["SecretString"]
    assert ("ResourceExistsException", "new") == (code, kept)


def test_writers_at_the_same_time_leave_one_current_and_one_previous_version(aws: Aws) -> None:
    store = aws.client("secretsmanager")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.put_secret_value(SecretId=NAME, SecretString=str(n)), range(40)))
    stages = store.describe_secret(SecretId=NAME)["VersionIdsToStages"].values()
    assert ["AWSCURRENT", "AWSPREVIOUS"] == sorted(stage for labels in stages for stage in labels)


def test_a_label_moves_only_when_the_version_that_has_it_is_named(aws: Aws) -> None:
    store = aws.client("secretsmanager")
    first = store.get_secret_value(SecretId=NAME)["VersionId"]
    second = store.put_secret_value(SecretId=NAME, SecretString="new")["VersionId"]
    store.update_secret_version_stage(SecretId=NAME, VersionStage="proven", MoveToVersionId=first)
    asked = {"SecretId": NAME, "VersionStage": "proven", "MoveToVersionId": second}
    assert "InvalidParameterException" == refused(aws, "update_secret_version_stage", **asked)
    store.update_secret_version_stage(**asked, RemoveFromVersionId=first)
    stages = store.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    assert {first: ["AWSPREVIOUS"], second: ["AWSCURRENT", "proven"]} == stages


@pytest.mark.parametrize(
    "asked",
    [
        {"VersionStage": "AWSCURRENT", "MoveToVersionId": "0" * 32},
        {"VersionStage": "proven", "MoveToVersionId": "0" * 32},
        {"VersionStage": "AWSCURRENT"},
    ],
    ids=["AWSCURRENT to nothing", "a label of ours to nothing", "AWSCURRENT taken away"],
)
def test_a_refused_move_leaves_every_label_where_it_was(aws: Aws, asked: dict[str, str]) -> None:
    store = aws.client("secretsmanager")
    first = store.get_secret_value(SecretId=NAME)["VersionId"]
    store.update_secret_version_stage(SecretId=NAME, VersionStage="proven", MoveToVersionId=first)
    before = store.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    asked = {"SecretId": NAME, "RemoveFromVersionId": first, **asked}
    code = refused(aws, "update_secret_version_stage", **asked)
    stages = store.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    assert ("InvalidParameterException", before) == (code, stages)


@pytest.mark.parametrize(
    "asked", [{}, {"RotationLambdaARN": "arn:aws:lambda:us-east-1:123456789012:function:rotate"}]
)
def test_a_secret_that_no_function_rotates_stays_as_it_is(aws: Aws, asked: dict[str, str]) -> None:
    store = aws.client("secretsmanager")
    before = store.describe_secret(SecretId=NAME)
    code = refused(aws, "rotate_secret", SecretId=NAME, **asked)
    after = store.describe_secret(SecretId=NAME)
    assert ("InvalidRequestException", before["VersionIdsToStages"]) == (code, after["VersionIdsToStages"])
    assert "RotationEnabled" not in after


TWO = {"SecretString": "a", "SecretBinary": b"b"}


@pytest.mark.parametrize(
    ("action", "asked", "code"),
    [
        ("put_secret_value", {"SecretId": NAME}, "InvalidRequestException"),
        ("create_secret", {"Name": "other", **TWO}, "InvalidParameterException"),
        ("put_secret_value", {"SecretId": NAME, **TWO}, "InvalidParameterException"),
        ("update_secret", {"SecretId": NAME, **TWO}, "InvalidParameterException"),
        (
            "create_secret",
            {"Name": "other", "AddReplicaRegions": [{"Region": "us-west-2"}]},
            "InvalidRequestException",
        ),
    ],
)
def test_a_version_has_one_value_and_region(aws: Aws, action: str, asked: dict[str, Any], code: str) -> None:
    assert code == refused(aws, action, **asked)


def test_a_secret_bears_twenty_labels_and_no_more(aws: Aws) -> None:
    """AWSCURRENT and AWSPREVIOUS count, over all versions; a refused write leaves nothing behind."""
    store = aws.client("secretsmanager")
    first = store.get_secret_value(SecretId=NAME)["VersionId"]
    store.put_secret_value(SecretId=NAME, SecretString="second")
    for number in range(18):
        store.update_secret_version_stage(SecretId=NAME, VersionStage=f"l{number}", MoveToVersionId=first)
    asked = {"SecretId": NAME, "VersionStage": "one-more", "MoveToVersionId": first}
    assert "LimitExceededException" == refused(aws, "update_secret_version_stage", **asked)
    asked = {"SecretId": NAME, "SecretString": "third", "VersionStages": ["one-more"]}
    assert "LimitExceededException" == refused(aws, "put_secret_value", **asked)
    stages = store.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    assert 20 == sum(map(len, stages.values()))
    assert store.put_secret_value(SecretId=NAME, SecretString="third")["VersionId"] != first


def test_a_version_without_a_label_is_left_out_of_the_description_and_read_by_its_id(aws: Aws) -> None:
    store = aws.client("secretsmanager")
    first = store.get_secret_value(SecretId=NAME)["VersionId"]
    for value in ("second", "third"):
        store.put_secret_value(SecretId=NAME, SecretString=value)
    assert first not in store.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    listed = store.list_secret_version_ids(SecretId=NAME, IncludeDeprecated=True)["Versions"]
    assert first in {each["VersionId"] for each in listed}
    assert first == store.get_secret_value(SecretId=NAME, VersionId=first)["VersionId"]
