"""Validation of database users and custom roles as Atlas does it. Pure.

Sources: the Atlas Administration API (schemas and error codes), MongoDB's naming rules, and recorded behaviour of
custom roles (assigned at admin only; inheritance bound to its scope; one action, many resources).
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from pymongo.saslprep import saslprep

from atlas_access.privileges import ATLAS_ACTIONS, BUILTIN_ROLES, ActionScope, mongo_actions
from sandbox.atlas.errors import AtlasError
from sandbox.atlas.models import Action, CustomRole, DatabaseUser, InheritedRole, RoleGrant

MAX_USERS = 100
MAX_ROLES = 100
MAX_ROLES_OF_USER = 20
MAX_TEMPORARY_DAYS = 7

ON_ANY_DATABASE = frozenset({"read", "readWrite", "dbAdmin"})
ON_ADMIN = frozenset(
    {
        *("atlasAdmin", "backup", "clusterMonitor", "dbAdminAnyDatabase"),
        *("enableSharding", "readAnyDatabase", "readWriteAnyDatabase"),
    }
)
ON_COLLECTIONS = frozenset({"read", "readWrite"})
_INHERITED_FROM_ANY_DATABASE = frozenset({"read", "readWrite"})
_RESERVED_USERS = frozenset({"__system", "mms-automation", "mms-backup-agent", "mms-monitoring-agent"})
_COMMON_PASSWORDS = frozenset({"password", "password1", "12345678", "123456789", "qwertyuiop", "letmein1"})
_ROLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
_FORBIDDEN_IN_DATABASE = re.compile(r'[/\\. "\x00*<>:|?]')


def check_user(
    user: DatabaseUser,
    password: str | None,
    *,
    roles: Collection[str],
    reserved: Collection[str],
    new: bool,
    now: datetime,
) -> None:
    """Raise `AtlasError` unless Atlas would take the user; `roles` are the project's custom roles."""
    _check_sign_in(user, password, new=new)
    if user.username in _RESERVED_USERS or user.username in reserved:
        raise AtlasError("BLOCKED_USERNAME", user.username)
    if not user.roles:
        raise AtlasError("MISSING_ATTRIBUTE", "roles")
    if len(user.roles) > MAX_ROLES_OF_USER:
        raise AtlasError("VALIDATION_ERROR", f"a user holds at most {MAX_ROLES_OF_USER} roles")
    observed: set[str] = set()
    for grant in user.roles:
        if str(grant) in observed:
            raise AtlasError("DUPLICATE_DATABASE_ROLES", str(grant))
        observed.add(str(grant))
        _check_grant(grant, roles)
    if new and user.delete_after_date is not None:
        _check_expiry(user, user.delete_after_date, now)


def check_expiry_change(before: DatabaseUser, after: DatabaseUser, now: datetime) -> None:
    """Raise `AtlasError` when a permanent user would become temporary, or the new date is out of range."""
    if before.delete_after_date == after.delete_after_date or after.delete_after_date is None:
        return
    if before.delete_after_date is None:
        raise AtlasError("PERMANENT_ENTITY_CANNOT_BE_MADE_TEMPORARY")
    _check_expiry(after, after.delete_after_date, now)


def check_role(role: CustomRole, others: Mapping[str, CustomRole]) -> None:
    """Raise `AtlasError` unless Atlas would take the role beside the project's other ones."""
    name = role.role_name
    if not _ROLE_NAME.fullmatch(name) or len(name) > 1024:
        raise AtlasError("ATLAS_CUSTOM_ROLE_INVALID_NAME", name)
    if name in BUILTIN_ROLES:
        raise AtlasError("ATLAS_INVALID_CUSTOM_ROLE_RESTRICTED", name)
    if name.startswith("xgen-"):
        raise AtlasError("ATLAS_RESERVED_CUSTOM_ROLE_RESTRICTED", name)
    if not role.actions and not role.inherited_roles:
        raise AtlasError("ATLAS_CUSTOM_ROLE_HAS_NO_PERMISSIONS")
    if len({action.action for action in role.actions}) != len(role.actions):
        raise AtlasError("ATLAS_DUPLICATE_CUSTOM_ROLE_ACTION")
    for action in role.actions:
        _check_action(action)
    if len(set(role.inherited_roles)) != len(role.inherited_roles):
        raise AtlasError("VALIDATION_ERROR", "inheritedRoles lists a role twice")
    for inherited in role.inherited_roles:
        _check_inherited(role.role_name, inherited, others)
    if _inherits(role, name, others):
        raise AtlasError("ATLAS_INVALID_CUSTOM_ROLE_CIRCULAR_DEPENDENCY")


