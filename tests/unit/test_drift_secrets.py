"""What Secrets Manager says of a secret besides its key: who rotates it, and where copies are."""

from typing import Any

import pytest

from atlas_access.drift.observe_account import seen_secret

FUNCTION = "arn:aws:lambda:us-east-1:999999999999:function:x"


class Store:
    """Answers as Secrets Manager does for one secret."""

    def __init__(self, **about: Any) -> None:
        self._about = {"ARN": "arn:x", "Name": "x", "VersionIdsToStages": {"v1": ["AWSCURRENT"]}, **about}

    def describe_secret(self, **_: str) -> dict[str, Any]:
        return self._about

    def get_resource_policy(self, **_: str) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("about", "rotates"),
    [
        ({}, ""),
        ({"RotationEnabled": False, "RotationLambdaARN": FUNCTION}, ""),
        ({"RotationEnabled": True, "RotationLambdaARN": FUNCTION}, FUNCTION),
        ({"RotationEnabled": True}, "AWS"),
    ],
)
def test_who_rotates_a_secret_is_read(about: dict[str, Any], rotates: str) -> None:
    assert rotates == seen_secret(Store(**about), "x").rotates


def test_the_regions_that_hold_copies_are_read() -> None:
    copies = [{"Region": "eu-west-1", "KmsKeyId": "alias/aws/secretsmanager", "Status": "InSync"}]
    assert ("eu-west-1",) == seen_secret(Store(ReplicationStatus=copies), "x").replicas
