"""Users and custom roles: each rule lets the compliant case pass and stops the offending ones, alone."""

import pytest
from policy_world import (
    KEY_ARN,
    PROD_PROJECT_ID,
    PROJECT_ID,
    advised,
    audit_role,
    grant,
    judge,
    judge_stack,
    make,
    password_of,
    role,
    root,
    unseen,
    user,
    violations,
    without,
)

from policy import resource as types
from policy.config import Config, Waiver, load_config
from policy.values import SECRET, UNKNOWN

WAIVED = load_config()
FIVE = [user(f"u{number}") for number in range(5)]
SIX = [*FIVE, user("u5")]


def elsewhere(number, cluster="a"):
    """A user of a stack that no environment of ours knows."""
    scopes = [{"name": cluster, "type": "CLUSTER"}]
    return user(f"u{number}", stack="x", projectId="0" * 24, scopes=scopes)


def with_waivers(*waivers):
    return Config(**{**vars(WAIVED), "waivers": waivers})


COMPLIANT = {
    "a role with allowed actions on named collections": [role(actions=[grant("FIND", "plans")])],
    "the frozen audit role": [audit_role()],
    "a reader": [user()],
    "the waived writer": [user("app_write", "readWrite")],
    "the audit writer after its role": [audit_role(), user("app_audit_writer", "role_audit_writer", "admin")],
    "five users": FIVE,
    "the fifth user that the playbook names": [*FIVE[:4], user("app_admin_full")],
    "users of a whole kind, not of one tenant": [
        user("app_agents"),
        user("app_member_portal"),
    ],
    "the same user registered twice, as an update does": [*FIVE, FIVE[0]],
    "an adopted user without a password": [
        without(user(options={"ignore_changes": ("password",)}), "password"),
    ],
    "other ways to sign in that are off": [
        user(awsIamType="NONE", ldapAuthType="NONE", oidcAuthType="NONE", x509Type="NONE")
    ],
    "a long generator": [make(types.RANDOM_PASSWORD, "p", {"length": 40, "special": False})],
    "a look-up of the provider": [make("pulumi:providers:mongodbatlas", "atlas", {"publicKey": "key"})],
    "users of two clusters do not add up": [elsewhere(n, "a" if n < 5 else "b") for n in range(8)],
}

