"""A whole sandbox: what stands in it when it is up, and the private endpoint that can be cut."""

import json
import stat
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from service_fixture import until
from world_fixture import run_command, sandbox

from atlas_access.base.endpoints import Endpoints
from sandbox import health
from sandbox.aws.clients import client_of
from sandbox.chance import Chance, Kind
from sandbox.inventory import Inventory
from sandbox.world import SandboxError, World

ENVIRONMENTS = ("staging", "prod")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with sandbox(tmp_path_factory.mktemp("world") / "sandbox") as world:
        yield world


def aws(world: World, service: str, environment: str) -> Any:
    return client_of(world, environment, service)


def secret(world: World, name: str) -> str:
    store = aws(world, "secretsmanager", name.partition("/")[0])
    return store.get_secret_value(SecretId=name)["SecretString"]


def logged_in(uri: str) -> dict[str, Any]:
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=15000) as client:
        return client.admin.command("connectionStatus", showPrivileges=True)["authInfo"]


def test_every_part_is_alive(world: World) -> None:
    status = health.status(world.directory)
    assert ((), "") == (tuple(part for part in status.parts if not part.ok), status.remedy)


def test_every_address_is_loopback(world: World) -> None:
    for stack in ENVIRONMENTS:
        endpoints = Endpoints.from_environment(world.environment(stack))
        assert (True, "standard") == (endpoints.sandbox, endpoints.address_form)
        endpoints.permit_hosts([world.private_address, world.of(stack).mongod.address])


def test_the_variables_shut_out_a_persons_own_cloud_settings(world: World) -> None:
    variables = world.environment("prod")
    assert "true" == variables["AWS_EC2_METADATA_DISABLED"]
    assert variables["AWS_CONFIG_FILE"] == variables["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert "127.0.0.1" in variables["NO_PROXY"]


def test_each_stack_acts_in_its_own_account(world: World) -> None:
    found = [aws(world, "sts", name).get_caller_identity()["Account"] for name in ENVIRONMENTS]
    assert ["111111111111", "222222222222"] == found


def test_every_legacy_secret_logs_in_as_its_user_with_its_role(world: World) -> None:
    inventory = Inventory.load()
    for environment in ENVIRONMENTS:
        for user, held in inventory.secrets_in(environment):
            info = logged_in(secret(world, held.name))
            assert [user.name] == [entry["user"] for entry in info["authenticatedUsers"]]
            assert {"role": user.role_name, "db": user.role_database} in info["authenticatedUserRoles"]


def test_the_local_reader_lacks_the_reference_collections(world: World) -> None:
    with MongoClient[dict[str, Any]](secret(world, "staging/mongodb/app-read")) as client:
        assert 14 == client.askflorence.plans.count_documents({})
        with pytest.raises(OperationFailure) as refused:
            client.askflorence.providers_staging.find_one()
    assert 13 == refused.value.code


def test_files_with_keys_are_for_their_owner_alone(world: World) -> None:
    assert 0o700 == stat.S_IMODE(world.directory.stat().st_mode)
    for name in ("keys.json", "sandbox.json", "processes.json"):
        assert 0o600 == stat.S_IMODE((world.directory / name).stat().st_mode)


def test_neither_the_record_nor_the_logs_hold_a_secret(world: World) -> None:
    record = (world.directory / "sandbox.json").read_text() + repr(world)
    logs = "".join(path.read_text(errors="replace") for path in (world.directory / "logs").glob("*.log"))
    stored = [secret(world, each.name) for _, each in Inventory.load().secrets_in("staging")]
    legacy = [each.split("@")[0].rpartition(":")[2] for each in stored]
    assert [] == [value for value in (*world.secrets(), *legacy) if value in record or value in logs]


def test_control_needs_the_sandboxs_token(world: World) -> None:
    answer = requests.post(f"{world.control_url}/control/private-endpoint", json={"open": False}, timeout=5)
    assert 401 == answer.status_code


def test_services_that_are_not_run_answer_on_loopback_that_they_are_not(world: World) -> None:
    variables = world.environment("staging")
    for name in ("ATLAS_ACCESS_SMOKE_URL", "ATLAS_ACCESS_CONTACTS_URL", "GITHUB_API_URL"):
        assert 503 == requests.get(f"{variables[name]}/anything", timeout=5).status_code


def test_the_private_endpoint_can_be_cut_and_restored_apart_from_the_public_address(world: World) -> None:
    private = secret(world, "prod/mongodb/reference-uri")
    public = secret(world, "staging/mongodb/reference-uri")
    assert world.private_address in private
    assert world.private_address not in public
    world.private_endpoint(open_=False)
    try:
        started = time.monotonic()
        with (
            MongoClient[dict[str, Any]](private, serverSelectionTimeoutMS=300) as client,
            pytest.raises(PyMongoError, match="refused"),
        ):
            client.askflorence.plans.find_one()
        assert time.monotonic() - started < 3
        assert "app_read_staging" == logged_in(public)["authenticatedUsers"][0]["user"]
        assert "private endpoint is cut" in health.status(world.directory).remedy
    finally:
        world.private_endpoint(open_=True)
    assert "app_read_staging" == logged_in(private)["authenticatedUsers"][0]["user"]


def test_cutting_the_private_endpoint_drops_open_connections(world: World) -> None:
    with MongoClient[dict[str, Any]](
        secret(world, "prod/mongodb/reference-uri"), serverSelectionTimeoutMS=300, retryReads=False
    ) as client:
        client.askflorence.plans.find_one()
        world.private_endpoint(open_=False)
        try:
            with pytest.raises(PyMongoError):
                client.askflorence.plans.find_one()
        finally:
            world.private_endpoint(open_=True)


def doctor(world: World, stack: str) -> dict[str, dict[str, str]]:
    done = run_command(world, stack, "doctor", stack, "--format", "json")
    assert (1, "") == (done.returncode, done.stderr)  # no baseline is there yet
    return {each["name"]: each for each in json.loads(done.stdout)["checks"]}


def test_the_doctor_asks_every_right_and_address(world: World) -> None:
    found = doctor(world, "prod")
    other = {name: each["state"] for name, each in found.items() if each["state"] != "ok"}
    assert {"baseline": "wrong"} == other
    assert "in project 69dc20c64005b222804dafa4 alone" in found["Atlas credentials"]["message"]
    assert "the server answers" == found["network, private address of staging"]["message"]
    assert "44 of 44 allowed" in found["rights"]["message"]


def test_the_doctor_names_a_right_that_is_missing(world: World) -> None:
    iam = aws(world, "iam", "staging")
    denied = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "ecs:Tag*", "Resource": "*"}],
    }
    about = {"RoleName": "atlas-access-deployer", "PolicyName": "no-tags"}
    iam.put_role_policy(**about, PolicyDocument=json.dumps(denied))
    try:
        found = doctor(world, "staging")
    finally:
        iam.delete_role_policy(**about)
    missing = found["rights for the lease, the pause and the record of what is bound"]
    assert ("wrong", "ecs:TagResource: explicitDeny (service)") == (missing["state"], missing["message"])
    assert "wrong" == found["rights"]["state"]


