"""For every kind of finding, one change to a clean environment that must bring forth exactly that finding."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from drift_cases import (
    CLUSTER,
    LAST_YEAR,
    MANIFEST,
    NOW,
    OWN,
    arn,
    known,
    role,
    user,
    with_binding,
    with_role,
    with_secret,
    with_user,
)

from atlas_access.base.observed import HeldRole
from atlas_access.clients.model import Place, Scope, SeenCluster, SeenRole
from atlas_access.drift.finding import Kind
from atlas_access.drift.model import Seen
from atlas_access.manifest.known_users import KnownKind
from atlas_access.manifest.model import DataClass, Manifest
from atlas_access.privileges.model import Privilege

AUDIT = "role_audit_writer"
LOG = Place("askflorence", "agent_audit_log")
READ = "staging/mongodb/app-read-v2"


def granting(seen: Seen, *extra: tuple[str, Place], without: tuple[tuple[str, Place], ...] = ()) -> Seen:
    here = role(AUDIT, seen)
    return with_role(seen, replace(here, grants=(here.grants - set(without)) | set(extra)))


def without_user(seen: Seen, name: str) -> Seen:
    return replace(seen, users=tuple(each for each in seen.users if each.name != name))


def collections(seen: Seen, **changes: Any) -> Seen:
    return replace(seen, collections=replace(seen.collections, **changes))


def phi_manifest() -> Manifest:
    moved = tuple(
        each.model_copy(update={"data_class": DataClass.PHI, "on": ("prod",)})
        if each.name == "agents"
        else each
        for each in MANIFEST.collections
    )
    return MANIFEST.model_copy(update={"collections": moved})


Case = tuple[Kind, Callable[[Seen], Seen], dict[str, Any]]
CASES: list[Case] = [
    (Kind.USER_MISSING, lambda s: without_user(s, "app_write"), {}),
    (Kind.USER_UNMANAGED, lambda s: with_user(s, user("intruder", "read@askflorence")), {}),
    (Kind.USER_SIGN_IN, lambda s: with_user(s, user("CN=x", "read@askflorence", sign_in="X.509")), {}),
    (Kind.USER_SIGN_IN, lambda s: with_user(s, user("arn:aws:iam::1:role/x", sign_in="AWS IAM")), {}),
    (Kind.USER_SIGN_IN, lambda s: with_user(s, user("cn=x,dc=example", sign_in="LDAP")), {}),
    (
        Kind.USER_TEMPORARY,
        lambda s: with_user(s, user("app_read", "read@askflorence", delete_after=NOW + timedelta(days=1))),
        {},
    ),
    (
        Kind.USER_ENDLESS,
        lambda s: with_user(s, user("dba-on-call", "read@askflorence")),
        {"known": (known(kind=KnownKind.BREAK_GLASS),)},
    ),
    (
        Kind.KNOWN_EXPIRED,
        lambda s: with_user(s, user("dba-on-call", "read@askflorence")),
        {"known": (known(until=LAST_YEAR.isoformat()),)},
    ),
    (Kind.LEGACY_MISSING, lambda s: without_user(s, "app_read_staging"), {}),
    (
        Kind.ROLE_HELD_EXTRA,
        lambda s: with_user(s, user("app_read", "read@askflorence", "role_writer_plans@admin")),
        {},
    ),
    (Kind.ROLE_HELD_MISSING, lambda s: with_user(s, user("app_read")), {}),
    (
        Kind.BUILTIN_ESCALATION,
        lambda s: with_user(s, user("app_read", "read@askflorence", "atlasAdmin@admin")),
        {},
    ),
    (Kind.ROLE_WRONG_DATABASE, lambda s: with_user(s, user("app_read", "read@other")), {}),
    (
        Kind.SCOPE_EXTRA,
        lambda s: with_user(
            s, user("app_read", "read@askflorence", scopes=OWN | {Scope("askflorence-lake", "DATA_LAKE")})
        ),
        {},
    ),
    (
        Kind.SCOPE_MISSING,
        lambda s: with_user(s, user("app_read", "read@askflorence", scopes=frozenset())),
        {},
    ),
    (Kind.ROLE_MISSING, lambda s: replace(s, roles=tuple(r for r in s.roles if r.name != AUDIT)), {}),
    (
        Kind.ROLE_UNMANAGED,
        lambda s: with_role(s, SeenRole("role_backdoor", frozenset({("REMOVE", LOG)}))),
        {},
    ),
    (
        Kind.ROLE_WIDE,
        lambda s: with_role(
            s, SeenRole("role_writer_plans", frozenset({("FIND", Place("askflorence", ""))}))
        ),
        {},
    ),
    (Kind.ACTION_EXTRA, lambda s: granting(s, ("UPDATE", LOG)), {}),
    (Kind.ACTION_MISSING, lambda s: granting(s, without=(("INSERT", LOG),)), {}),
    (Kind.COLLECTION_EXTRA, lambda s: granting(s, ("FIND", Place("askflorence", "agents"))), {}),
    (
        Kind.COLLECTION_MISSING,
        lambda s: with_role(
            s,
            replace(
                role("role_admin_schema", s),
                grants=role("role_admin_schema", s).grants
                - {("FIND", Place("askflorence", "hubspot_sync_log"))},
            ),
        ),
        {},
    ),
    (
        Kind.INHERITED_EXTRA,
        lambda s: with_role(
            s, replace(role(AUDIT, s), inherited=frozenset({HeldRole("readWrite", "askflorence")}))
        ),
        {},
    ),
    (Kind.ENDPOINT_MISSING, lambda s: replace(s, cluster=SeenCluster(CLUSTER, "6.0.5", 0)), {}),
    (Kind.SECRET_MISSING, lambda s: with_secret(s, READ, exists=False), {}),
    (Kind.SECRET_KEY, lambda s: with_secret(s, READ, key=""), {}),
    (Kind.SECRET_RECOVERY, lambda s: with_secret(s, READ, deleted_at=NOW), {}),
    (Kind.SECRET_POLICY, lambda s: with_secret(s, READ, policy="let * do secretsmanager:GetSecretValue"), {}),
    (Kind.SECRET_STALE, lambda s: with_secret(s, READ, current_version="v2"), {}),
    (
        Kind.BINDING_LEGACY,
        lambda s: with_binding(s, "MONGODB_URI", arn("staging/mongodb/app-read")),
        {},
    ),
    (
        Kind.SECRET_ROTATION,
        lambda s: with_secret(s, READ, rotates="arn:aws:lambda:us-east-1:9:function:x"),
        {},
    ),
    (Kind.SECRET_REPLICA, lambda s: with_secret(s, READ, replicas=("eu-west-1",)), {}),
    (Kind.KEY_UNUSABLE, lambda s: replace(s, key=replace(s.key, state="PendingDeletion")), {}),
    (
        Kind.USER_TEMPORARY,
        lambda s: with_user(
            s,
            user(
                "app_read_staging",
                "role_reader_reference@admin",
                scopes=frozenset(),
                delete_after=NOW + timedelta(days=1),
            ),
        ),
        {},
    ),
    (
        Kind.SCOPE_MISSING,
        lambda s: with_user(
            s,
            user(
                "app_read_staging",
                "role_reader_reference@admin",
                scopes=frozenset({Scope("askflorence-prod", "CLUSTER")}),
            ),
        ),
        {},
    ),
    (Kind.BINDING_WRONG, lambda s: with_binding(s, "MONGODB_URI", arn("staging/mongodb/app-write-v2")), {}),
    (Kind.BINDING_MISSING, lambda s: with_binding(s, "MONGODB_WRITE_URI", None), {}),
    (Kind.BINDING_UNPINNED, lambda s: with_binding(s, "MONGODB_URI", arn(READ)), {}),
    (Kind.BINDING_UNDECLARED, lambda s: with_binding(s, "MONGODB_SIDE_DOOR", arn("staging/other")), {}),
    (
        Kind.BINDING_PLAIN,
        lambda s: replace(
            s,
            tasks=(
                replace(s.tasks[0], plain=("MAIL_FROM", "SIDE_DOOR"), plain_connections=("SIDE_DOOR",)),
                s.tasks[1],
            ),
        ),
        {},
    ),
    (
        Kind.PRIVILEGE_EXTRA,
        lambda s: collections(
            s, privileges=s.collections.privileges | {Privilege("askflorence", "plans", "update")}
        ),
        {},
    ),
    (
        Kind.PRIVILEGE_MISSING,
        lambda s: collections(
            s, privileges=s.collections.privileges - {Privilege("askflorence", "", "find")}
        ),
        {},
    ),
    (Kind.COLLECTION_UNDECLARED, lambda s: collections(s, names=s.collections.names | {"scratch"}), {}),
    (Kind.COLLECTION_ABSENT, lambda s: collections(s, names=s.collections.names - {"plans"}), {}),
    (Kind.COLLECTION_PHI, lambda s: s, {"manifest": phi_manifest()}),
]