OFFENDING = [
    ("no-cluster-or-project-changes", "a cluster", [make("mongodbatlas:index/cluster:Cluster", "c", {})]),
    ("no-cluster-or-project-changes", "a project", [make("mongodbatlas:index/project:Project", "p", {})]),
    (
        "no-cluster-or-project-changes",
        "an organization",
        [make("mongodbatlas:index/organization:Organization", "o", {})],
    ),
    (
        "no-cluster-or-project-changes",
        "a backup schedule",
        [make("mongodbatlas:index/cloudBackupSchedule:CloudBackupSchedule", "b", {})],
    ),
    (
        "no-cluster-or-project-changes",
        "a type nobody knows yet",
        [make("mongodbatlas:index/new:New", "n", {})],
    ),
    ("atlas-action-allow-list", "an action outside the list", [role(actions=[grant("UPDATE", "plans")])]),
    ("atlas-action-allow-list", "a wildcard collection", [role(actions=[grant("FIND", "*")])]),
    ("atlas-action-allow-list", "an empty collection", [role(actions=[grant("FIND", "")])]),
    (
        "atlas-action-allow-list",
        "the cluster resource",
        [role(actions=[grant("FIND", "plans", cluster=True)])],
    ),
    ("atlas-action-allow-list", "a system collection", [role(actions=[grant("FIND", "system.users")])]),
    ("atlas-action-allow-list", "another database", [role(actions=[grant("FIND", "plans", "other")])]),
    ("atlas-action-allow-list", "a grant on nothing", [role(actions=[{"action": "FIND", "resources": []}])]),
    (
        "audit-role-frozen",
        "an UPDATE more",
        [audit_role([*audit_role().props["actions"], grant("UPDATE", "agent_audit_log")])],
    ),
    ("audit-role-frozen", "INSERT missing", [audit_role([grant("FIND", "agent_audit_log")])]),
    ("audit-role-frozen", "no action at all", [audit_role([])]),
    (
        "audit-role-frozen",
        "FIND elsewhere",
        [audit_role([*audit_role().props["actions"], grant("FIND", "plans")])],
    ),
    ("audit-log-append-only", "INSERT in another role", [role(actions=[grant("INSERT", "agent_audit_log")])]),
    (
        "audit-log-append-only",
        "an index that could expire rows",
        [role(actions=[grant("CREATE_INDEX", "agent_audit_log")])],
    ),
    ("audit-log-append-only", "a writer without a waiver", [user("app_reports", "readWrite")]),
    ("audit-log-append-only", "a custom role nobody declared", [user("app_x", "role_by_hand", "admin")]),
    (
        "no-inherited-roles",
        "one inherited role",
        [role(inheritedRoles=[{"roleName": "read", "databaseName": "askflorence"}])],
    ),
    (
        "no-inherited-roles",
        "inheriting a custom role",
        [role(inheritedRoles=[{"roleName": "role_y", "databaseName": "admin"}])],
    ),
    ("custom-role-at-admin", "at the data's database", [role(), user("app_x", "role_x", "askflorence")]),
    ("custom-role-at-admin", "at an empty database", [role(), user("app_x", "role_x", "")]),
    ("built-in-roles-allow-list", "readAnyDatabase", [user(role="readAnyDatabase", database="admin")]),
    (
        "built-in-roles-allow-list",
        "readWriteAnyDatabase",
        [user(role="readWriteAnyDatabase", database="admin")],
    ),
    ("built-in-roles-allow-list", "dbAdmin", [user(role="dbAdmin")]),
    ("built-in-roles-allow-list", "dbOwner", [user(role="dbOwner")]),
    ("built-in-roles-allow-list", "root", [user(role="root", database="admin")]),
    ("built-in-roles-allow-list", "atlasAdmin", [user(role="atlasAdmin", database="admin")]),
    ("built-in-roles-allow-list", "read elsewhere", [user(database="admin")]),
    ("user-cap", "a sixth user", SIX),
    ("user-cap", "one tenant's own user", [user("agent_101")]),
    ("user-cap", "a member's own user", [user("app_member_5f3a9c")]),
    (
        "user-cap",
        "a sixth user in an unknown stack",
        [elsewhere(n) for n in range(6)],
    ),
    (
        "one-role-per-user",
        "two roles",
        [user(roles=[{"roleName": name, "databaseName": "askflorence"} for name in ("read", "read")])],
    ),
    ("one-role-per-user", "no role", [user(roles=[])]),
    ("scoped-user", "no scope", [user(scopes=[])]),
    ("scoped-user", "two scopes", [user(scopes=[{"name": "askflorence-staging", "type": "CLUSTER"}] * 2)]),
    ("scoped-user", "a data lake", [user(scopes=[{"name": "askflorence-staging", "type": "DATA_LAKE"}])]),
    ("scoped-user", "a cluster nobody knows", [user(scopes=[{"name": "elsewhere", "type": "CLUSTER"}])]),
    ("password-strength", "a short password", [user(password="a" * 31)]),
    ("password-strength", "a password with a special character", [user(password="a" * 31 + "!")]),
    ("password-strength", "one password for two users", [user("a"), user("b", password=password_of("a"))]),
    *(
        ("password-strength", f"another way to sign in: {key}", [user(**{key: kind})])
        for key, kind in (
            ("awsIamType", "ROLE"),
            ("ldapAuthType", "USER"),
            ("oidcAuthType", "IDP_GROUP"),
            ("x509Type", "MANAGED"),
        )
    ),
    ("password-strength", "no password", [without(user(), "password")]),
    (
        "password-strength",
        "a short generator",
        [make(types.RANDOM_PASSWORD, "p", {"length": 16, "special": False})],
    ),
    (
        "password-strength",
        "a generator with special characters",
        [make(types.RANDOM_PASSWORD, "p", {"length": 32})],
    ),
    ("project-isolation", "prod's project id", [user(projectId=PROD_PROJECT_ID)]),
    ("project-isolation", "a project nobody knows", [role(projectId="0" * 24)]),
    (
        "project-isolation",
        "prod's project id in a description",
        [user(description=f"like {PROD_PROJECT_ID}")],
    ),
    (
        "project-isolation",
        "prod's cluster",
        [user(scopes=[{"name": "askflorence-prod-01", "type": "CLUSTER"}])],
    ),
    (
        "project-isolation",
        "an unknown stack with staging's project",
        [user(stack="dev", projectId=PROJECT_ID, scopes=[{"name": "c", "type": "CLUSTER"}])],
    ),
    (
        "project-isolation",
        "prod's account",
        [make("aws:ssm/parameter:Parameter", "p", {"value": "222222222222"})],
    ),
    (
        "project-isolation",
        "prod's secret prefix",
        [make(types.SECRET, "s", {"name": "prod/mongodb/app-read-v2", "kmsKeyId": KEY_ARN}, protect=True)],
    ),
]


