"""The invariants of the decision records as constants, independent of `access.yaml`: the pack is a second opinion."""

from __future__ import annotations

import enum
import re
from typing import Final

DATABASE: Final = "askflorence"
AUDIT_DATABASES: Final = (DATABASE, "askflorence_audit")
"""Where the audit log may live: with the application's data (ADR 0006), or in a database of its own."""

AUDIT_COLLECTION: Final = "agent_audit_log"
AUDIT_ROLE: Final = "role_audit_writer"
AUDIT_ROLE_ACTIONS: Final = frozenset({"FIND", "INSERT"})
"""ADR 0002, kept by ADR 0006: append-only, neither wider nor narrower."""

ALLOWED_ACTIONS: Final = frozenset({"FIND", "INSERT", "CREATE_INDEX", "LIST_INDEXES", "DROP_INDEX"})
"""Every Atlas action that ADR 0006 names for a custom role."""

CUSTOM_ROLE_DATABASE: Final = "admin"
"""Atlas assigns custom roles as `role@admin` and refuses any other database (UNSUPPORTED_ROLE)."""

ALLOWED_BUILT_IN_ROLES: Final = frozenset({("read", DATABASE), ("readWrite", DATABASE)})

BUILT_IN_ROLES: Final = frozenset(
    {
        "atlasAdmin",
        "backup",
        "clusterAdmin",
        "clusterManager",
        "clusterMonitor",
        "dbAdmin",
        "dbAdminAnyDatabase",
        "dbOwner",
        "directShardOperations",
        "enableSharding",
        "hostManager",
        "read",
        "readAnyDatabase",
        "readWrite",
        "readWriteAnyDatabase",
        "restore",
        "root",
        "searchCoordinator",
        "userAdmin",
        "userAdminAnyDatabase",
        "__queryableBackup",
        "__system",
    }
)
"""Names that MongoDB and Atlas keep for themselves (MongoDB manual, Built-In Roles; Atlas, Built-in Roles)."""

READ_WRITE_ON_INDEXES: Final = frozenset({"CREATE_INDEX", "DROP_INDEX"})
"""What `readWrite` may do to every collection's indexes although ADR 0006 speaks of it as held apart."""

READ_WRITE_ON_AUDIT_LOG: Final = frozenset(
    {
        "INSERT",
        "UPDATE",
        "REMOVE",
        "DROP_COLLECTION",
        "CONVERT_TO_CAPPED",
        "RENAME_COLLECTION_SAME_DB",
        "CREATE_INDEX",
        "DROP_INDEX",
    }
)
"""What `readWrite` on the database may do to the audit log besides FIND (MongoDB manual, readWrite)."""

USER_CAP: Final = 5
"""ADR 0006: four users and at most a fifth; a sixth needs a decision record of its own."""

ONE_TENANTS_USER: Final = re.compile(
    r"(?:^|[_-])(?:tenant|agent|agency|member|customer|client|broker|npn|org)s?[_-]?(?:id[_-]?)?"
    r"(?:\d+|(?=[0-9a-f]*\d)[0-9a-f]{6,})$",
    re.IGNORECASE,
)
"""ADR 0006, playbook for health data: tenants are kept apart by views and the JWT, never by a database user each."""

PASSWORD_LENGTH: Final = 32
RECOVERY_WINDOW_DAYS: Final = 30

READ_VARIABLE: Final = "MONGODB_URI"
WRITE_VARIABLE: Final = "MONGODB_WRITE_URI"
AUDIT_VARIABLE: Final = "MONGODB_AUDIT_WRITE_URI"
REFERENCE_VARIABLE: Final = "MONGODB_REFERENCE_URI"
SCHEMA_VARIABLE: Final = "MONGODB_URI_ADMIN_SCHEMA"
VARIABLE_PREFIX: Final = "MONGODB_"

RUNTIME_SECRETS: Final = {
    READ_VARIABLE: "app-read-v2",
    WRITE_VARIABLE: "app-write-v2",
    AUDIT_VARIABLE: "audit-write",
}
"""Variable to the last part of its secret's name, apart from the reference variable, which has a rule of its own."""

REFERENCE_NAME: Final = "reference-uri-v2"
SCHEMA_NAME: Final = "admin-schema"

DEPRECATED_VARIABLES: Final = {
    "MONGODB_URI_PLANS_WRITE": WRITE_VARIABLE,
    "MONGODB_URI_SURVEY_WRITE": WRITE_VARIABLE,
    "MONGODB_URI_WAITLIST_WRITE": WRITE_VARIABLE,
    "MONGODB_URI_HUBSPOT_SYNC_WRITE": WRITE_VARIABLE,
    "MONGODB_URI_AGENTS_WRITE": WRITE_VARIABLE,
    "MONGODB_URI_AGENTS_ADMIN": WRITE_VARIABLE,
    "MONGODB_URI_AUDIT_READ": READ_VARIABLE,
}
"""The seven names of ADR 0006, each with the variable that succeeds it."""

RETIREMENT_CONDITIONS: Final = (
    "no_legacy_bound_revision",
    "three_completed_deployments",
    "drift_clean",
    "smoke_gates_green",
    "phases_verified_24h",
    "no_legacy_login",
    "typed_confirmation",
)
"""The conditions of ENG-279 (phase G, rule 3); the retirement's evidence must report each as met."""


class Phase(enum.StrEnum):
    """The phases of a stack's life (ENG-279, phases A to H)."""

    PROVISION = "provision"
    BIND = "bind"
    RETIRE = "retire"
