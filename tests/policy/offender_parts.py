"""Compliant parts that the offending programs are made of, so that each program shows only what is wrong with it."""

import json

import pulumi
from policy_world import CLUSTER, FAMILY, KEY_ARN, PROJECT_ID, RUNTIME, arn

VERSION = "5f0c8a52-0000-4000-8000-000000000001"
SCOPE = [{"name": CLUSTER, "type": "CLUSTER"}]


def held(role, database):
    """One role of a user, or one that a role inherits."""
    return [{"role_name": role, "database_name": database}]


READ = held("read", "askflorence")


def password(name):
    """32 alphanumeric characters of the user's own."""
    return (name.replace("_", "") + "Kq7" * 11)[:32]


def account(name="app_read", **changes):
    """The arguments of a compliant database user."""
    given = {
        "username": name,
        "project_id": PROJECT_ID,
        "auth_database_name": "admin",
        "password": password(name),
        "roles": READ,
        "scopes": SCOPE,
    }
    return {key: value for key, value in {**given, **changes}.items() if value is not None}


def role(*granted, name="role_x", **more):
    """The arguments of a custom role."""
    return {"project_id": PROJECT_ID, "role_name": name, "actions": list(granted), **more}


def grant(action, collection, database="askflorence", **more):
    """One action of a custom role on one collection."""
    resource = {"collection_name": collection, "database_name": database, **more}
    return {"action": action, "resources": [resource]}


def secret(**changes):
    """The arguments of a compliant secret; a change of None leaves an argument out."""
    protected = pulumi.ResourceOptions(protect=True)
    given = {"name": "staging/mongodb/app-read-v2", "kms_key_id": KEY_ARN, "opts": protected}
    return {key: value for key, value in {**given, **changes}.items() if value is not None}


def pinned(last_part):
    """A `valueFrom` that names one version."""
    return f"{arn(last_part)}:::{VERSION}"


def proofs(*more):
    """A proof of every runtime credential, as the program's dynamic resources register them."""
    return [
        pulumi.CustomResource(
            "pulumi-python:dynamic/probe:PrivilegeProof",
            f"proof-{part}",
            {"secret_arn": arn(part), "secret_version": VERSION, "verdict": "proven"},
        )
        for part in (*RUNTIME.values(), *more)
    ]


def containers(environment=None, **changes):
    """Container definitions with the four bindings; a change of None leaves a variable out."""
    sources = {name: pinned(part) for name, part in RUNTIME.items()}
    sources.update(changes)
    secrets = [{"name": name, "valueFrom": source} for name, source in sources.items() if source]
    plain = [{"name": name, "value": value} for name, value in (environment or {}).items()]
    return json.dumps([{"name": "app", "image": "app:1", "secrets": secrets, "environment": plain}])


def task(family=FAMILY, environment=None, proven=(), **changes):
    """The arguments of a compliant task definition; a change is of the container's variables."""
    return {
        "family": family,
        "container_definitions": containers(environment, **changes),
        "skip_destroy": True,
        "opts": pulumi.ResourceOptions(depends_on=proofs(*proven)),
    }


def reads(*resources, action="secretsmanager:GetSecretValue"):
    """An IAM document with one Allow statement."""
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": action, "Resource": list(resources)}]})
