"""What a finding of the drift check advises is carried out in a whole sandbox, and the finding goes.

`tests/remedies.yaml` lists every code whose message names a remedy, with the test that does so or the reason why none
can; a test holds the list to the code.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from atlas_fixture import role_body
from drift_by_hand import AGENTS, AUDIT, AUDIT_ACTIONS, AUDITED, RESOURCES, SCHEMA, external
from drift_fixture import add_user, change_role, change_user, done, find, held
from pymongo import MongoClient
from test_drift_world import api, secrets_manager
from world_fixture import ROOT, UNGATED, deployed, enter, sandbox

from atlas_access.base import Endpoints
from atlas_access.clients import sign_in_from
from atlas_access.drift import Kind, Wanted, observe_stack
from atlas_access.manifest import load_manifest
from atlas_access.rollout import settings_of
from sandbox.aws.clients import client_of
from sandbox.world import World

SCOPE = {"name": "askflorence-staging", "type": "CLUSTER"}
SECRET = "staging/mongodb/app-write-v2"
APP = "askflorence-staging-app"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with sandbox(tmp_path_factory.mktemp("remedies"), propagation_seconds=0.1) as world:
        assert "" == deployed(world, "staging", "bind", settings=UNGATED).failure
        yield world


@pytest.fixture(name="here")
def _here(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    return enter(world, "staging", monkeypatch)


def up(world: World, *, refresh: bool = False) -> None:
    """`pulumi up`, or `pulumi up --refresh`."""
    assert "" == deployed(world, "staging", "bind", settings=UNGATED, refresh=refresh).failure


def kinds(world: World, *, whole: bool = True) -> set[Kind]:
    """What the drift check finds on a stack in phase bind."""
    endpoints = Endpoints.from_environment(world.environment("staging"))
    settings = settings_of("staging", endpoints)
    settings = settings.model_copy(update={"phase": "bind"})
    manifest = load_manifest((ROOT / "access.yaml").read_bytes())
    wanted = Wanted("staging", manifest, settings, (), datetime.now(UTC))
    found = observe_stack(wanted, sign_in_from(world.environment("staging")), endpoints)
    assert not (whole and found.unread), found.unread
    return {each.kind for each in found.findings}


def no_longer(world: World, before: set[Kind], expected: set[Kind]) -> None:
    assert expected <= before, expected - before
    assert set() == kinds(world)


def users(world: World) -> None:
    atlas = api(world)
    done(atlas.send("DELETE", "/databaseUsers/admin/app_write"))
    roles = held("read@askflorence", "atlasAdmin@admin")
    change_user(atlas, "app_read", roles=roles, scopes=[SCOPE, {"name": "lake", "type": "DATA_LAKE"}])
    change_user(atlas, "app_admin_schema", scopes=[])
    change_user(atlas, "app_audit_writer", roles=held("role_reader_reference@admin"))
    done(atlas.send("DELETE", f"/customDBRoles/roles/{AUDIT}"))


def roles(world: World) -> None:
    atlas = api(world)
    change_role(atlas, AUDIT, [*AUDIT_ACTIONS, find("agent_audit_log", "UPDATE")])
    change_role(atlas, "role_admin_schema", [{"action": "FIND", "resources": RESOURCES[:2]}, *SCHEMA[1:3]])
    change_user(atlas, "app_write", roles=held("readWrite@elsewhere"))
    key = client_of(world, "staging", "kms").create_key()["KeyMetadata"]["Arn"]
    secrets_manager(world).update_secret(SecretId=SECRET, KmsKeyId=key)


def wider(world: World) -> None:
    found = [{"action": "FIND", "resources": [*AUDITED, *AGENTS]}, AUDIT_ACTIONS[1]]
    change_role(api(world), AUDIT, found, inheritedRoles=[{"role": "readWrite", "db": "askflorence"}])
    secrets_manager(world).delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            users,
            {
                Kind.USER_MISSING,
                Kind.BUILTIN_ESCALATION,
                Kind.SCOPE_EXTRA,
                Kind.SCOPE_MISSING,
                Kind.ROLE_MISSING,
            }
            | {Kind.ROLE_HELD_EXTRA, Kind.ROLE_HELD_MISSING, Kind.PRIVILEGE_EXTRA},
        ),
        (
            roles,
            {Kind.ACTION_EXTRA, Kind.ACTION_MISSING, Kind.COLLECTION_MISSING, Kind.ROLE_WRONG_DATABASE}
            | {Kind.SECRET_KEY},
        ),
        (wider, {Kind.COLLECTION_EXTRA, Kind.INHERITED_EXTRA, Kind.SECRET_MISSING}),
    ],
)
def test_what_was_changed_by_hand_is_restored_by_an_update_with_refresh(
    here: World, change: Callable[[World], None], expected: set[Kind]
) -> None:
    change(here)
    found = kinds(here)
    up(here, refresh=True)
    no_longer(here, found, expected)


def test_what_was_made_by_hand_goes_as_it_is_advised(here: World) -> None:
    atlas, store, kms = api(here), secrets_manager(here), client_of(here, "staging", "kms")
    add_user(atlas, "intruder", "read@askflorence")
    external("CN=ops,O=example", x509Type="CUSTOMER")(atlas)
    done(atlas.send("POST", "/customDBRoles/roles", role_body("role_backdoor")))
    policy = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [policy]}
    store.put_resource_policy(SecretId=SECRET, ResourcePolicy=json.dumps(policy))
    store.delete_secret(SecretId="staging/mongodb/audit-write", RecoveryWindowInDays=7)
    with MongoClient[dict[str, Any]](here.of("staging").mongod.root_uri, directConnection=True) as root:
        root.askflorence.create_collection("scratch")
    legacy = here.of("staging").mongod.root_uri
    done(atlas.send("DELETE", "/databaseUsers/admin/app_writer_survey"))
    found = kinds(here)
    done(atlas.send("DELETE", "/databaseUsers/admin/intruder"))
    done(atlas.send("DELETE", "/databaseUsers/$external/CN=ops,O=example"))
    done(atlas.send("DELETE", "/customDBRoles/roles/role_backdoor"))
    store.delete_resource_policy(SecretId=SECRET)
    store.restore_secret(SecretId="staging/mongodb/audit-write")
    add_user(atlas, "app_writer_survey", "role_writer_survey@admin")
    with MongoClient[dict[str, Any]](legacy, directConnection=True) as root:
        root.askflorence.drop_collection("scratch")
    expected = {Kind.USER_UNMANAGED, Kind.USER_SIGN_IN, Kind.ROLE_UNMANAGED, Kind.SECRET_POLICY}
    expected |= {Kind.SECRET_RECOVERY, Kind.COLLECTION_UNDECLARED, Kind.LEGACY_MISSING}
    no_longer(here, found, expected)
    key = kms.describe_key(KeyId="alias/askflorence-staging")["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    found = kinds(here, whole=False)
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    no_longer(here, found, {Kind.KEY_UNUSABLE})


def test_a_revision_registered_by_hand_is_replaced_by_an_update(here: World) -> None:
    ecs, store = client_of(here, "staging", "ecs"), secrets_manager(here)
    arns = {
        name: store.describe_secret(SecretId=name)["ARN"]
        for name in (SECRET, "staging/mongodb/reference-uri")
    }

    def change(secrets: dict[str, str]) -> None:
        secrets["MONGODB_REFERENCE_URI"] = arns["staging/mongodb/reference-uri"]
        secrets["MONGODB_URI"] = arns[SECRET]
        secrets["MONGODB_AUDIT_WRITE_URI"] = ":".join(secrets["MONGODB_AUDIT_WRITE_URI"].split(":")[:7])
        del secrets["MONGODB_WRITE_URI"]

    run_changed(here, ecs, change)
    found = kinds(here)
    up(here)
    expected = {Kind.BINDING_LEGACY, Kind.BINDING_WRONG, Kind.BINDING_UNPINNED, Kind.BINDING_MISSING}
    no_longer(here, found, expected)


def run_changed(world: World, ecs: Any, change: Callable[[dict[str, str]], None]) -> None:
    """Register the running revision again with other secrets, and let the service run it."""
    definition = ecs.describe_task_definition(taskDefinition=APP)["taskDefinition"]
    kept = ("family", "containerDefinitions", "networkMode", "requiresCompatibilities", "cpu", "memory")
    asked = {key: definition[key] for key in (*kept, "taskRoleArn", "executionRoleArn")}
    container = asked["containerDefinitions"][0]
    secrets = {each["name"]: each["valueFrom"] for each in container["secrets"]}
    change(secrets)
    container["secrets"] = [{"name": name, "valueFrom": value} for name, value in secrets.items()]
    made = ecs.register_task_definition(**asked)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster="askflorence-staging", service=APP, taskDefinition=made)
    settled(ecs)


def settled(ecs: Any) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        (found,) = ecs.describe_services(cluster="askflorence-staging", services=[APP])["services"]
        if [each["rolloutState"] for each in found["deployments"]] == ["COMPLETED"]:
            return
        time.sleep(0.2)


def test_a_user_that_somebody_made_temporary_is_made_permanent(here: World) -> None:
    atlas = api(here)
    done(atlas.send("DELETE", "/databaseUsers/admin/app_write"))
    soon = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    add_user(atlas, "app_write", "readWrite@askflorence", scopes=[SCOPE], deleteAfterDate=soon)
    found = kinds(here)
    done(atlas.send("DELETE", "/databaseUsers/admin/app_write"))
    up(here, refresh=True)
    no_longer(here, found, {Kind.USER_TEMPORARY})


def test_a_legacy_role_is_narrowed_again(here: World) -> None:
    atlas = api(here)
    before = atlas.send("GET", "/customDBRoles/roles/role_writer_plans").json()["actions"]
    change_role(atlas, "role_writer_plans", [find("", "REMOVE")])
    found = kinds(here)
    change_role(atlas, "role_writer_plans", before)
    no_longer(here, found, {Kind.ROLE_WIDE})


def test_a_value_that_was_put_by_hand_goes_when_the_bound_version_is_current_again(here: World) -> None:
    store, name = secrets_manager(here), "staging/mongodb/app-read-v2"
    bound = store.get_secret_value(SecretId=name)
    for added, kind in (("", Kind.SECRET_STALE), ("&tls=true&tlsInsecure=true", Kind.CONNECTION_WEAK)):
        value = bound["SecretString"] + added
        put = store.put_secret_value(SecretId=name, SecretString=value)["VersionId"]
        found = kinds(here, whole=False)
        stage = {"VersionStage": "AWSCURRENT", "MoveToVersionId": bound["VersionId"]}
        store.update_secret_version_stage(SecretId=name, RemoveFromVersionId=put, **stage)
        no_longer(here, found, {kind, Kind.SECRET_STALE})


def test_a_binding_that_nobody_declared_goes_with_a_revision_without_it(here: World) -> None:
    ecs = client_of(here, "staging", "ecs")
    arn = secrets_manager(here).describe_secret(SecretId="staging/mongodb/app-read-v2")["ARN"]
    run_changed(here, ecs, lambda secrets: secrets.update(MONGODB_SIDE_DOOR=arn))
    found = kinds(here)
    refused = deployed(here, "staging", "bind", settings=UNGATED)
    assert "binds MONGODB_SIDE_DOOR, which access.yaml does not know" in refused.failure
    run_changed(here, ecs, lambda secrets: secrets.pop("MONGODB_SIDE_DOOR"))
    up(here)
    no_longer(here, found, {Kind.BINDING_UNDECLARED})
