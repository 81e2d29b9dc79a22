"""How policy documents decide, in AWS's order."""

import json
from typing import Any

import pytest

from sandbox.aws.policy import Attempt, Decision, Policy, decide, missing_context

SECRET = "arn:aws:secretsmanager:us-east-1:111111111111:secret:staging/mongodb/app-read-AbCdEf"
READ = Attempt("secretsmanager:GetSecretValue", SECRET)


def policy(*statements: dict[str, Any]) -> Policy:
    return Policy.parse("p", json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def allow(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": SECRET, **more}


def test_what_nothing_allows_is_implicitly_denied() -> None:
    assert Decision.IMPLICIT_DENY is decide([], READ)


def test_an_explicit_deny_wins_over_an_allow() -> None:
    denied = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    assert Decision.EXPLICIT_DENY is decide([policy(allow()), policy(denied)], READ)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow(), Decision.ALLOWED),
        (allow(Action=["kms:Decrypt", "secretsmanager:Get*"]), Decision.ALLOWED),
        (allow(Action="SECRETSMANAGER:getsecretvalue"), Decision.ALLOWED),
        (allow(Resource=f"{SECRET[:-6]}??????"), Decision.ALLOWED),
        (allow(Resource=f"{SECRET[:-6]}?????"), Decision.IMPLICIT_DENY),
        (allow(Resource=SECRET.upper()), Decision.IMPLICIT_DENY),
        (allow(Resource=[]), Decision.IMPLICIT_DENY),
        ({"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"}, Decision.ALLOWED),
        ({"Effect": "Allow", "Action": "*", "NotResource": SECRET}, Decision.IMPLICIT_DENY),
    ],
)
def test_actions_and_resources_match_by_wildcard(statement: dict[str, Any], expected: Decision) -> None:
    assert expected is decide([policy(statement)], READ)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}, Decision.ALLOWED),
        ({"StringLike": {"kms:viaservice": "secretsmanager.*.amazonaws.com"}}, Decision.ALLOWED),
        ({"StringEquals": {"kms:ViaService": "ecs.amazonaws.com"}}, Decision.IMPLICIT_DENY),
        ({"StringNotEquals": {"kms:ViaService": "ecs.amazonaws.com"}}, Decision.ALLOWED),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, Decision.IMPLICIT_DENY),
        ({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, Decision.ALLOWED),
        ({"Null": {"aws:SourceVpc": "true"}}, Decision.ALLOWED),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, Decision.IMPLICIT_DENY),
    ],
)
def test_an_allow_needs_its_conditions(condition: dict[str, Any], expected: Decision) -> None:
    attempt = Attempt(
        READ.action, SECRET, context={"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}
    )
    assert expected is decide([policy(allow(Condition=condition))], attempt)


def test_a_deny_with_a_condition_that_is_not_known_still_denies() -> None:
    here = {"IpAddress": {"aws:SourceIp": "::1"}}
    denied = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": here}
    assert Decision.EXPLICIT_DENY is decide([policy(allow(), denied)], READ)


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", Decision.ALLOWED),
        ({"AWS": ["arn:aws:iam::1:role/a"]}, Decision.ALLOWED),
        ({"AWS": "arn:aws:iam::1:role/b"}, Decision.IMPLICIT_DENY),
        ({"Service": "ecs-tasks.amazonaws.com"}, Decision.IMPLICIT_DENY),
    ],
)
def test_a_resource_policy_speaks_of_its_principals_only(principal: Any, expected: Decision) -> None:
    attempt = Attempt(READ.action, SECRET, frozenset({"arn:aws:iam::1:role/a"}))
    assert expected is decide([policy(allow(Principal=principal))], attempt)


@pytest.mark.parametrize("document", ["", "{", "[]", '{"Statement": 1}', '{"Version": "2012-10-17"}'])
def test_a_document_that_is_no_policy_allows_nothing(document: str) -> None:
    assert Decision.IMPLICIT_DENY is decide([Policy.parse("p", document)], READ)


def test_context_keys_that_are_missing_are_named() -> None:
    conditioned = policy(allow(Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}))
    assert ("aws:SourceVpc",) == missing_context([conditioned], READ)
