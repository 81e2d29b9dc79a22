"""Thirty rotations of one secret, on a store that refuses more than twenty labels as AWS does."""

import json

import pytest
from aws_fixture import Aws

from atlas_access.rotation import CREATED, generation_in, make_current

NAME = "staging/mongodb/app-read"


def test_thirty_rotations_of_one_secret_never_run_out_of_labels(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.enter(monkeypatch)
    store = aws.client("secretsmanager")
    arn = store.describe_secret(SecretId=NAME)["ARN"]
    for generation in range(2, 32):
        made = store.put_secret_value(SecretId=NAME, SecretString=f"{generation}", VersionStages=[CREATED])
        wanted = {
            "arn": arn, "version": made["VersionId"], "cluster": "staging", "user": "app_read",
            "generation": generation,
        }  # fmt: skip
        for _ in range(2):  # a lost answer repeats it
            make_current({"region": "us-east-1", "secrets": json.dumps([wanted])})
        stages = store.describe_secret(SecretId=NAME)["VersionIdsToStages"]
        assert generation == generation_in(stages, "staging", "app_read")
        assert "AWSCURRENT" in stages[made["VersionId"]]
        assert sum(map(len, stages.values())) <= 20