@pytest.mark.parametrize("resources", COMPLIANT.values(), ids=COMPLIANT.keys())
def test_a_compliant_case_passes(resources):
    assert set() == violations(judge(*resources))


@pytest.mark.parametrize(
    ("rule", "resources"), [(r, c) for r, _, c in OFFENDING], ids=[f"{r}: {n}" for r, n, _ in OFFENDING]
)
def test_an_offending_case_is_stopped_by_exactly_its_rule(rule, resources):
    assert {rule} == violations(judge(*resources))


def test_the_fifth_user_is_announced():
    outcome = judge(*FIVE)

    assert (set(), {"user-cap"}) == (violations(outcome), advised(outcome))


def test_a_waived_writer_is_advice():
    outcome = judge(user("app_write", "readWrite"))

    assert (set(), {"audit-log-append-only"}) == (violations(outcome), advised(outcome))


def test_a_waiver_that_permits_less_than_the_role_grants_does_not_excuse_it():
    config = with_waivers(Waiver("W1", "app_write", "ADR 0006", frozenset({"UPDATE"})))

    assert {"audit-log-append-only"} == violations(judge(user("app_write", "readWrite"), config=config))


def test_a_waiver_that_names_no_known_decision_does_not_excuse_its_user():
    waivers = tuple(Waiver(w.id, w.user, "ADR 0099", w.permits) for w in WAIVED.waivers)

    outcome = judge(user("app_write", "readWrite"), config=with_waivers(*waivers))

    assert {"audit-log-append-only"} == violations(outcome)


def test_a_waiver_that_names_no_known_decision_is_a_finding_of_the_stack():
    config = with_waivers(Waiver("W1", "app_read", "a chat", frozenset()))

    assert {"audit-log-append-only"} == violations(judge_stack(root(), user(), config=config))


def test_a_waiver_for_what_a_user_cannot_do_is_stale():
    config = with_waivers(Waiver("W1", "app_read", "ADR 0006", frozenset({"UPDATE"})))

    assert {"audit-log-append-only"} == violations(judge_stack(root(), user(), config=config))


def test_a_waiver_for_a_user_that_our_stack_does_not_declare_is_stale():
    stack = [root(), make(types.SERVICE_ACCESS, "staging", {"phase": "provision"})]

    assert {"audit-log-append-only"} == violations(judge_stack(*stack))


def test_a_program_of_somebody_else_is_not_asked_for_our_waivers():
    assert set() == violations(judge_stack(root(), user()))


def test_an_inherited_writer_is_recognized():
    inheriting = role(inheritedRoles=[{"roleName": "readWrite", "databaseName": "askflorence"}])

    assert {"no-inherited-roles", "audit-log-append-only"} == violations(judge(inheriting))


def test_a_grant_on_the_whole_database_reaches_the_audit_log():
    wide = role(actions=[grant("INSERT", "")])

    assert {"atlas-action-allow-list", "audit-log-append-only"} == violations(judge(wide))


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (user(roles=UNKNOWN), ("built-in-roles-allow-list", "roles")),
        (
            user(roles=[{"roleName": UNKNOWN, "databaseName": "admin"}]),
            ("custom-role-at-admin", "roles[0].roleName"),
        ),
        (user(scopes=UNKNOWN), ("scoped-user", "scopes")),
        (user(projectId=UNKNOWN), ("project-isolation", "projectId")),
        (user(password=UNKNOWN), ("password-strength", "password")),
        (user(password=SECRET), ("password-strength", "password")),
        (role(actions=UNKNOWN), ("atlas-action-allow-list", "actions")),
        (role(inheritedRoles=UNKNOWN), ("no-inherited-roles", "inheritedRoles")),
        (audit_role(UNKNOWN), ("audit-role-frozen", "actions")),
    ],
)
def test_a_value_that_is_not_known_is_named(resource, expected):
    assert expected in unseen(judge(resource))
