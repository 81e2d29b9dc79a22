"""The aws provider's secrets and their versions against moto, through the protocol that an engine speaks."""

import grpc
import pytest
from providers_aws_fixture import (  # noqa: F401 - fixtures
    ACCOUNT,
    REGION,
    api,
    configured_aws,
    endpoint_of_moto,
    port_of_provider,
    unique,
)

from sandbox.values import UNKNOWN, Secret, bare

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"


def test_a_secret_gets_the_providers_defaults_and_default_tags(aws):
    inputs = aws.check(SECRET, {"name": unique("s"), "tags": {"own": "1"}})
    chosen = ["forceOverwriteReplicaSecret", "recoveryWindowInDays"]
    assert chosen == inputs["__defaults"]
    assert (30, False, REGION) == (
        inputs["recoveryWindowInDays"],
        inputs["forceOverwriteReplicaSecret"],
        inputs["region"],
    )
    assert {"own": "1", "project": "atlas-access"} == inputs["tagsAll"]


def test_a_secret_without_a_name_is_named_after_the_resource_and_keeps_that_name(aws):
    inputs = aws.check(SECRET, {})
    assert inputs["name"].startswith("it-")
    assert inputs["name"] == aws.check(SECRET, {}, {"name": inputs["name"]})["name"]


def test_the_preview_of_a_secret_knows_its_name_but_not_its_arn(aws):
    name = unique("s")
    identity, planned = aws.create(SECRET, aws.check(SECRET, {"name": name}), preview=True)
    assert ("", name, UNKNOWN) == (identity, planned["name"], planned["arn"])


def test_a_created_secret_shows_no_difference_and_is_known_by_its_arn(aws):
    identity, inputs, state = aws.made(SECRET, {"name": unique("s"), "description": "d"})
    assert identity == state["arn"] == state["id"]
    assert [] == aws.changed(SECRET, identity, state, inputs)


def test_a_secret_is_imported_from_its_arn_alone(aws, endpoint):
    name = unique("legacy")
    arn = api(endpoint, "secretsmanager").create_secret(Name=name, SecretString="x")["ARN"]
    identity, state, inputs = aws.read(SECRET, arn)
    assert (arn, name, name) == (identity, state["name"], inputs["name"])


def test_a_read_finds_a_manual_change_of_a_secret_and_an_update_corrects_it(aws, endpoint):
    name = unique("s")
    identity, inputs, state = aws.made(SECRET, {"name": name, "description": "ours", "tags": {"own": "1"}})
    by_hand = api(endpoint, "secretsmanager")
    by_hand.update_secret(SecretId=name, Description="by hand")
    by_hand.tag_resource(SecretId=name, Tags=[{"Key": "own", "Value": "2"}])
    _, drifted, read_inputs = aws.read(SECRET, identity, state, inputs)
    assert ("by hand", {"own": "2"}) == (drifted["description"], read_inputs["tags"])
    assert ["description", "tags", "tagsAll"] == aws.changed(SECRET, identity, drifted, inputs)
    assert state == aws.update(SECRET, identity, drifted, inputs)


def test_a_new_name_replaces_a_secret_and_new_days_update_it(aws):
    identity, inputs, state = aws.made(SECRET, {"name": unique("s")})
    renamed = aws.check(SECRET, {"name": unique("other")})
    assert ["name"] == aws.replaced(SECRET, identity, state, renamed)
    shorter = {**inputs, "recoveryWindowInDays": 7}
    assert [] == aws.replaced(SECRET, identity, state, shorter)
    assert 7 == aws.update(SECRET, identity, state, shorter)["recoveryWindowInDays"]


def test_ignored_changes_are_no_difference(aws):
    identity, inputs, state = aws.made(SECRET, {"name": unique("s")})
    changed = {**inputs, "recoveryWindowInDays": 7}
    answer = aws.diff(SECRET, identity, state, changed, ("recoveryWindowInDays",))
    assert [] == list(answer.diffs)


