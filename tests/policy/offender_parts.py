"""Compliant parts that the offending programs are made of, so that each program shows only what is wrong with it."""

import json

import pulumi
from policy_world import ACCOUNT, CLUSTER, FAMILY, PROJECT_ID, RUNTIME, USERS, arn, pinned, version_of

SCOPE = [{"name": CLUSTER, "type": "CLUSTER"}]
PROTECTED = pulumi.ResourceOptions(protect=True)


def account(name="app_read", password=None, role=None):
    """The arguments of a compliant database user."""
    held, database = USERS[name]
    return {
        "username": name,
        "project_id": PROJECT_ID,
        "auth_database_name": "admin",
        "password": password or (name.replace("_", "") + "Kq7" * 11)[:32],
        "roles": [{"role_name": role or held, "database_name": database}],
        "scopes": SCOPE,
        "opts": PROTECTED,
    }


def task(**changes):
    """The arguments of a compliant runtime task, which depends on a proof of every credential."""
    proofs = [
        pulumi.CustomResource(
            "pulumi-python:dynamic/probe:PrivilegeProof",
            f"proof-{part}",
            {
                "secret_arn": arn(part),
                "secret_version": version_of(part),
                "verdict": "proven",
                "attempts": 60,
            },
        )
        for part in RUNTIME.values()
    ]
    bound = [{"name": name, "valueFrom": pinned(part)} for name, part in RUNTIME.items()]
    plain = [{"name": name, "value": value} for name, value in changes.pop("environment", {}).items()]
    return {
        "family": FAMILY,
        "container_definitions": json.dumps([{"name": "app", "secrets": bound, "environment": plain}]),
        "execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/{FAMILY}-execution",
        "skip_destroy": True,
        "opts": pulumi.ResourceOptions(depends_on=proofs),
        **changes,
    }


def reads(*resources, action="secretsmanager:GetSecretValue"):
    """An IAM document with one Allow statement."""
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": action, "Resource": list(resources)}]})