def not_enforced(role: CustomRole, version: str) -> tuple[str, ...]:
    """Return the role's actions that a `mongod` of this version does not know: kept and listed, never enforced."""
    return tuple(a.action for a in role.actions if not mongo_actions(a.action, version))


def _check_sign_in(user: DatabaseUser, password: str | None, *, new: bool) -> None:
    chosen = [kind for kind in user.sign_in if kind != "NONE"]
    if user.x509_type != "NONE" and user.ldap_auth_type != "NONE":
        raise AtlasError("ATLAS_X509_USER_CANNOT_USE_LDAP")
    if len(chosen) > 1:
        raise AtlasError("VALIDATION_ERROR", "a user signs in one way only")
    if user.x509_type != "NONE" and password is not None:
        raise AtlasError("ATLAS_X509_USER_CANNOT_USE_SCRAM")
    on_admin = user.by_password or user.oidc_auth_type == "IDP_GROUP"
    if on_admin and user.database_name != "admin":
        raise AtlasError("DATABASE_NAME_INVALID_ADMIN", "SCRAM" if user.by_password else "OIDC Workforce")
    if not on_admin and user.database_name != "$external":
        raise AtlasError("DATABASE_NAME_INVALID_EXTERNAL")
    if user.by_password:
        _check_scram(user.username, password, new=new)
    elif password is not None:
        raise AtlasError("VALIDATION_ERROR", "only users who sign in with SCRAM have a password")
    if user.x509_type == "MANAGED" and not re.fullmatch(r"(CN=)?[^,=+]+", user.username):
        raise AtlasError("ATLAS_MANAGED_X509_NAME_INVALID")
    if user.x509_type == "CUSTOMER" and "CN=" not in user.username.upper():
        raise AtlasError("ATLAS_INVALID_USERNAME")
    if user.ldap_auth_type != "NONE" and "=" not in user.username:
        raise AtlasError("ATLAS_INVALID_LDAP_NAME", user.username)
    if user.aws_iam_type != "NONE" and not user.username.startswith("arn:aws"):
        raise AtlasError("ATLAS_INVALID_USERNAME")
    if user.oidc_auth_type != "NONE" and "/" not in user.username.strip("/"):
        raise AtlasError("ATLAS_INVALID_USERNAME")


def _check_scram(username: str, password: str | None, *, new: bool) -> None:
    if username != username.strip() or not username.isprintable():
        raise AtlasError("ATLAS_INVALID_USERNAME")
    if password is None:
        if new:
            raise AtlasError("MISSING_ATTRIBUTE", "password")
        return
    if len(password) < 8 or password == username:
        raise AtlasError("WEAK_PASSWORD")
    if password.lower() in _COMMON_PASSWORDS:
        raise AtlasError("COMMON_PASSWORD")
    try:
        prepared = saslprep(password)
    except ValueError:
        prepared = ""
    if not prepared or not password.isprintable():
        raise AtlasError("VALIDATION_ERROR", "the password holds a character that cannot be typed (RFC 4013)")