def test_a_deleted_secret_waits_in_its_recovery_window_and_its_name_stays_taken(aws, endpoint):
    name = unique("s")
    identity, inputs, state = aws.made(SECRET, {"name": name, "recoveryWindowInDays": 7})
    aws.delete(SECRET, identity, state)
    assert "DeletedDate" in api(endpoint, "secretsmanager").describe_secret(SecretId=name)
    assert "" == aws.read(SECRET, identity, state, inputs)[0]
    with pytest.raises(grpc.RpcError) as refused:
        aws.create(SECRET, inputs)
    assert f"creating Secrets Manager Secret ({name})" in refused.value.details()


def test_deleting_a_secret_that_is_gone_is_no_error(aws):
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{unique('none')}-abcdef"
    aws.delete(SECRET, arn, {"name": "none"})


@pytest.mark.parametrize("days", [1, 6, 31])
def test_a_recovery_window_that_aws_refuses_fails_the_check(aws, days):
    assert ["recoveryWindowInDays"] == list(aws.failures(SECRET, {"recoveryWindowInDays": days}))


def test_an_input_that_is_not_served_fails_the_check(aws):
    assert ["replicas"] == list(aws.failures(SECRET, {"replicas": [{"region": "us-west-2"}]}))


def test_a_secret_version_is_known_by_arn_and_version_and_its_value_is_secret(aws):
    secret, _, _ = aws.made(SECRET, {"name": unique("s")})
    identity, inputs, state = aws.made(VERSION, {"secretId": secret, "secretString": Secret("canary-1")})
    assert f"{secret}|{state['versionId']}" == identity
    assert Secret("canary-1") == inputs["secretString"] == state["secretString"]
    assert ["AWSCURRENT"] == state["versionStages"]
    assert [] == aws.changed(VERSION, identity, state, inputs)


def test_a_value_given_in_plain_is_secret_in_the_outputs_all_the_same(aws):
    secret, _, _ = aws.made(SECRET, {"name": unique("s")})
    _, _, state = aws.made(VERSION, {"secretId": secret, "secretString": "canary-1"})
    assert Secret("canary-1") == state["secretString"]


def test_a_new_value_is_a_new_version_and_the_old_one_stays_readable(aws, endpoint):
    secret, _, _ = aws.made(SECRET, {"name": unique("s")})
    first, _, old = aws.made(VERSION, {"secretId": secret, "secretString": Secret("canary-1")})
    wanted = aws.check(VERSION, {"secretId": secret, "secretString": Secret("canary-2")})
    assert ["secretString"] == aws.replaced(VERSION, first, old, wanted)
    aws.create(VERSION, wanted)
    aws.delete(VERSION, first, bare(old))
    found = api(endpoint, "secretsmanager").get_secret_value(SecretId=secret, VersionId=old["versionId"])
    assert "canary-1" == found["SecretString"]


def test_staging_labels_move_to_the_version_that_asks_for_them(aws):
    secret, _, _ = aws.made(SECRET, {"name": unique("s")})
    first, inputs, old = aws.made(
        VERSION, {"secretId": secret, "secretString": "1", "versionStages": ["AWSCURRENT", "proven"]}
    )
    wider = {**inputs, "versionStages": ["AWSCURRENT", "proven", "pinned"]}
    state = aws.update(VERSION, first, bare(old), wider)
    assert ["AWSCURRENT", "pinned", "proven"] == state["versionStages"]


def test_a_secret_version_is_imported_from_its_id(aws):
    secret, _, _ = aws.made(SECRET, {"name": unique("s")})
    identity, _, state = aws.made(VERSION, {"secretId": secret, "secretString": "canary-1"})
    found, imported, _ = aws.read(VERSION, identity)
    assert (identity, bare(state)) == (found, bare(imported))


def test_an_error_never_holds_the_secret_value(aws):
    with pytest.raises(grpc.RpcError) as refused:
        aws.made(VERSION, {"secretId": "canary-value-of-the-secret", "secretString": Secret("canary-value")})
    assert "canary-value" not in refused.value.details()
    assert "***-of-the-secret" in refused.value.details()
