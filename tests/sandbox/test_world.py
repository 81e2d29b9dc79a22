"""A whole sandbox: what stands in it when it is up, and the private endpoint that can be cut."""

import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from requests.auth import HTTPDigestAuth

from atlas_access.base.endpoints import Endpoints
from sandbox import health, lifecycle
from sandbox.aws_clients import client_of
from sandbox.estate import Estate
from sandbox.world import SandboxError, World

ENVIRONMENTS = ("staging", "prod")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("world") / "sandbox"
    yield lifecycle.up(directory)
    lifecycle.down(directory)


def aws(world: World, service: str, environment: str) -> Any:
    return client_of(world, environment, service)


def secret(world: World, name: str) -> str:
    value: str = aws(world, "secretsmanager", name.partition("/")[0]).get_secret_value(SecretId=name)[
        "SecretString"
    ]
    return value


def logged_in(uri: str) -> dict[str, Any]:
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=15000) as client:
        info: dict[str, Any] = client.admin.command("connectionStatus", showPrivileges=True)["authInfo"]
        return info


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


def test_providers_of_both_stacks_are_named_with_their_ports(world: World) -> None:
    for stack in ENVIRONMENTS:
        ports = world.of(stack).provider_ports
        assert {"aws", "mongodbatlas", "random"} == set(ports)
        assert (
            ",".join(f"{n}:{p}" for n, p in ports.items())
            == world.environment(stack)["PULUMI_DEBUG_PROVIDERS"]
        )


def test_each_stack_acts_in_its_own_account(world: World) -> None:
    found = [aws(world, "sts", name).get_caller_identity()["Account"] for name in ENVIRONMENTS]
    assert ["111111111111", "222222222222"] == found


def test_every_legacy_secret_logs_in_as_its_user_with_its_role(world: World) -> None:
    estate = Estate.load()
    for environment in ENVIRONMENTS:
        for user, held in estate.secrets_in(environment):
            info = logged_in(secret(world, held.name))
            assert [user.name] == [entry["user"] for entry in info["authenticatedUsers"]]
            assert {"role": user.role_name, "db": user.role_database} in info["authenticatedUserRoles"]


def test_the_plan_writers_real_privileges_are_the_runbooks(world: World) -> None:
    info = logged_in(secret(world, "staging/mongodb/plans-write"))
    granted = {p["resource"]["collection"]: set(p["actions"]) for p in info["authenticatedUserPrivileges"]}
    wanted = {"find", "insert", "update", "remove", "createIndex", "dropIndex", "collMod"}
    assert {"plans", "zip_county", "regions", "plan_years", "audit_log"} <= set(granted)
    assert wanted <= granted["plans"]


def test_the_local_reader_lacks_the_reference_collections(world: World) -> None:
    with MongoClient[dict[str, Any]](secret(world, "staging/mongodb/app-read")) as client:
        assert 14 == client.askflorence.plans.count_documents({})
        with pytest.raises(OperationFailure) as refused:
            client.askflorence.providers_staging.find_one()
    assert 13 == refused.value.code


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_projects_list_the_legacy_users(world: World, environment: str) -> None:
    here = world.of(environment)
    answer = requests.get(
        f"{world.atlas_url}/api/atlas/v2/groups/{here.project_id}/databaseUsers",
        auth=HTTPDigestAuth(here.atlas.public, here.atlas.private),
        headers={"Accept": "application/vnd.atlas.2023-01-01+json"},
        timeout=5,
    )
    names = {user["username"] for user in answer.json()["results"]}
    assert {user.name for user in Estate.load().users_of(environment)} == names


