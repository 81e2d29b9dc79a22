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
    read_grant,
    role_policy,
    root,
    secret,
    unseen,
    user,
    violations,
    without,
)

from policy import resource as types
from policy.values import UNKNOWN

CANARY = "mongodb+srv://app:canaryPassw0rd@host.example.com/askflorence"
PARAMETER = "aws:ssm/parameter:Parameter"
DECRYPT = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY_ARN}


READ_ALL = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}


def managed(statement):
    return make(types.MANAGED_POLICY, "m", {"policy": json.dumps({"Statement": statement})})


OPEN = {**READ_ALL, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{RUNTIME_ROLE}"}}
SECRETS_READ = "arn:aws:iam::aws:policy/SecretsManagerReadWrite"


def policy_of(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


WAYS_AROUND = {
    "a user's policy": make(types.USER_POLICY, "u", {"user": "ops", "policy": policy_of(READ_ALL)}),
    "a group's policy": make(types.GROUP_POLICY, "g", {"group": "ops", "policy": policy_of(READ_ALL)}),
    "the secret's own policy": make(
        types.SECRET_POLICY, "s", {"secretArn": arn("admin-schema"), "policy": policy_of(OPEN)}
    ),
    "a policy inside the secret": secret(policy=policy_of(OPEN)),
    "a grant on the key": make(types.KEY_GRANT, "k", {"keyId": KEY_ARN, "operations": ["Decrypt"]}),
    "an attachment to several": make(types.POLICY_ATTACHMENTS[1], "a", {"policyArn": SECRETS_READ}),
    "a list of attachments": make(types.POLICY_ATTACHMENTS[-1], "a", {"policyArns": [SECRETS_READ]}),
    "an AWS policy of another partition": make(
        types.ROLE_POLICY_ATTACHMENT, "a", {"policyArn": SECRETS_READ.replace("arn:aws:", "arn:aws-us-gov:")}
    ),
    "the schema role reads the writer's secret": role_policy([read_grant("app-write-v2")], SCHEMA_ROLE),
}
"""Grants of reading that no execution role's own policy shows, or that belong to the other role."""

COMPLIANT = {
    "a secret's own policy that only denies": [secret(policy=policy_of({**OPEN, "Effect": "Deny"}))],
    "a secret's empty policy": [secret(policy="{}")],
    "a key's grant of nothing secret": [make(types.KEY_GRANT, "k", {"operations": ["DescribeKey"]})],
    "our own secret": [secret()],
    "the key by its alias": [secret(kmsKeyId="alias/askflorence-staging")],
    "the default recovery window": [without(secret(), "recoveryWindowInDays")],
    "a connection string in a secret's value": [make(types.SECRET_VERSION, "v", {"secretString": CANARY})],
    "a connection string without a password": [
        make(PARAMETER, "p", {"value": "mongodb+srv://host/askflorence"})
    ],
    "a masked password": [make(PARAMETER, "p", {"value": "mongodb://app:***@host/askflorence"})],
    "exact grants": [role_policy([read_grant("app-read-v2", "audit-write"), DECRYPT])],
    "grants of other services": [role_policy([{"Effect": "Allow", "Action": ["logs:*"], "Resource": "*"}])],
    "the schema role reads the schema secret": [role_policy([read_grant("admin-schema")], SCHEMA_ROLE)],
    "a denial": [role_policy([{"Effect": "Deny", "Action": "*", "Resource": "*"}])],
    "a single statement": [role_policy(read_grant("app-read-v2"))],
    "AWS's own task execution policy": [
        make(
            types.ROLE_POLICY_ATTACHMENT,
            "a",
            {"policyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"},
        )
    ],
}

OFFENDING = [
    *(("execution-role-least-privilege", name, [each]) for name, each in WAYS_AROUND.items()),
    ("secret-cmk", "no key", [without(secret(), "kmsKeyId")]),
    ("secret-cmk", "the default key", [secret(kmsKeyId="alias/aws/secretsmanager")]),
    ("secret-cmk", "somebody else's alias", [secret(kmsKeyId="alias/other")]),
    ("secret-cmk", "an object for a key", [secret(kmsKeyId={"id": 1})]),
    ("secret-recovery-window", "no window", [secret(recoveryWindowInDays=0)]),
    ("secret-recovery-window", "a short window", [secret(recoveryWindowInDays=7)]),
    ("secret-recovery-window", "a word for a number", [secret(recoveryWindowInDays="thirty")]),
    ("secret-naming", "another prefix", [secret("mongo-app-read")]),
    ("secret-naming", "upper case", [secret("staging/mongodb/AppRead")]),
    ("secret-naming", "an unknown environment", [secret("qa/mongodb/app-read-v2")]),
    ("secret-naming", "no name", [without(secret(), "name")]),
    ("secret-protected", "not protected", [secret(protect=False)]),
    (
        "secret-protected",
        "not protected in an unknown stack",
        [secret("dev/mongodb/a", protect=False, stack="dev", kmsKeyId="11111111-2222")],
    ),
    ("no-plaintext-uri", "in a parameter", [make(PARAMETER, "p", {"value": CANARY})]),
    ("no-plaintext-uri", "in a tag", [secret(tags={"note": f"was {CANARY}"})]),
    ("no-plaintext-uri", "in a key of a tag", [secret(tags={CANARY: "x"})]),
    ("no-plaintext-uri", "in a description", [user(description=CANARY)]),
    (
        "no-plaintext-uri",
        "with escaped slashes",
        [make(PARAMETER, "p", {"value": CANARY.replace("/", "\\/")})],
    ),
    (
        "no-plaintext-uri",
        "deep in a document",
        [make(PARAMETER, "p", {"a": [{"b": [json.dumps({"c": CANARY})]}]})],
    ),
    (
        "no-plaintext-uri",
        "in capitals",
        [make(PARAMETER, "p", {"value": CANARY.replace("mongodb", "MongoDB")})],
    ),
    ("execution-role-least-privilege", "every secret", [role_policy([{**read_grant("a"), "Resource": "*"}])]),
    (
        "execution-role-least-privilege",
        "a name pattern",
        [role_policy([{**read_grant("a"), "Resource": arn("app-read-v2")[:-6] + "*"}])],
    ),
    (
        "execution-role-least-privilege",
        "every action",
        [role_policy([{**read_grant("app-read-v2"), "Action": "secretsmanager:*"}])],
    ),
    (
        "execution-role-least-privilege",
        "an action of everything",
        [role_policy([{"Effect": "Allow", "Action": "*", "Resource": arn("app-read-v2")}])],
    ),
    (
        "execution-role-least-privilege",
        "writing",
        [role_policy([{**read_grant("app-read-v2"), "Action": ["secretsmanager:PutSecretValue"]}])],
    ),
    ("execution-role-least-privilege", "every key", [role_policy([{**DECRYPT, "Resource": "*"}])]),
    (
        "execution-role-least-privilege",
        "NotResource",
        [
            role_policy(
                [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "NotResource": arn("a")}]
            )
        ],
    ),
    (
        "execution-role-least-privilege",
        "the runtime reads the schema secret",
        [role_policy([read_grant("admin-schema")])],
    ),
    (
        "execution-role-least-privilege",
        "a secret outside the prefix",
        [role_policy([{**read_grant("a"), "Resource": arn("a").replace("staging/mongodb", "stuff")}])],
    ),
    ("execution-role-least-privilege", "a managed policy", [managed([{**read_grant("a"), "Resource": "*"}])]),
    (
        "execution-role-least-privilege",
        "an AWS policy over all secrets",
        [
            make(
                types.ROLE_POLICY_ATTACHMENT,
                "a",
                {"policyArn": "arn:aws:iam::aws:policy/SecretsManagerReadWrite"},
            )
        ],
    ),
    (
        "execution-role-least-privilege",
        "an inline policy of a role",
        [
            make(
                types.ROLE,
                "r",
                {
                    "name": "r",
                    "inlinePolicies": [
                        {"policy": json.dumps({"Statement": [{**read_grant("a"), "Resource": "*"}]})}
                    ],
                },
            )
        ],
    ),
]


@pytest.mark.parametrize("resources", COMPLIANT.values(), ids=COMPLIANT.keys())
def test_a_compliant_case_passes(resources):
    assert set() == violations(judge(*resources))


@pytest.mark.parametrize(
    ("rule", "resources"), [(r, c) for r, _, c in OFFENDING], ids=[f"{r}: {n}" for r, n, _ in OFFENDING]
)
def test_an_offending_case_is_stopped_by_exactly_its_rule(rule, resources):
    assert {rule} == violations(judge(*resources))


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
        (
            make(types.SECRET, "s", {"name": UNKNOWN, "kmsKeyId": KEY_ARN}, protect=True),
            ("secret-naming", "name"),
        ),
        (
            make(types.ROLE_POLICY, "p", {"role": "r", "policy": UNKNOWN}),
            ("execution-role-least-privilege", "policy"),
        ),
    ],
)
def test_a_value_that_is_not_known_is_named(resource, expected):
    assert expected in unseen(judge(resource))