def test_a_stack_that_is_not_there_is_named_with_those_that_are(world: World) -> None:
    with pytest.raises(SandboxError, match="it has staging and prod"):
        world.environment("dev")


def test_the_clusters_hold_more_than_plain_collections_and_are_never_idle(world: World) -> None:
    with MongoClient[dict[str, Any]](world.of("staging").mongod.root_uri, directConnection=True) as root:
        found = {each["name"]: each for each in root.askflorence.list_collections()}
        kinds = {name: found[name]["type"] for name in ("mrpuf_issuers_staging", "audit_log")}
        assert {"mrpuf_issuers_staging": "view", "audit_log": "timeseries"} == kinds
        assert found["mrf_file_state_staging"]["options"]["capped"]
        assert "validator" in found["agent_waitlist_submissions"]["options"]
        assert 4 == root.askflorence.mrpuf_issuers_staging.count_documents({})
        written = root.askflorence.agent_audit_log.estimated_document_count()
        held = [{"$currentOp": {"idleSessions": True}}, {"$match": {"transaction": {"$exists": True}}}]
        assert until(lambda: root.askflorence.agent_audit_log.estimated_document_count() > written)
        assert until(lambda: list(root.admin.aggregate(held)))


def test_a_secret_has_versions_of_before_one_without_a_label(world: World) -> None:
    asked = {"SecretId": "staging/mongodb/app-read", "IncludeDeprecated": True}
    versions = aws(world, "secretsmanager", "staging").list_secret_version_ids(**asked)["Versions"]
    labels = sorted(each.get("VersionStages") or [] for each in versions)
    assert [[], ["AWSCURRENT"], ["AWSPREVIOUS"]] == labels


def test_trouble_comes_by_the_seed_alone() -> None:
    first, again, other = (Chance(seed) for seed in ("7 aws", "7 aws", "8 aws"))
    drawn, repeated, else_ = ([each.draw() for _ in range(2000)] for each in (first, again, other))
    assert (True, False) == (drawn == repeated, drawn == else_)
    assert set(Kind) == {each.kind for each in drawn if each}
    assert 20 < sum(each is not None for each in drawn) < 60