def _check_grant(grant: RoleGrant, custom: Collection[str]) -> None:
    _check_namespace(grant.database_name, grant.collection_name or "")
    if grant.role_name in ON_ANY_DATABASE:
        if grant.collection_name and grant.role_name not in ON_COLLECTIONS:
            raise AtlasError("UNSUPPORTED_ROLE")
        return
    if grant.collection_name:
        raise AtlasError("UNSUPPORTED_ROLE")
    if grant.role_name in ON_ADMIN:
        if grant.database_name != "admin":
            raise AtlasError("ATLAS_INVALID_ROLE_DATABASE", grant.role_name, "admin")
        return
    if grant.database_name != "admin":
        raise AtlasError("UNSUPPORTED_ROLE")
    if grant.role_name not in custom or grant.role_name in BUILTIN_ROLES:
        raise AtlasError("ATLAS_INVALID_ROLE", grant.role_name, grant.database_name)


def _check_expiry(user: DatabaseUser, moment: datetime, now: datetime) -> None:
    if user.x509_type != "NONE":
        raise AtlasError("ATLAS_X509_USER_CANNOT_BE_TEMPORARY")
    if moment <= now:
        raise AtlasError("EXPIRATION_DATE_IN_PAST")
    if moment > now + timedelta(days=MAX_TEMPORARY_DAYS):
        raise AtlasError("EXPIRATION_DATE_EXCEEDS_MAX", str(MAX_TEMPORARY_DAYS))


def _check_action(action: Action) -> None:
    known = ATLAS_ACTIONS.get(action.action)
    if known is None:
        raise AtlasError("INVALID_ENUM_VALUE", "actions.action")
    if not action.resources:
        raise AtlasError("MISSING_ATTRIBUTE", "actions.resources")
    if len(set(action.resources)) != len(action.resources):
        raise AtlasError("ATLAS_DUPLICATE_CUSTOM_ROLE_RESOURCE")
    for resource in action.resources:
        if not resource.cluster and "db" not in resource.model_fields_set:
            raise AtlasError("MISSING_ATTRIBUTE", "actions.resources.db")
        if known.scope is not ActionScope.ELSEWHERE and resource.cluster != (
            known.scope is ActionScope.CLUSTER
        ):
            raise AtlasError("ATLAS_INVALID_RESOURCE")
        if not resource.cluster:
            _check_namespace(resource.db, resource.collection)


def _check_namespace(database: str, collection: str) -> None:
    too_long = len(database.encode(errors="replace")) > 63
    # $external holds users and no data: the server knows no role of it.
    if _FORBIDDEN_IN_DATABASE.search(database) or too_long or database == "$external":
        raise AtlasError("INVALID_DATABASE_NAME", database)
    if re.search(r"[$\x00]", collection) or collection.startswith(".") or len(collection) > 255:
        raise AtlasError("INVALID_COLLECTION_NAME", collection)


def _check_inherited(name: str, inherited: InheritedRole, others: Mapping[str, CustomRole]) -> None:
    _check_namespace(inherited.db, "")
    if inherited.role in _INHERITED_FROM_ANY_DATABASE:
        if not inherited.db:
            raise AtlasError("ATLAS_INVALID_CUSTOM_ROLE_INHERITED_SCOPE")
        return
    offered = inherited.role in ON_ADMIN or inherited.role in ON_ANY_DATABASE
    custom = inherited.role == name or inherited.role in others
    # A name that is the server's own would mean the server's role there, whatever the project calls so.
    if not offered and (not custom or inherited.role in BUILTIN_ROLES):
        raise AtlasError("ATLAS_INVALID_CUSTOM_ROLE_INHERITANCE")
    if inherited.db != "admin":
        raise AtlasError("ATLAS_INVALID_CUSTOM_ROLE_INHERITED_SCOPE")
    if inherited.role == name:
        raise AtlasError("ATLAS_INVALID_CUSTOM_ROLE_SELF_REFERENTIAL")


def _inherits(role: CustomRole, target: str, others: Mapping[str, CustomRole]) -> bool:
    """Whether a role reaches `target` through what it inherits."""
    waiting = [inherited.role for inherited in role.inherited_roles]
    observed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name == target:
            return True
        if name not in observed and name in others:
            observed.add(name)
            waiting += [inherited.role for inherited in others[name].inherited_roles]
    return False
