"""What somebody might change in Atlas by hand, each with the kind of finding that must come of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from atlas_fixture import Api, role_body, user_body
from drift_fixture import add_user, change_role, change_user, done, find, held

from atlas_access.drift.finding import Kind
from atlas_access.manifest.known_users import KnownUser

AUDIT_ACTIONS = [find("agent_audit_log"), find("agent_audit_log", "INSERT")]
SCHEMA = [
    {
        "action": action,
        "resources": [
            {"cluster": False, "db": "askflorence", "collection": name}
            for name in ("agent_waitlist_submissions", "agent_survey_responses", "hubspot_sync_log")
        ],
    }
    for action in ("FIND", "CREATE_INDEX", "LIST_INDEXES", "DROP_INDEX")
]


def known(**changes: Any) -> tuple[KnownUser, ...]:
    entry = {
        "name": "dba-on-call",
        "on": ("staging",),
        "kind": "human",
        "roles": ("read@askflorence",),
        "reason": "Inspects imported plans by hand.",
        "until": "2099-12-31",
        **changes,
    }
    return (KnownUser.model_validate(entry),)


def external(api: Api, name: str, **changes: Any) -> None:
    body = user_body(name, api.project_id, databaseName="$external", password=None, **changes)
    done(api.send("POST", "/databaseUsers", body))


def soon() -> str:
    return (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")


def temporary(api: Api) -> None:
    """A permanent user cannot be made temporary: somebody made it anew."""
    done(api.send("DELETE", "/databaseUsers/admin/app_read"))
    scopes = [{"name": "staging", "type": "CLUSTER"}]
    add_user(api, "app_read", "read@askflorence", scopes=scopes, deleteAfterDate=soon())


def wider(*more: dict[str, Any]) -> list[dict[str, Any]]:
    return [*AUDIT_ACTIONS, *more]


BY_HAND: dict[str, tuple[Kind, Callable[[Api], None], dict[str, Any]]] = {
    "a user added": (Kind.USER_UNMANAGED, lambda api: add_user(api, "intruder", "read@askflorence"), {}),
    "a managed user removed": (
        Kind.USER_MISSING,
        lambda api: done(api.send("DELETE", "/databaseUsers/admin/app_write")),
        {},
    ),
    "a legacy user removed": (
        Kind.LEGACY_MISSING,
        lambda api: done(api.send("DELETE", "/databaseUsers/admin/audit_reader")),
        {},
    ),
    "a role given to a user": (
        Kind.ROLE_HELD_EXTRA,
        lambda api: change_user(api, "app_read", roles=held("read@askflorence", "role_writer_plans@admin")),
        {},
    ),
    "a user's role replaced": (
        Kind.ROLE_HELD_MISSING,
        lambda api: change_user(api, "app_audit_writer", roles=held("role_reader_reference@admin")),
        {},
    ),
    "a built-in role given": (
        Kind.BUILTIN_ESCALATION,
        lambda api: change_user(api, "app_read", roles=held("read@askflorence", "atlasAdmin@admin")),
        {},
    ),
    "a built-in role at another database": (
        Kind.ROLE_WRONG_DATABASE,
        lambda api: change_user(api, "app_read", roles=held("read@elsewhere")),
        {},
    ),
    "a role narrowed to a collection": (
        Kind.ROLE_HELD_EXTRA,
        lambda api: change_user(
            api,
            "app_read",
            roles=[{"roleName": "read", "databaseName": "askflorence", "collectionName": "plans"}],
        ),
        {},
    ),
    "a scope added": (
        Kind.SCOPE_EXTRA,
        lambda api: change_user(
            api,
            "app_read",
            scopes=[{"name": "staging", "type": "CLUSTER"}, {"name": "lake", "type": "DATA_LAKE"}],
        ),
        {},
    ),
    "all scopes removed": (Kind.SCOPE_MISSING, lambda api: change_user(api, "app_read", scopes=[]), {}),
    "the scope moved away": (
        Kind.SCOPE_MISSING,
        lambda api: change_user(api, "app_read", scopes=[{"name": "other", "type": "CLUSTER"}]),
        {},
    ),
    "a managed user made temporary": (Kind.USER_TEMPORARY, temporary, {}),
    "an X.509 user": (
        Kind.USER_SIGN_IN,
        lambda api: external(api, "CN=ops,O=example", x509Type="CUSTOMER"),
        {},
    ),
    "an IAM user": (
        Kind.USER_SIGN_IN,
        lambda api: external(api, "arn:aws:iam::111111111111:role/ops", awsIAMType="ROLE"),
        {},
    ),
    "an LDAP user": (
        Kind.USER_SIGN_IN,
        lambda api: external(api, "cn=ops,dc=example", ldapAuthType="USER"),
        {},
    ),
    "a break-glass user without an end": (
        Kind.USER_ENDLESS,
        lambda api: add_user(api, "dba-on-call", "read@askflorence"),
        {"known": known(kind="break-glass")},
    ),
    "a known user past its end": (
        Kind.KNOWN_EXPIRED,
        lambda api: add_user(api, "dba-on-call", "read@askflorence"),
        {"known": known(until="2026-01-01")},
    ),
    "a known user's further role": (
        Kind.BUILTIN_ESCALATION,
        lambda api: add_user(api, "dba-on-call", "read@askflorence", "readWrite@askflorence"),
        {"known": known()},
    ),
    "a custom role added": (
        Kind.ROLE_UNMANAGED,
        lambda api: done(api.send("POST", "/customDBRoles/roles", role_body("role_backdoor"))),
        {},
    ),
    "an action added": (
        Kind.ACTION_EXTRA,
        lambda api: change_role(api, "role_audit_writer", wider(find("agent_audit_log", "UPDATE"))),
        {},
    ),
    "an action removed": (
        Kind.ACTION_MISSING,
        lambda api: change_role(api, "role_audit_writer", AUDIT_ACTIONS[:1]),
        {},
    ),
    "a collection added": (
        Kind.COLLECTION_EXTRA,
        lambda api: change_role(
            api,
            "role_audit_writer",
            [
                {
                    "action": "FIND",
                    "resources": [*AUDIT_ACTIONS[0]["resources"], *find("agents")["resources"]],
                },
                AUDIT_ACTIONS[1],
            ],
        ),
        {},
    ),
    "a whole database granted": (
        Kind.COLLECTION_EXTRA,
        lambda api: change_role(
            api,
            "role_audit_writer",
            [
                AUDIT_ACTIONS[0],
                {"action": "INSERT", "resources": [*AUDIT_ACTIONS[1]["resources"], *find("")["resources"]]},
            ],
        ),
        {},
    ),
    "a collection removed": (
        Kind.COLLECTION_MISSING,
        lambda api: change_role(
            api, "role_admin_schema", [{**SCHEMA[0], "resources": SCHEMA[0]["resources"][:2]}, *SCHEMA[1:]]
        ),
        {},
    ),
    "an inherited role": (
        Kind.INHERITED_EXTRA,
        lambda api: change_role(
            api,
            "role_audit_writer",
            AUDIT_ACTIONS,
            inheritedRoles=[{"role": "readWrite", "db": "askflorence"}],
        ),
        {},
    ),
    "a legacy role widened": (
        Kind.ROLE_WIDE,
        lambda api: change_role(api, "role_writer_plans", [find("", "REMOVE")]),
        {},
    ),
}
