"""Users and custom roles: each rule lets the compliant case pass and stops the offending ones, alone."""

import pytest
from policy_world import (
    CLUSTER,
    PROD_PROJECT_ID,
    advised,
    audit_role,
    grant,
    judge,
    judge_stack,
    make,
    offending,
    password_of,
    role,
    root,
    secret,
    unobserved,
    user,
    violations,
    without,
)

from policy import resource as types
from policy.adr import Phase
from policy.config import Config, Waiver, load_config
from policy.evaluate import Evaluator
from policy.run import Run
from policy.values import SECRET, UNKNOWN

WAIVED = load_config()
FIVE = [user(f"u{number}") for number in range(5)]
FROZEN = audit_role().props["actions"]


def held(name, database):
    return {"roleName": name, "databaseName": database}


def scope(name, kind="CLUSTER"):
    return {"name": name, "type": kind}


def made(module, kind):
    return make(f"mongodbatlas:index/{module}:{kind}", "it", {})


def elsewhere(number, cluster="a"):
    """A user of a stack that no environment of ours knows."""
    return user(f"u{number}", stack="x", projectId="0" * 24, scopes=[scope(cluster)])


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
    "users of a whole kind, not of one tenant": [user("app_agents"), user("app_member_portal")],
    "the same user registered twice, as an update does": [*FIVE, FIVE[0]],
    "an adopted user without a password": [
        without(user(options={"ignore_changes": ("password",)}), "password")
    ],
    "other ways to sign in that are off": [
        user(awsIamType="NONE", ldapAuthType="NONE", oidcAuthType="NONE", x509Type="NONE")
    ],
    "a long generator": [make(types.RANDOM_PASSWORD, "p", {"length": 40, "special": False})],
    "an observation-up of the provider": [
        make("pulumi:providers:mongodbatlas", "atlas", {"publicKey": "key"})
    ],
    "users of two clusters do not add up": [elsewhere(n, "a" if n < 5 else "b") for n in range(8)],
}

OFFENDING = {
    "no-cluster-or-project-changes": {
        "a cluster": [made("cluster", "Cluster")],
        "a project": [made("project", "Project")],
        "an organization": [made("organization", "Organization")],
        "a backup schedule": [made("cloudBackupSchedule", "CloudBackupSchedule")],
        "a type nobody knows yet": [made("new", "New")],
    },
    "atlas-action-allow-list": {
        "an action outside the list": [role(actions=[grant("UPDATE", "plans")])],
        "a wildcard collection": [role(actions=[grant("FIND", "*")])],
        "an empty collection": [role(actions=[grant("FIND", "")])],
        "the cluster resource": [role(actions=[grant("FIND", "plans", cluster=True)])],
        "a system collection": [role(actions=[grant("FIND", "system.users")])],
        "another database": [role(actions=[grant("FIND", "plans", "other")])],
        "a grant on nothing": [role(actions=[{"action": "FIND", "resources": []}])],
    },
    "audit-role-frozen": {
        "an UPDATE more": [audit_role([*FROZEN, grant("UPDATE", "agent_audit_log")])],
        "INSERT missing": [audit_role([grant("FIND", "agent_audit_log")])],
        "no action at all": [audit_role([])],
        "FIND elsewhere": [audit_role([*FROZEN, grant("FIND", "plans")])],
    },
    "audit-log-append-only": {
        "INSERT in another role": [role(actions=[grant("INSERT", "agent_audit_log")])],
        "an index that could expire rows": [role(actions=[grant("CREATE_INDEX", "agent_audit_log")])],
        "a writer without a waiver": [user("app_reports", "readWrite")],
        "a custom role nobody declared": [user("app_x", "role_by_hand", "admin")],
    },
    "no-inherited-roles": {
        "one inherited role": [role(inheritedRoles=[held("read", "askflorence")])],
        "inheriting a custom role": [role(inheritedRoles=[held("role_y", "admin")])],
    },
    "custom-role-at-admin": {
        "at the data's database": [role(), user("app_x", "role_x", "askflorence")],
        "at an empty database": [role(), user("app_x", "role_x", "")],
    },
    "built-in-roles-allow-list": {
        "readAnyDatabase": [user(role="readAnyDatabase", database="admin")],
        "readWriteAnyDatabase": [user(role="readWriteAnyDatabase", database="admin")],
        "dbAdmin": [user(role="dbAdmin")],
        "dbOwner": [user(role="dbOwner")],
        "root": [user(role="root", database="admin")],
        "atlasAdmin": [user(role="atlasAdmin", database="admin")],
        "read elsewhere": [user(database="admin")],
    },
    "user-cap": {
        "a sixth user": [*FIVE, user("u5")],
        "one tenant's own user": [user("agent_101")],
        "a member's own user": [user("app_member_5f3a9c")],
        "a sixth user in an unknown stack": [elsewhere(n) for n in range(6)],
    },
    "one-role-per-user": {
        "two roles": [user(roles=[held("read", "askflorence")] * 2)],
        "no role": [user(roles=[])],
    },
    "scoped-user": {
        "no scope": [user(scopes=[])],
        "two scopes": [user(scopes=[scope(CLUSTER)] * 2)],
        "a data lake": [user(scopes=[scope(CLUSTER, "DATA_LAKE")])],
        "a cluster nobody knows": [user(scopes=[scope("elsewhere")])],
    },
    "password-strength": {
        "a short password": [user(password="a" * 31)],
        "a password with a special character": [user(password="a" * 31 + "!")],
        "one password for two users": [user("a"), user("b", password=password_of("a"))],
        "another way to sign in: awsIamType": [user(awsIamType="ROLE")],
        "another way to sign in: ldapAuthType": [user(ldapAuthType="USER")],
        "another way to sign in: oidcAuthType": [user(oidcAuthType="IDP_GROUP")],
        "another way to sign in: x509Type": [user(x509Type="MANAGED")],
        "no password": [without(user(), "password")],
        "a short generator": [make(types.RANDOM_PASSWORD, "p", {"length": 16, "special": False})],
        "a generator with special characters": [make(types.RANDOM_PASSWORD, "p", {"length": 32})],
    },
    "project-isolation": {
        "prod's project id": [user(projectId=PROD_PROJECT_ID)],
        "a project nobody knows": [role(projectId="0" * 24)],
        "prod's project id in a description": [user(description=f"like {PROD_PROJECT_ID}")],
        "prod's cluster": [user(scopes=[scope("askflorence-prod-01")])],
        "an unknown stack with staging's project": [user(stack="dev", scopes=[scope("c")])],
        "prod's account": [make("aws:ssm/parameter:Parameter", "p", {"value": "222222222222"})],
        "prod's secret prefix": [secret("prod/mongodb/app-read-v2")],
    },
}


