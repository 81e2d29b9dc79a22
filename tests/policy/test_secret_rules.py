"""Secrets, connection strings and execution roles."""

import json

import pytest
from policy_world import (
    ACCOUNT,
    KEY_ARN,
    RUNTIME_ROLE,
    SCHEMA_ROLE,
    arn,
    judge,
    judge_stack,
    make,
    offending,
    read_grant,
    role_policy,
    root,
    secret,
    unobserved,
    user,
    violations,
    without,
)

from policy import resources as types
from policy.values import UNKNOWN

CANARY = "mongodb+srv://app:canaryPassw0rd@host.example.com/askflorence"
DECRYPT = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY_ARN}
READ = read_grant("app-read-v2")
READ_ALL = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
OPEN = {**READ_ALL, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{RUNTIME_ROLE}"}}
OF_AWS = "arn:aws:iam::aws:policy/"
SECRETS_READ = f"{OF_AWS}SecretsManagerReadWrite"


def policy_of(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def parameter(value, **more):
    return make("aws:ssm/parameter:Parameter", "p", {"value": value, **more})


def attachment(policy):
    return make(types.ROLE_POLICY_ATTACHMENT, "a", {"policyArn": policy})


COMPLIANT = {
    "a secret's own policy that only denies": secret(policy=policy_of({**OPEN, "Effect": "Deny"})),
    "a secret's empty policy": secret(policy="{}"),
    "a key's grant of nothing secret": make(types.KEY_GRANT, "k", {"operations": ["DescribeKey"]}),
    "our own secret": secret(),
    "the key by its alias": secret(kmsKeyId="alias/askflorence-staging"),
    "the default recovery window": without(secret(), "recoveryWindowInDays"),
    "a connection string in a secret's value": make(types.SECRET_VERSION, "v", {"secretString": CANARY}),
    "a connection string without a password": parameter("mongodb+srv://host/askflorence"),
    "a masked password": parameter("mongodb://app:***@host/askflorence"),
    "exact grants": role_policy([read_grant("app-read-v2", "audit-write"), DECRYPT]),
    "grants of other services": role_policy([{"Effect": "Allow", "Action": ["logs:*"], "Resource": "*"}]),
    "the schema role reads the schema secret": role_policy([read_grant("admin-schema")], SCHEMA_ROLE),
    "a denial": role_policy([{"Effect": "Deny", "Action": "*", "Resource": "*"}]),
    "a single statement": role_policy(READ),
    "AWS's own task execution policy": attachment(f"{OF_AWS}service-role/AmazonECSTaskExecutionRolePolicy"),
}

OFFENDING = {
    "secret-cmk": {
        "no key": without(secret(), "kmsKeyId"),
        "the default key": secret(kmsKeyId="alias/aws/secretsmanager"),
        "somebody else's alias": secret(kmsKeyId="alias/other"),
        "an object for a key": secret(kmsKeyId={"id": 1}),
    },
    "secret-recovery-window": {
        "no window": secret(recoveryWindowInDays=0),
        "a short window": secret(recoveryWindowInDays=7),
        "a word for a number": secret(recoveryWindowInDays="thirty"),
    },
    "secret-naming": {
        "another prefix": secret("mongo-app-read"),
        "upper case": secret("staging/mongodb/AppRead"),
        "an unknown environment": secret("qa/mongodb/app-read-v2"),
        "no name": without(secret(), "name"),
    },
    "secret-protected": {
        "not protected": secret(protect=False),
        "not protected in an unknown stack": secret(
            "dev/mongodb/a", protect=False, stack="dev", kmsKeyId="11111111-2222"
        ),
    },
    "no-plaintext-uri": {
        "in a parameter": parameter(CANARY),
        "in a tag": secret(tags={"note": f"was {CANARY}"}),
        "in a key of a tag": secret(tags={CANARY: "x"}),
        "in a description": user(description=CANARY),
        "with escaped slashes": parameter(CANARY.replace("/", "\\/")),
        "deep in a document": parameter("", a=[{"b": [json.dumps({"c": CANARY})]}]),
        "in capitals": parameter(CANARY.replace("mongodb", "MongoDB")),
    },
    "execution-role-least-privilege": {
        # Grants of reading that no execution role's own policy shows, or that belong to the other role.
        "a user's policy": make(types.USER_POLICY, "u", {"user": "ops", "policy": policy_of(READ_ALL)}),
        "a group's policy": make(types.GROUP_POLICY, "g", {"group": "ops", "policy": policy_of(READ_ALL)}),
        "the secret's own policy": make(
            types.SECRET_POLICY, "s", {"secretArn": arn("admin-schema"), "policy": policy_of(OPEN)}
        ),
        "a policy inside the secret": secret(policy=policy_of(OPEN)),
        "a grant on the key": make(types.KEY_GRANT, "k", {"keyId": KEY_ARN, "operations": ["Decrypt"]}),
        "an attachment to several": make(types.POLICY_ATTACHMENTS[1], "a", {"policyArn": SECRETS_READ}),
        "a list of attachments": make(types.POLICY_ATTACHMENTS[-1], "a", {"policyArns": [SECRETS_READ]}),
        "an AWS policy of another partition": attachment(SECRETS_READ.replace("arn:aws:", "arn:aws-us-gov:")),
        "the schema role reads the writer's secret": role_policy([read_grant("app-write-v2")], SCHEMA_ROLE),
        "every secret": role_policy([{**READ, "Resource": "*"}]),
        "a name pattern": role_policy([{**READ, "Resource": arn("app-read-v2")[:-6] + "*"}]),
        "every action": role_policy([{**READ, "Action": "secretsmanager:*"}]),
        "an action of everything": role_policy([{**READ, "Action": "*"}]),
        "writing": role_policy([{**READ, "Action": ["secretsmanager:PutSecretValue"]}]),
        "every key": role_policy([{**DECRYPT, "Resource": "*"}]),
        "NotResource": role_policy(
            [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "NotResource": arn("a")}]
        ),
        "the runtime reads the schema secret": role_policy([read_grant("admin-schema")]),
        "a secret outside the prefix": role_policy(
            [{**READ, "Resource": arn("a").replace("staging/mongodb", "stuff")}]
        ),
        "a managed policy": make(types.MANAGED_POLICY, "m", {"policy": policy_of(READ_ALL)}),
        "an AWS policy over all secrets": attachment(SECRETS_READ),
        "an inline policy of a role": make(
            types.ROLE, "r", {"name": "r", "inlinePolicies": [{"policy": policy_of(READ_ALL)}]}
        ),
    },
}


@pytest.mark.parametrize("resource", COMPLIANT.values(), ids=COMPLIANT.keys())
def test_a_compliant_case_passes(resource):
    assert set() == violations(judge(resource))


@pytest.mark.parametrize(("rule", "resource"), offending(OFFENDING))
def test_an_offending_case_is_stopped_by_exactly_its_rule(rule, resource):
    assert {rule} == violations(judge(resource))


def test_a_connection_string_among_the_outputs_is_a_finding_of_the_stack():
    assert {"no-plaintext-uri"} == violations(judge_stack(root(connection=CANARY)))


def test_the_one_secret_output_that_crosses_stacks_passes():
    reference = make(types.STACK_REFERENCE, "staging", {"outputs": {"referenceConnection": CANARY}}, "prod")

    assert set() == violations(judge_stack(root(referenceConnection=CANARY), reference))


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (secret(kmsKeyId=UNKNOWN), ("secret-cmk", "kmsKeyId")),
        (secret(recoveryWindowInDays=UNKNOWN), ("secret-recovery-window", "recoveryWindowInDays")),
        (make(types.SECRET, "s", {"name": UNKNOWN}, protect=True), ("secret-naming", "name")),
        (make(types.ROLE_POLICY, "p", {"policy": UNKNOWN}), ("execution-role-least-privilege", "policy")),
    ],
)
def test_a_value_that_is_not_known_is_named(resource, expected):
    assert expected in unobserved(judge(resource))
