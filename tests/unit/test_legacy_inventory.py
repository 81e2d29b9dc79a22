"""The legacy inventory put beside access.yaml: what is there, what is bound by whom, and every surprise."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from atlas_access.base import Format, Status, render
from atlas_access.base.observed import HeldRole, Unread
from atlas_access.clients.atlas_answers import LoginAnswer
from atlas_access.clients.model import ObservedLogins, ObservedRole, ObservedUser
from atlas_access.drift.model import BoundVariable, ObservedSecret
from atlas_access.manifest.known_users import KnownUser
from atlas_access.manifest.load import Manifest
from atlas_access.retirement.inventory import Belongs, LegacyInventory, Standing, legacy_inventory
from atlas_access.retirement.model import TOMBSTONE_ROLE, TOMBSTONED
from atlas_access.retirement.observed import ObservedLegacy, ObservedRevision
from atlas_access.retirement.report_inventory import inventory_report
from tests.unit.manifests import manifest

SINCE = datetime(2026, 5, 1, tzinfo=UTC)
LOGIN = datetime(2026, 5, 6, 9, 14, tzinfo=UTC)
APP = "arn:aws:ecs:us-east-1:111111111111:task-definition/askflorence-staging-app"
PROD_APP = "arn:aws:ecs:us-east-1:222222222222:task-definition/askflorence-prod-app"


def user(name: str, *roles: HeldRole) -> ObservedUser:
    return ObservedUser(name, "admin", frozenset(roles), frozenset())


def secret(name: str, *, deleted: datetime | None = None) -> ObservedSecret:
    return ObservedSecret(name, exists=True, deleted_at=deleted)


def bound(variable: str, name: str, account: str = "111111111111") -> BoundVariable:
    return BoundVariable(variable, f"arn:aws:secretsmanager:us-east-1:{account}:secret:{name}-AbCdEf")


def declared(stack: str = "staging") -> ObservedLegacy:
    """Everything as access.yaml has it before the migration."""
    made: Manifest = manifest()
    users = [user(old.name, HeldRole(old.role.name, old.role.database)) for old in made.legacy_on(stack)]
    schema = user("app_admin_schema", HeldRole("role_admin_schema", "admin"))
    names = {old.role.name for old in made.legacy_on(stack) if not old.role.is_builtin} | {
        "role_admin_schema"
    }
    secrets = [s.name for old in made.legacy for s in old.secrets if s.environment == stack]
    running = ObservedRevision(
        "staging", f"{APP}:7", True, True,
        (bound("MONGODB_URI", "staging/mongodb/app-read"), bound("HUBSPOT_TOKEN", "staging/hubspot/token")),
    )  # fmt: skip
    idle = replace(running, arn=f"{APP}:6", running=False)
    prod = ObservedRevision(
        "prod", f"{PROD_APP}:12", True, True,
        (bound("MONGODB_REFERENCE_URI", "prod/mongodb/reference-uri", "222222222222"),),
    )  # fmt: skip
    return ObservedLegacy(
        users=(*users, schema),
        roles=tuple(ObservedRole(name, frozenset()) for name in sorted(names)),
        secrets=tuple(secret(name) for name in [*secrets, f"{stack}/mongodb/admin-schema"]),
        revisions=((running, idle), (prod,)),
        logins=ObservedLogins(SINCE, {"app_read_local_staging": LOGIN}),
    )


def listed(
    observed: ObservedLegacy,
    *,
    retired: bool = False,
    known: Sequence[KnownUser] = (),
    stack: str = "staging",
) -> LegacyInventory:
    return legacy_inventory(manifest(), stack, known, observed, retired=retired)


def without(observed: ObservedLegacy, *names: str) -> ObservedLegacy:
    return replace(observed, users=tuple(each for each in observed.users if each.name not in names))


def with_users(observed: ObservedLegacy, *users: ObservedUser) -> ObservedLegacy:
    return replace(observed, users=(*observed.users, *users))


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_estate_as_it_was_made_is_as_declared(stack: str) -> None:
    found = listed(declared(stack), stack=stack)
    assert ((), Status.GOOD) == (found.surprises, found.status)
    assert tuple(old.name for old in manifest().legacy_on(stack)) == found.left


def test_the_schema_admin_stays_and_is_no_legacy_user() -> None:
    found = {row.name: row.belongs for row in listed(declared()).users}
    assert Belongs.STAYS is found["app_admin_schema"]


def test_a_user_shows_which_revisions_of_both_accounts_bind_it() -> None:
    found = {row.name: [str(use) for use in row.uses] for row in listed(declared()).users}
    assert [
        "MONGODB_URI in askflorence-staging-app:7 (running)",
        "MONGODB_URI in askflorence-staging-app:6 (active)",
    ] == found["app_read_local_staging"]
    assert ["MONGODB_REFERENCE_URI in askflorence-prod-app:12 (running)"] == found["app_read_staging"]


def test_a_renamed_user_is_unknown_and_missing() -> None:
    role = HeldRole("role_audit_reader", "admin")
    found = listed(with_users(without(declared(), "audit_reader"), user("audit_reader_2", role)))
    assert (
        "the legacy user audit_reader is gone before its retirement",
        "the user audit_reader_2 is neither in access.yaml nor known",
    ) == found.surprises
    assert Status.BAD is found.status


def test_a_known_person_is_no_surprise() -> None:
    person = KnownUser.model_validate(
        {
            "name": "dba-on-call", "on": ("staging",), "kind": "human", "roles": ("read@askflorence",),
            "reason": "Inspects imported plans.", "until": "2026-12-31",
        }
    )  # fmt: skip
    found = listed(
        with_users(declared(), user("dba-on-call", HeldRole("read", "askflorence"))), known=[person]
    )
    assert ((), Belongs.KNOWN) == (found.surprises, found.users[-1].belongs)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ((TOMBSTONED,), Standing.TOMBSTONED),
        ((TOMBSTONED, HeldRole("read", "askflorence")), Standing.CHANGED),
        ((HeldRole("role_audit_reader", "admin"), HeldRole("readWrite", "askflorence")), Standing.CHANGED),
        ((), Standing.CHANGED),
    ],
)
def test_only_the_tombstone_alone_is_a_tombstone(held: tuple[HeldRole, ...], expected: Standing) -> None:
    found = listed(with_users(without(declared(), "audit_reader"), user("audit_reader", *held)))
    assert [expected] == [row.standing for row in found.users if row.name == "audit_reader"]


def test_the_tombstones_own_role_is_no_surprise() -> None:
    observed = declared()
    observed = replace(observed, roles=(*observed.roles, ObservedRole(TOMBSTONE_ROLE, frozenset())))
    assert () == listed(observed).surprises


def test_what_access_yaml_does_not_name_is_found() -> None:
    observed = declared()
    observed = replace(
        observed,
        roles=(*observed.roles, ObservedRole("role_of_nobody", frozenset())),
        secrets=(
            *observed.secrets,
            secret("staging/mongodb/forgotten"),
            secret("staging/mongodb/old", deleted=SINCE),
        ),
    )
    assert (
        "the role role_of_nobody is not in access.yaml",
        "the secret staging/mongodb/forgotten is not in access.yaml",
    ) == listed(observed).surprises


def test_after_the_retirement_what_is_left_is_the_surprise() -> None:
    gone = ObservedLegacy((user("app_admin_schema"),), (), (), ((), ()), ObservedLogins(SINCE, {}))
    assert ((), ()) == (listed(gone, retired=True).surprises, listed(gone, retired=True).left)
    left = listed(with_users(gone, user("audit_reader")), retired=True)
    assert ("the legacy user audit_reader is still there",) == left.surprises
    assert Status.BAD is left.status


@pytest.mark.parametrize("part", ["users", "roles", "secrets", "logins"])
def test_what_could_not_be_read_is_unknown_and_never_gone(part: str) -> None:
    observed = replace(declared(), **{part: Unread(part, "Atlas answered 403")})
    found = listed(observed)
    assert (Status.UNKNOWN, ()) == (found.status, found.surprises)


def test_another_account_that_was_not_read_is_unknown() -> None:
    observed = declared()
    observed = replace(
        observed, revisions=(observed.revisions[0], Unread("task definitions of prod", "no role"))
    )
    assert Status.UNKNOWN is listed(observed).status


def test_a_last_login_is_shown_none_is_shown_and_unknown_is_shown_as_unknown() -> None:
    text = render(inventory_report(listed(declared())), Format.TEXT)
    assert "2026-05-06 09:14 UTC" in text
    assert "none since 2026-05-01 00:00 UTC" in text
    unread = replace(declared(), logins=Unread("access history", "Atlas answered 404"))
    data = json.loads(render(inventory_report(listed(unread)), Format.JSON))
    assert [{"what": "access history", "why": "Atlas answered 404"}] * len(data["users"]) == [
        row["login"] for row in data["users"]
    ]


def test_every_format_carries_the_same_names() -> None:
    found = listed(with_users(declared(), user("who|is`this")))
    names = [row.name for row in (*found.users, *found.roles, *found.secrets) if "|" not in row.name]
    shown = {form: render(inventory_report(found), form) for form in (Format.TEXT, Format.JSON)}
    assert [] == [(kind, name) for kind, text in shown.items() for name in names if name not in text]
    page = render(inventory_report(found), Format.MD)
    assert "who|is`this" not in page


def test_a_name_with_control_characters_does_not_move_the_cursor() -> None:
    assert "\x1b" not in render(
        inventory_report(listed(with_users(declared(), user("\x1b[2J")))), Format.TEXT
    )


@pytest.mark.parametrize(
    "written", ["2026-05-06T09:14:00Z", "2026-05-06T11:14:00+02:00", "Wed May 06 09:14:00 GMT 2026"]
)
def test_a_logins_moment_is_read_in_every_form_that_atlas_writes(written: str) -> None:
    found = LoginAnswer.model_validate({"username": "app_read", "timestamp": written})
    assert LOGIN == found.timestamp


@pytest.mark.parametrize("written", ["2026-05-06T09:14:00", "yesterday", 1778058840, None])
def test_a_login_without_a_certain_moment_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        LoginAnswer.model_validate({"username": "app_read", "timestamp": written})
