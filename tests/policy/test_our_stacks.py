"""The pack against what our own components declare: nothing but the known waiver's advice, in every stack and phase."""

import sys
import uuid
from functools import cache
from pathlib import Path

import pulumi
import pytest
from policy_capture import capture_run

sys.path.insert(0, str(Path(__file__).parents[1] / "program"))

from recorder import MANIFEST, ROOT, Recorder, definition, observed, program

from atlas_access.clients.ecs import RunningRevision
from atlas_access.manifest.load import ManifestInvalid, load_manifest
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

STACKS = [(stack, phase) for stack in ACCOUNTS for phase in ("provision", "bind")]


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


@cache
def captured(stack, phase, manifest=MANIFEST, **changes):
    declare = program(stack, phase, world(stack), manifest, **changes)
    return capture_run(declare, stack, Cloud(received=REFERENCE))


def said(packs, stack, phase, manifest=MANIFEST):
    pack, found = packs(phase, stack), captured(stack, phase, manifest)
    lines = [line for request in found.analyze for line in pack.analyze(request)]
    return [*lines, *pack.analyze_stack(found.stack)]


@pytest.mark.parametrize(("stack", "phase"), STACKS)
def test_our_stack_has_nothing_but_the_known_waivers_advice(packs, stack, phase):
    lines = said(packs, stack, phase)

    assert [("audit-log-append-only-advisory", False)] == [(name, stops) for name, stops, _, _ in lines]


def with_users(*names):
    """The manifest with more users: read-only ones, as the admin dashboard's fifth would be beside its views."""
    text = (ROOT / "access.yaml").read_text(encoding="utf-8")
    more = "".join(
        f'  {name}:\n    role: read@askflorence\n    secret: "{{env}}/mongodb/{name.replace("_", "-")}"\n'
        for name in names
    )
    return text.replace("\n# What exists today", f"{more}\n# What exists today", 1)


@pytest.mark.parametrize("stack", ACCOUNTS)
def test_a_stack_with_the_fifth_user_is_declared_and_the_cap_announced(packs, stack):
    fifth = load_manifest(with_users("app_admin_full"))
    users = [each for each in captured(stack, "bind", fifth).analyze if each.type.endswith(":DatabaseUser")]
    lines = said(packs, stack, "bind", fifth)

    assert (5, {("audit-log-append-only-advisory", False), ("user-cap-advisory", False)}) == (
        len(users),
        {(name, stops) for name, stops, _, _ in lines},
    )


def test_a_sixth_user_reaches_no_stack():
    with pytest.raises(ManifestInvalid, match="a sixth user; a cluster has at most 5"):
        load_manifest(with_users("app_admin_full", "app_reports"))


@pytest.mark.parametrize(("stack", "phase"), STACKS)
def test_the_advice_names_the_user_and_its_waivers(packs, stack, phase):
    ((_, _, message, _),) = said(packs, stack, phase)

    assert ("DatabaseUser app_write: may", True) == (
        message.splitlines()[1][:27],
        "W1 (ADR 0006), W2 (ADR 0006)" in message,
    )


@pytest.mark.parametrize("stack", ACCOUNTS)
def test_a_bound_stack_declares_tasks_and_a_rollout_and_provision_does_not(stack):
    def kinds(phase):
        return {each.type.rsplit(":", 1)[-1] for each in captured(stack, phase).analyze}

    assert (set(), {"TaskDefinition", "Rollout", "PriorRevision"}) == (
        kinds("provision") & {"TaskDefinition", "Rollout", "PriorRevision"},
        kinds("bind") & {"TaskDefinition", "Rollout", "PriorRevision"},
    )


@pytest.mark.parametrize("stack", ACCOUNTS)
def test_what_bind_declares_is_refused_in_provision(packs, stack):
    pack, found = packs("provision", stack), captured(stack, "bind")

    lines = [line for request in found.analyze for line in pack.analyze(request)]

    assert {"additive-provision"} == {name for name, stops, _, _ in lines if stops}


def test_a_binding_whose_proof_is_left_out_is_refused(packs):
    pack, found = packs("bind"), captured("staging", "bind")
    without = [each for each in found.analyze if not each.type.endswith(":PrivilegeProof")]

    lines = [line for request in without for line in pack.analyze(request)]

    assert {"proof-before-bind"} == {name for name, stops, _, _ in lines if stops}


def test_no_message_about_our_stacks_holds_a_password(packs):
    messages = [message for stack, phase in STACKS for _, _, message, _ in said(packs, stack, phase)]

    assert not any("canary" in message or "Pw000" in message for message in messages)
