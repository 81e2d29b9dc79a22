"""Which revisions name a legacy secret: by ARN, name or prefix, wherever in the definition; and who is in the scope."""

from pathlib import Path
from typing import Any

import pytest

from atlas_access.drift.finding import Difference, Kind
from atlas_access.manifest.load import load_manifest
from atlas_access.retirement.bindings import (
    LegacyNames,
    PastDeployment,
    SinceBinding,
    named_in,
    since_binding,
)
from atlas_access.retirement.model import TOMBSTONE_ROLE, TOMBSTONED
from atlas_access.retirement.scope import names_in_account, own_doing, readers_of, scope_of

MANIFEST = load_manifest((Path(__file__).parents[2] / "access.yaml").read_text(encoding="utf-8"))
SECRET = "staging/mongodb/app-read"
LEGACY = LegacyNames(frozenset({SECRET}), frozenset({"audit_reader"}))
ARN = "arn:aws:secretsmanager:us-east-1:111111111111:secret:"


def bound(value_from: str) -> dict[str, Any]:
    secrets = [{"name": "MONGODB_URI", "valueFrom": value_from}]
    return {"family": "app", "containerDefinitions": [{"secrets": secrets}]}


@pytest.mark.parametrize(
    "text",
    [
        f"{ARN}{SECRET}-AbCdEf",
        f"{ARN}{SECRET}-AbCdEf:uri:AWSCURRENT:",
        f"{ARN}{SECRET}-AbCdEf:::0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
        f"{ARN}{SECRET}",
        SECRET,
        f"{ARN}staging/mongodb/*",
        "staging/mongodb/",
    ],
)
def test_a_secret_is_named_by_arn_by_name_and_by_prefix(text: str) -> None:
    assert (SECRET,) == named_in(bound(text), LEGACY)


@pytest.mark.parametrize(
    "text",
    [
        f"{ARN}{SECRET}-v2-AbCdEf:::v",
        f"{ARN}{SECRET}-v2",
        f"{ARN}other/{SECRET}x",
        f"{ARN}prod/mongodb/*",
        "https://example.com/",
    ],
)
def test_another_secret_is_not_taken_for_it(text: str) -> None:
    assert () == named_in(bound(text), LEGACY)


def test_every_place_of_a_definition_counts() -> None:
    sidecar = {"logConfiguration": {"secretOptions": [{"name": "k", "valueFrom": SECRET}]}}
    command = {"command": ["sh", "-c", f"aws secretsmanager get-secret-value --secret-id {SECRET}"]}
    plain = {"environment": [{"name": "X", "value": "mongodb+srv://audit_reader:pw@c.example.com/a"}]}
    for container, named in ((sidecar, SECRET), (command, SECRET), (plain, "audit_reader")):
        assert (named,) == named_in({"containerDefinitions": [container]}, LEGACY)


def past(*revisions: tuple[str, str, float, tuple[str, ...]]) -> list[PastDeployment]:
    return [PastDeployment(*each) for each in revisions]


def test_counting_begins_after_the_deployment_that_left_the_legacy_secrets() -> None:
    history = past(
        ("app:9", "SUCCESSFUL", 50.0, ()),
        ("app:9", "ROLLBACK_SUCCESSFUL", 45.0, ()),
        ("app:8", "SUCCESSFUL", 40.0, ()),
        ("app:8", "SUCCESSFUL", 30.0, ()),
        ("app:7", "SUCCESSFUL", 20.0, (SECRET,)),
        ("app:8", "SUCCESSFUL", 10.0, ()),
    )
    assert SinceBinding(30.0, 2) == since_binding(history)


def test_a_service_that_went_back_is_not_bound() -> None:
    assert None is since_binding(
        past(("app:7", "SUCCESSFUL", 20.0, (SECRET,)), ("app:8", "SUCCESSFUL", 10.0, ()))
    )
    assert None is since_binding([])


def test_staging_retires_nine_users_and_prods_reader_goes_last() -> None:
    scope = scope_of(MANIFEST, "staging")
    assert 9 == len(scope.users)
    assert "app_read_staging" == scope.users[-1][0]
    assert 9 == len(scope.roles)
    assert 9 == len(scope.secrets)


def test_prod_retires_three_users_and_its_own_four_secrets() -> None:
    scope = scope_of(MANIFEST, "prod")
    assert ["app-read", "app-write", "app_writer_hubspot_sync"] == [name for name, _ in scope.users]
    assert ("role_writer_hubspot_sync",) == scope.roles
    assert "prod/mongodb/reference-uri" in scope.secrets
    assert 4 == len(scope.secrets)


def test_the_schema_admin_its_role_and_its_secret_are_never_in_the_scope() -> None:
    for stack in MANIFEST.environments:
        scope = scope_of(MANIFEST, stack)
        assert "app_admin_schema" not in dict(scope.users)
        assert "role_admin_schema" not in scope.roles
        assert not [name for name in scope.secrets if name.endswith("admin-schema")]


def test_stagings_cluster_is_read_from_both_accounts_and_prods_from_its_own() -> None:
    assert ("staging", "prod") == readers_of(MANIFEST, "staging")
    assert ("prod",) == readers_of(MANIFEST, "prod")
    assert frozenset({"prod/mongodb/reference-uri"}) == names_in_account(MANIFEST, "staging", "prod").secrets


def finding(kind: Kind, subject: str, detail: str = "") -> Difference:
    return Difference(kind, "c", subject, "what", "remedy", detail=detail)


def test_the_retirement_knows_its_own_doing_from_everybody_elses() -> None:
    scope, name = scope_of(MANIFEST, "staging"), "audit_reader"
    own = (
        finding(Kind.ROLE_HELD_EXTRA, name, str(TOMBSTONED)),
        finding(Kind.ROLE_HELD_MISSING, name),
        finding(Kind.ROLE_UNMANAGED, TOMBSTONE_ROLE),
    )
    foreign = (
        finding(Kind.ROLE_HELD_EXTRA, name, "readWrite@askflorence"),
        finding(Kind.ROLE_HELD_MISSING, "app_writer_plans"),
        finding(Kind.ROLE_UNMANAGED, "role_new"),
        finding(Kind.USER_UNMANAGED, "audit_reader2"),
    )
    missing = finding(Kind.LEGACY_MISSING, name)
    tombstoned = frozenset({name})
    assert own == own_doing((*own, *foreign, missing), scope, tombstoned, deleting=False)
    assert (*own, missing) == own_doing((*own, *foreign, missing), scope, tombstoned, deleting=True)