@pytest.mark.parametrize("resources", COMPLIANT.values(), ids=COMPLIANT.keys())
def test_a_compliant_case_passes(resources):
    assert set() == violations(judge(*resources))


@pytest.mark.parametrize(("rule", "resources"), offending(OFFENDING))
def test_an_offending_case_is_stopped_by_exactly_its_rule(rule, resources):
    assert {rule} == violations(judge(*resources))


def test_the_fifth_user_is_announced():
    outcome = judge(*FIVE)

    assert (set(), {"user-cap"}) == (violations(outcome), advised(outcome))


def test_a_waived_writer_is_advice():
    outcome = judge(user("app_write", "readWrite"))

    assert (set(), {"audit-log-append-only"}) == (violations(outcome), advised(outcome))


@pytest.mark.parametrize(
    "waivers",
    [
        (Waiver("W1", "app_write", "ADR 0006", frozenset({"UPDATE"})),),
        tuple(Waiver(w.id, w.user, "ADR 0099", w.permits) for w in WAIVED.waivers),
    ],
    ids=["permits less than the role grants", "names no known decision"],
)
def test_a_waiver_that_does_not_fit_excuses_nobody(waivers):
    assert {"audit-log-append-only"} == violations(
        judge(user("app_write", "readWrite"), config=with_waivers(*waivers))
    )


@pytest.mark.parametrize(
    "waiver",
    [
        Waiver("W1", "app_read", "a chat", frozenset()),
        Waiver("W1", "app_read", "ADR 0006", frozenset({"UPDATE"})),
    ],
    ids=["names no known decision", "permits what the user cannot do"],
)
def test_a_waiver_that_is_wrong_or_stale_is_a_finding_of_the_stack(waiver):
    assert {"audit-log-append-only"} == violations(judge_stack(root(), user(), config=with_waivers(waiver)))


def test_a_waiver_for_a_user_that_our_stack_does_not_declare_is_stale():
    stack = [root(), make(types.SERVICE_ACCESS, "staging", {"phase": "provision"})]

    assert {"audit-log-append-only"} == violations(judge_stack(*stack))


@pytest.mark.parametrize(
    "given",
    [
        user("app_write", "readWrite", projectId=PROD_PROJECT_ID),
        user("app_writer", "readWrite"),
        user("app_write", "readWrite", username=UNKNOWN),
        user("app_write", "readWrite", username=["app_write"]),
        user("app_write", "readWrite", password="short"),
    ],
    ids=["of another project", "renamed", "of a name not known", "of a name that is no text", "refused"],
)
@pytest.mark.parametrize(
    "created", [True, False], ids=["in a preview", "in an update, which does not create it"]
)
def test_a_mistake_in_the_waived_user_makes_no_waiver_stale(given, created):
    evaluator = Evaluator(Run(load_config(), "staging", Phase.BIND))
    evaluator.resource(given)
    whole = [root(), make(types.SERVICE_ACCESS, "staging", {"phase": "bind"}), *([given] if created else [])]

    assert [] == [each.message for each in evaluator.stack(whole).findings if "stale" in each.message]


def test_a_program_of_somebody_else_is_not_asked_for_our_waivers():
    assert set() == violations(judge_stack(root(), user()))


def test_an_inherited_writer_is_recognized():
    inheriting = role(inheritedRoles=[held("readWrite", "askflorence")])

    assert {"no-inherited-roles", "audit-log-append-only"} == violations(judge(inheriting))


def test_a_grant_on_the_whole_database_reaches_the_audit_log():
    wide = role(actions=[grant("INSERT", "")])

    assert {"atlas-action-allow-list", "audit-log-append-only"} == violations(judge(wide))


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (user(roles=UNKNOWN), ("built-in-roles-allow-list", "roles")),
        (user(roles=[held(UNKNOWN, "admin")]), ("custom-role-at-admin", "roles[0].roleName")),
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
    assert expected in unobserved(judge(resource))
