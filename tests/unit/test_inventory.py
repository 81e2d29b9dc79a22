"""The legacy inventory, and that it is the one that the manifest retires."""

from collections import Counter
from pathlib import Path

import pytest

from atlas_access.manifest.load import load_manifest
from atlas_access.manifest.model import Manifest
from sandbox.inventory import Inventory

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return Inventory.load()


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest((ROOT / "access.yaml").read_text())


def test_there_are_ten_users_on_staging_and_four_on_prod(inventory: Inventory) -> None:
    assert {"staging": 10, "prod": 4} == Counter(user.environment for user in inventory.users)


def test_every_legacy_user_exists_with_its_role_and_secrets(inventory: Inventory, manifest: Manifest) -> None:
    declared = {
        (user.environment, user.name, str(user.role)): {
            (s.environment, s.name, s.variable) for s in user.secrets
        }
        for user in manifest.legacy
    }
    there = {
        (user.environment, user.name, f"{user.role_name}@{user.role_database}"): {
            (s.environment, s.name, s.variable) for s in user.secrets
        }
        for user in inventory.users
        if user.name != "app_admin_schema"
    }
    assert declared == there


def test_what_the_manifest_adopts_exists_with_equal_grants(inventory: Inventory, manifest: Manifest) -> None:
    declared = {grant.action: grant.collections for grant in manifest.role("role_admin_schema").grants}
    assert declared == dict(inventory.roles["role_admin_schema"])
    for environment in ("staging", "prod"):
        secrets = {secret.name for _, secret in inventory.secrets_in(environment)}
        assert manifest.user("app_admin_schema").secret_name(environment) in secrets


def test_the_plan_writer_may_what_the_runbook_gives_it(inventory: Inventory) -> None:
    role = inventory.roles["role_writer_plans"]
    assert ["FIND", "INSERT", "UPDATE", "REMOVE", "CREATE_INDEX", "DROP_INDEX", "COLL_MOD"] == list(role)
    assert {("plans", "zip_county", "regions", "plan_years", "audit_log")} == set(role.values())


def test_the_agent_writer_may_only_append_to_the_audit_log(inventory: Inventory) -> None:
    role = inventory.roles["role_writer_agents"]
    assert ["FIND", "INSERT"] == [action for action, where in role.items() if "agent_audit_log" in where]


def test_every_role_names_collections_of_the_manifest(inventory: Inventory, manifest: Manifest) -> None:
    known = {collection.name for collection in manifest.collections}
    used = {name for role in inventory.roles.values() for where in role.values() for name in where}
    assert set() == used - known


def test_prods_reference_secret_holds_stagings_reader_by_the_private_address(inventory: Inventory) -> None:
    found = {s.name: (u.environment, u.name, s.address) for u, s in inventory.secrets_in("prod")}
    assert ("staging", "app_read_staging", "private") == found["prod/mongodb/reference-uri"]
