"""What somebody might change in Atlas by hand, each with the kind of finding that must come of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from atlas_fixture import Api, role_body, user_body
from drift_fixture import add_user, change_role, change_user, done, find, held

from atlas_access.drift.finding import Kind
from atlas_access.manifest.known_users import KnownUser

Change = Callable[[Api], None]
AUDIT = "role_audit_writer"
AUDIT_ACTIONS = [find("agent_audit_log"), find("agent_audit_log", "INSERT")]
AUDITED, AGENTS, ANYWHERE = (find(name)["resources"] for name in ("agent_audit_log", "agents", ""))
STAGING = {"name": "staging", "type": "CLUSTER"}
INDEXED = ("agent_waitlist_submissions", "agent_survey_responses", "hubspot_sync_log")
RESOURCES = [{"cluster": False, "db": "askflorence", "collection": name} for name in INDEXED]
INDEXING = ("FIND", "CREATE_INDEX", "LIST_INDEXES", "DROP_INDEX")
SCHEMA = [{"action": action, "resources": RESOURCES} for action in INDEXING]


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


def added(name: str, *roles: str) -> Change:
    return lambda api: add_user(api, name, *roles)


def removed(name: str) -> Change:
    return lambda api: done(api.send("DELETE", f"/databaseUsers/admin/{name}"))


def external(name: str, **changes: Any) -> Change:
    body = {"databaseName": "$external", "password": None, **changes}
    return lambda api: done(api.send("POST", "/databaseUsers", user_body(name, api.project_id, **body)))


def changed(name: str, **changes: Any) -> Change:
    return lambda api: change_user(api, name, **changes)


def role(name: str, actions: list[dict[str, Any]], **changes: Any) -> Change:
    return lambda api: change_role(api, name, actions, **changes)


def temporary(api: Api) -> None:
    """A permanent user cannot be made temporary: somebody made it anew."""
    removed("app_read")(api)
    soon = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    add_user(api, "app_read", "read@askflorence", scopes=[STAGING], deleteAfterDate=soon)


PLANS_ALONE = {"roleName": "read", "databaseName": "askflorence", "collectionName": "plans"}
SIGN_IN = {
    "an X.509 user": external("CN=ops,O=example", x509Type="CUSTOMER"),
    "an IAM user": external("arn:aws:iam::111111111111:role/ops", awsIAMType="ROLE"),
    "an LDAP user": external("cn=ops,dc=example", ldapAuthType="USER"),
}
ON_CALL = added("dba-on-call", "read@askflorence")
BY_HAND: dict[str, tuple[Kind, Change, dict[str, Any]]] = {
    "a user added": (Kind.USER_UNMANAGED, added("intruder", "read@askflorence"), {}),
    "a managed user removed": (Kind.USER_MISSING, removed("app_write"), {}),
    "a legacy user removed": (Kind.LEGACY_MISSING, removed("audit_reader"), {}),
    "a role given to a user": (
        Kind.ROLE_HELD_EXTRA,
        changed("app_read", roles=held("read@askflorence", "role_writer_plans@admin")),
        {},
    ),
    "a user's role replaced": (
        Kind.ROLE_HELD_MISSING,
        changed("app_audit_writer", roles=held("role_reader_reference@admin")),
        {},
    ),
    "a built-in role given": (
        Kind.BUILTIN_ESCALATION,
        changed("app_read", roles=held("read@askflorence", "atlasAdmin@admin")),
        {},
    ),
    "a built-in role at another database": (
        Kind.ROLE_WRONG_DATABASE,
        changed("app_read", roles=held("read@elsewhere")),
        {},
    ),
    "a role narrowed to a collection": (Kind.ROLE_HELD_EXTRA, changed("app_read", roles=[PLANS_ALONE]), {}),
    "a scope added": (
        Kind.SCOPE_EXTRA,
        changed("app_read", scopes=[STAGING, {"name": "lake", "type": "DATA_LAKE"}]),
        {},
    ),
    "all scopes removed": (Kind.SCOPE_MISSING, changed("app_read", scopes=[]), {}),
    "the scope moved away": (
        Kind.SCOPE_MISSING,
        changed("app_read", scopes=[{"name": "other", "type": "CLUSTER"}]),
        {},
    ),
    "a managed user made temporary": (Kind.USER_TEMPORARY, temporary, {}),
    **{what: (Kind.USER_SIGN_IN, change, {}) for what, change in SIGN_IN.items()},
    "a break-glass user without an end": (Kind.USER_ENDLESS, ON_CALL, {"known": known(kind="break-glass")}),
    "a known user past its end": (Kind.KNOWN_EXPIRED, ON_CALL, {"known": known(until="2026-01-01")}),
    "a known user's further role": (
        Kind.BUILTIN_ESCALATION,
        added("dba-on-call", "read@askflorence", "readWrite@askflorence"),
        {"known": known()},
    ),
    "a custom role added": (
        Kind.ROLE_UNMANAGED,
        lambda api: done(api.send("POST", "/customDBRoles/roles", role_body("role_backdoor"))),
        {},
    ),
    "an action added": (
        Kind.ACTION_EXTRA,
        role(AUDIT, [*AUDIT_ACTIONS, find("agent_audit_log", "UPDATE")]),
        {},
    ),
    "an action removed": (Kind.ACTION_MISSING, role(AUDIT, AUDIT_ACTIONS[:1]), {}),
    "a collection added": (
        Kind.COLLECTION_EXTRA,
        role(AUDIT, [{"action": "FIND", "resources": [*AUDITED, *AGENTS]}, AUDIT_ACTIONS[1]]),
        {},
    ),
    "a whole database granted": (
        Kind.COLLECTION_EXTRA,
        role(AUDIT, [AUDIT_ACTIONS[0], {"action": "INSERT", "resources": [*AUDITED, *ANYWHERE]}]),
        {},
    ),
    "a collection removed": (
        Kind.COLLECTION_MISSING,
        role("role_admin_schema", [{"action": "FIND", "resources": RESOURCES[:2]}, *SCHEMA[1:]]),
        {},
    ),
    "an inherited role": (
        Kind.INHERITED_EXTRA,
        role(AUDIT, AUDIT_ACTIONS, inheritedRoles=[{"role": "readWrite", "db": "askflorence"}]),
        {},
    ),
    "a legacy role widened": (Kind.ROLE_WIDE, role("role_writer_plans", [find("", "REMOVE")]), {}),
}
