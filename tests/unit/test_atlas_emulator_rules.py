"""Which users and custom roles Atlas takes, decided without a server."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from atlas_access.privileges.actions import ATLAS_ACTIONS, ActionScope
from atlas_access.privileges.builtin_roles import BUILTIN_ROLES
from sandbox.atlas.errors import AtlasError
from sandbox.atlas.models import Action, CustomRole, DatabaseUser, InheritedRole, NewUser, Resource, RoleGrant
from sandbox.atlas.rules import ON_ADMIN, ON_ANY_DATABASE, check_role, check_user, not_enforced

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
READ = RoleGrant(role_name="read", database_name="shop")
PASSWORD = "long-enough-1"


def user(**changes: Any) -> DatabaseUser:
    return DatabaseUser(**{"username": "app", "roles": (READ,), **changes})


def verdict(check: Callable[..., object], *given: Any, **more: Any) -> str:
    try:
        check(*given, **more)
    except AtlasError as error:
        return error.code
    return "taken"


def verdict_on_user(
    candidate: DatabaseUser,
    password: str | None = PASSWORD,
    *,
    new: bool = True,
    roles: tuple[str, ...] = ("own",),
) -> str:
    return verdict(check_user, candidate, password, roles=roles, reserved=("root",), new=new, now=NOW)


def verdict_on_role(candidate: CustomRole, *others: CustomRole) -> str:
    return verdict(check_role, candidate, {role.role_name: role for role in others})


def role(*actions: Action, name: str = "own", inherits: tuple[InheritedRole, ...] = ()) -> CustomRole:
    return CustomRole(role_name=name, actions=actions, inherited_roles=inherits)


def on(action: str, *resources: Resource) -> Action:
    return Action(action=action, resources=resources or (Resource(db="shop", collection="orders"),))


@pytest.mark.parametrize(
    ("changes", "password", "new", "expected"),
    [
        ({}, PASSWORD, True, "taken"),
        ({}, None, False, "taken"),
        ({"username": "application"}, "application", True, "WEAK_PASSWORD"),
        ({"roles": (READ, READ)}, PASSWORD, True, "DUPLICATE_DATABASE_ROLES"),
        ({"roles": ()}, PASSWORD, True, "MISSING_ATTRIBUTE"),
        *(
            ({"username": name}, PASSWORD, True, "BLOCKED_USERNAME")
            for name in ("root", "__system", "mms-automation")
        ),
        ({"database_name": "$external"}, PASSWORD, True, "DATABASE_NAME_INVALID_ADMIN"),
        ({"x509_type": "CUSTOMER", "username": "CN=app"}, None, True, "DATABASE_NAME_INVALID_EXTERNAL"),
        *(
            ({"x509_type": "MANAGED", "database_name": "$external", "username": name}, None, True, expected)
            for name, expected in (
                ("myUsername", "taken"),
                ("CN=my name", "taken"),
                ("CN=a,OU=b", "ATLAS_MANAGED_X509_NAME_INVALID"),
            )
        ),
    ],
)
def test_a_user_needs_a_free_name_a_strong_password_distinct_roles_and_its_own_database(
    changes: dict[str, Any], password: str | None, new: bool, expected: str
) -> None:
    assert verdict_on_user(user(**changes), password, new=new) == expected


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        (None, "MISSING_ATTRIBUTE"),
        ("short-7", "WEAK_PASSWORD"),
        ("Password1", "COMMON_PASSWORD"),
        ("tab\tinside it", "VALIDATION_ERROR"),
        ("with \x00 nul inside", "VALIDATION_ERROR"),
        ("exactly8", "taken"),
        ("p@ss:w/ö%rd", "taken"),
    ],
)
def test_a_new_users_password_is_judged(password: str | None, expected: str) -> None:
    assert verdict_on_user(user(), password) == expected


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        (("own", "admin", None), "taken"),
        (("own", "shop", None), "UNSUPPORTED_ROLE"),
        (("unheard_of", "admin", None), "ATLAS_INVALID_ROLE"),
        (("root", "admin", None), "ATLAS_INVALID_ROLE"),
        (("dbOwner", "shop", None), "UNSUPPORTED_ROLE"),
        (("readAnyDatabase", "shop", None), "ATLAS_INVALID_ROLE_DATABASE"),
        (("readAnyDatabase", "admin", None), "taken"),
        (("read", "shop", "orders"), "taken"),
        (("dbAdmin", "shop", "orders"), "UNSUPPORTED_ROLE"),
        (("own", "admin", "orders"), "UNSUPPORTED_ROLE"),
        (("read", "no.such", None), "INVALID_DATABASE_NAME"),
        (("read", "$external", None), "INVALID_DATABASE_NAME"),
        (("read", "local", None), "taken"),
        (("dbAdmin", "config", None), "taken"),
        (("read", "shop", "or$ers"), "INVALID_COLLECTION_NAME"),
    ],
)
def test_a_role_is_assigned_only_where_it_exists(grant: tuple[str, str, str | None], expected: str) -> None:
    name, database, collection = grant
    given_role = RoleGrant(role_name=name, database_name=database, collection_name=collection)
    assert verdict_on_user(user(roles=(given_role,))) == expected


def test_no_scope_reaches_every_cluster_and_a_scope_only_its_own() -> None:
    scoped = DatabaseUser.model_validate(
        {"username": "app", "roles": [], "scopes": [{"name": "other", "type": "CLUSTER"}]}
    )
    reached = user().reaches("ours"), scoped.reaches("ours"), scoped.reaches("other")
    assert reached == (True, False, True)


@pytest.mark.parametrize("action", [a for a in ATLAS_ACTIONS.values() if a.scope is not ActionScope.CLUSTER])
def test_every_action_on_data_is_taken_on_a_collection(action: Any) -> None:
    assert verdict_on_role(role(on(action.name))) == "taken"


@pytest.mark.parametrize("action", [a for a in ATLAS_ACTIONS.values() if a.scope is ActionScope.CLUSTER])
def test_every_cluster_action_is_taken_on_the_cluster_only(action: Any) -> None:
    assert verdict_on_role(role(on(action.name, Resource(cluster=True)))) == "taken"
    assert verdict_on_role(role(on(action.name))) == "ATLAS_INVALID_RESOURCE"


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("FIND", "{}", "MISSING_ATTRIBUTE"),
        ("FIND", '{"cluster":false}', "MISSING_ATTRIBUTE"),
        ("FIND", '{"collection":"orders"}', "MISSING_ATTRIBUTE"),
        ("FIND", '{"db":"shop"}', "taken"),
        ("FIND", '{"cluster":false,"db":"","collection":""}', "taken"),
        ("KILL_OP", '{"cluster":true}', "taken"),
    ],
)
def test_a_resource_names_the_cluster_or_a_database(action: str, resource: str, expected: str) -> None:
    body = f'{{"roleName":"own","actions":[{{"action":"{action}","resources":[{resource}]}}]}}'
    assert verdict_on_role(CustomRole.read(body.encode())) == expected


ORDERS, CARTS = Resource(db="shop", collection="orders"), Resource(db="shop", collection="carts")
INHERITED = InheritedRole(role="read", db="shop")


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (role(on("FIND", Resource(cluster=True))), "ATLAS_INVALID_RESOURCE"),
        (role(on("FLY")), "INVALID_ENUM_VALUE"),
        (role(on("FIND", ORDERS), on("FIND", CARTS)), "ATLAS_DUPLICATE_CUSTOM_ROLE_ACTION"),
        (role(on("FIND", ORDERS, ORDERS)), "ATLAS_DUPLICATE_CUSTOM_ROLE_RESOURCE"),
        (role(on("FIND"), inherits=(INHERITED, INHERITED)), "VALIDATION_ERROR"),
        (role(), "ATLAS_CUSTOM_ROLE_HAS_NO_PERMISSIONS"),
    ],
)
def test_a_role_is_refused_for_wrong_repeated_or_no_permissions(candidate: CustomRole, expected: str) -> None:
    assert verdict_on_role(candidate) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("role_audit_writer", "taken"),
        ("9lives-x", "taken"),
        ("", "ATLAS_CUSTOM_ROLE_INVALID_NAME"),
        ("-dash", "ATLAS_CUSTOM_ROLE_INVALID_NAME"),
        ("a b", "ATLAS_CUSTOM_ROLE_INVALID_NAME"),
        ("rôle", "ATLAS_CUSTOM_ROLE_INVALID_NAME"),
        ("read", "ATLAS_INVALID_CUSTOM_ROLE_RESTRICTED"),
        ("xgen-mine", "ATLAS_RESERVED_CUSTOM_ROLE_RESTRICTED"),
    ],
)
def test_a_custom_roles_name_is_judged(name: str, expected: str) -> None:
    assert verdict_on_role(role(on("FIND"), name=name)) == expected


@pytest.mark.parametrize("name", sorted(BUILTIN_ROLES))
def test_no_custom_role_bears_the_name_of_a_servers_own_role(name: str) -> None:
    assert verdict_on_role(role(on("FIND"), name=name)) == "ATLAS_INVALID_CUSTOM_ROLE_RESTRICTED"


@pytest.mark.parametrize("name", sorted(BUILTIN_ROLES - ON_ADMIN - ON_ANY_DATABASE))
def test_a_servers_role_that_atlas_does_not_offer_is_given_to_nobody(name: str) -> None:
    held = user(roles=(RoleGrant(role_name=name, database_name="admin"),))
    heir = role(on("FIND"), inherits=(InheritedRole(role=name, db="admin"),))
    assert verdict_on_user(held, roles=(name,)) == "ATLAS_INVALID_ROLE"
    inherited = verdict_on_role(heir, role(on("FIND"), name=name))
    assert inherited == "ATLAS_INVALID_CUSTOM_ROLE_INHERITANCE"


@pytest.mark.parametrize(
    ("inherited", "database", "expected"),
    [
        ("read", "shop", "taken"),
        ("clusterMonitor", "admin", "taken"),
        ("other", "admin", "taken"),
        ("other", "shop", "ATLAS_INVALID_CUSTOM_ROLE_INHERITED_SCOPE"),
        ("clusterMonitor", "shop", "ATLAS_INVALID_CUSTOM_ROLE_INHERITED_SCOPE"),
        ("read", "", "ATLAS_INVALID_CUSTOM_ROLE_INHERITED_SCOPE"),
        ("read", "$external", "INVALID_DATABASE_NAME"),
        ("readWrite", "local", "taken"),
        ("nowhere", "admin", "ATLAS_INVALID_CUSTOM_ROLE_INHERITANCE"),
        ("own", "admin", "ATLAS_INVALID_CUSTOM_ROLE_SELF_REFERENTIAL"),
    ],
)
def test_what_a_role_inherits_must_exist_in_its_scope(inherited: str, database: str, expected: str) -> None:
    candidate = role(on("FIND"), inherits=(InheritedRole(role=inherited, db=database),))
    assert verdict_on_role(candidate, role(on("INSERT"), name="other")) == expected


@pytest.mark.parametrize(
    ("actions", "version", "expected"),
    [
        (("OUT_TO_S3", "SQL_GET_SCHEMA"), "8.0.4", ("OUT_TO_S3", "SQL_GET_SCHEMA")),
        (("ANALYZE", "LIST_SEARCH_INDEXES"), "6.0.5", ("ANALYZE", "LIST_SEARCH_INDEXES")),
        (("ANALYZE", "LIST_SEARCH_INDEXES"), "6.0.7", ("ANALYZE",)),
        (("ANALYZE", "LIST_SEARCH_INDEXES"), "7.0.0", ()),
    ],
)
def test_actions_that_a_mongod_does_not_know_are_listed_as_not_enforced(
    actions: tuple[str, ...], version: str, expected: tuple[str, ...]
) -> None:
    assert not_enforced(role(on("FIND"), *map(on, actions)), version) == expected


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_a_body_of_any_bytes_is_read_or_refused(body: bytes) -> None:
    for model in (NewUser, CustomRole):
        status = 200
        try:
            model.read(body)
        except AtlasError as error:
            status = error.status
        assert status in {200, 400}


SENT = '{"username":"app","roles":[],"databaseName":"admin","groupId":"p1","password":%s}'


def test_a_refused_body_does_not_repeat_what_it_said() -> None:
    with pytest.raises(AtlasError) as refusal:
        NewUser.read((SENT % '["canary-4711"]').encode())
    assert "canary" not in repr(refusal.value) + str(refusal.value.body())


def test_a_new_user_and_its_record_show_no_password() -> None:
    body = NewUser.read((SENT % '"canary-4711"').encode())
    assert "canary" not in repr(body) + repr(body.record()) + str(body.record().json_object())
