"""What our own components declare for a stack, captured against recorded answers of AWS and Atlas."""

import json
import sys
import uuid
from functools import cache
from pathlib import Path

import pulumi
from policy_capture import capture_run

sys.path.insert(0, str(Path(__file__).parents[1] / "program"))

from recorder import ADDRESSES, MANIFEST, Recorder, definition, observed, program

from atlas_access.clients.ecs import RunningRevision
from components.connection_secret import AdoptedSecret

ACCOUNTS = {"staging": "111111111111", "prod": "222222222222"}
CANARY = "Zu7canary9Zu7canary9Zu7canary9Zu"
REFERENCE = f"mongodb://app_read:{CANARY}@127.0.0.2:27118/askflorence?authSource=admin&directConnection=true"
SETTINGS = [
    {"name": name, "value": value}
    for name, value in (
        ("MONGODB_DB", "askflorence"),
        ("MONGODB_MAX_POOL_SIZE", "20"),
        ("MONGODB_APP_NAME", "app"),
    )
]
"""Plain variables that carry no credential, as many services have them beside their connection strings."""


class Cloud(Recorder):
    """Answers as AWS and Atlas do: full ARNs of the stack's own account, versions as UUIDs, a canary as password."""

    def new_resource(self, args):
        identity, outputs = super().new_resource(args)
        stack = pulumi.get_stack()
        match args.typ.rsplit(":", 1)[-1]:
            case "RandomPassword":
                outputs["result"] = (args.name.replace("_", "") + CANARY)[:32]
            case "Secret":
                outputs["arn"] = secret_arn(stack, outputs["name"])
                return outputs["arn"], outputs
            case "TaskDefinition":
                outputs["arn"] = (
                    f"arn:aws:ecs:us-east-1:{ACCOUNTS[stack]}:task-definition/{outputs['family']}:8"
                )
            case "SecretVersion":
                outputs["versionId"] = str(uuid.uuid5(uuid.NAMESPACE_DNS, args.name))
        return identity, outputs


def secret_arn(stack, name):
    return f"arn:aws:secretsmanager:us-east-1:{ACCOUNTS[stack]}:secret:{name}-AbCdEf"


def revision(stack, kind, *variables):
    family, role = f"askflorence-{stack}-{kind}", f"askflorence-{stack}-{kind}-execution"
    given = definition(family, role, *variables)
    given["containerDefinitions"][0]["environment"] = SETTINGS
    return {**given, "executionRoleArn": f"arn:aws:iam::{ACCOUNTS[stack]}:role/{role}"}


def world(stack):
    """What runs before the migration: both families on legacy secrets, in the stack's own account."""
    runtime = revision(stack, "app", "MONGODB_URI", "MONGODB_URI_PLANS_WRITE", "HUBSPOT_TOKEN")
    schema = revision(stack, "schema", "MONGODB_URI_ADMIN_SCHEMA")
    of = f"arn:aws:ecs:us-east-1:{ACCOUNTS[stack]}:task-definition"
    adopted = f"{stack}/mongodb/admin-schema"
    return observed(
        stack,
        kms_key_arn=f"arn:aws:kms:us-east-1:{ACCOUNTS[stack]}:key/11111111-2222-3333-4444-555555555555",
        running=RunningRevision(f"{of}/askflorence-{stack}-app:7", runtime, 2, 2),
        schema=RunningRevision(f"{of}/askflorence-{stack}-schema:1", schema),
        adopted={adopted: AdoptedSecret(secret_arn(stack, adopted), str(uuid.UUID(int=7)))},
    )


def addresses(stack):
    """Those of the stack's own cluster."""
    own = "askflorence-staging" if stack == "staging" else "askflorence-prod-01"
    return json.loads(json.dumps(ADDRESSES).replace("askflorence-staging", own))


@cache
def captured(stack, phase, manifest=MANIFEST, **changes):
    declare = program(stack, phase, world(stack), manifest, **changes)
    return capture_run(declare, stack, Cloud(received=REFERENCE, cluster=addresses(stack)))