def test_the_demonstrations_contract_holds_in_the_data(world: World) -> None:
    with MongoClient[dict[str, Any]](world.of("staging").mongod.root_uri, directConnection=True) as client:
        data = client.askflorence
        place = data.zip_county.find_one({"zip": "84094"})
        assert place is not None
        plans = data.plans.distinct("plan_id", {"state": place["state"], "rating_area": place["rating_area"]})
        provider = data.providers_staging.find_one({"name": "Tyler Wood"})
        assert provider is not None
        assert 14 == len(plans)
        assert set(plans) == set(provider["plan_ids"])
        for drug in ("Synthroid", "Lipitor"):
            tiers = data.formularies_staging.distinct(
                "drug_tier", {"drug_name": drug, "plan_id": {"$in": plans}}
            )
            assert 14 == data.formularies_staging.count_documents(
                {"drug_name": drug, "plan_id": {"$in": plans}}
            )
            assert {"PreferredBrand", "Generic"} == set(tiers)
        check = {"rxcui": "1364441", "plan_id": "42261UT0060023", "year": 2026}
        entry = data.formularies_staging.find_one(check)
        assert entry is not None
        assert ("Covered", "PreferredBrand") == (entry["coverage"], entry["drug_tier"])


def test_reference_collections_live_on_staging_only(world: World) -> None:
    found = {}
    for environment in ENVIRONMENTS:
        with MongoClient[dict[str, Any]](
            world.of(environment).mongod.root_uri, directConnection=True
        ) as client:
            found[environment] = set(client.askflorence.list_collection_names())
    reference = {
        "formularies_staging",
        "providers_staging",
        "mrpuf_issuers_staging",
        "mrf_file_state_staging",
    }
    assert reference == found["staging"] - found["prod"]
    assert 13 == len(found["prod"])


def test_files_with_keys_are_for_their_owner_alone(world: World) -> None:
    assert 0o700 == stat.S_IMODE(world.directory.stat().st_mode)
    for name in ("keys.json", "sandbox.json", "processes.json"):
        assert 0o600 == stat.S_IMODE((world.directory / name).stat().st_mode)


def test_neither_the_record_nor_the_logs_hold_a_secret(world: World) -> None:
    record = (world.directory / "sandbox.json").read_text() + repr(world)
    logs = "".join(path.read_text(errors="replace") for path in (world.directory / "logs").glob("*.log"))
    legacy = [
        secret(world, s.name).split("@")[0].rpartition(":")[2] for _, s in Estate.load().secrets_in("staging")
    ]
    assert [] == [value for value in (*world.secrets(), *legacy) if value in record or value in logs]


def test_control_needs_the_sandboxs_token(world: World) -> None:
    answer = requests.post(f"{world.control_url}/control/private-endpoint", json={"open": False}, timeout=5)
    assert 401 == answer.status_code


def test_services_that_are_not_run_answer_on_loopback_that_they_are_not(world: World) -> None:
    variables = world.environment("staging")
    for name in ("ATLAS_ACCESS_SMOKE_URL", "ATLAS_ACCESS_HUBSPOT_URL", "GITHUB_API_URL"):
        assert 503 == requests.get(f"{variables[name]}/anything", timeout=5).status_code


def test_the_private_endpoint_can_be_cut_and_restored_apart_from_the_public_address(world: World) -> None:
    private, public = (
        secret(world, "prod/mongodb/reference-uri"),
        secret(world, "staging/mongodb/reference-uri"),
    )
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


def test_a_stack_that_is_not_there_is_named_with_those_that_are(world: World) -> None:
    with pytest.raises(SandboxError, match="it has staging and prod"):
        world.environment("dev")


def test_the_world_is_the_same_when_it_is_loaded_again(world: World) -> None:
    assert world == World.load(Path(world.directory))


def test_logs_can_be_read_part_by_part(world: World) -> None:
    parts = {part for part, _ in lifecycle.logs(world.directory)}
    assert {"supervisor", "mongod-staging", "mongod-prod"} == parts
    assert 3 == len(lifecycle.logs(world.directory, "mongod-prod", lines=3))
    with pytest.raises(SandboxError, match="no log of 'atlas'"):
        lifecycle.logs(world.directory, "atlas")
