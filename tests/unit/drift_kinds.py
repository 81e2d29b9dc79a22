"""For every kind of finding, one change to a clean environment that must bring forth exactly that finding."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
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
from atlas_access.clients.model import ObservedCluster, ObservedRole, Place, Scope
from atlas_access.drift.finding import Kind
from atlas_access.drift.model import Observed, ObservedView
from atlas_access.manifest.known_users import KnownKind
from atlas_access.manifest.model import Manifest
from atlas_access.manifest.records import DataClass, ViewFamily
from atlas_access.privileges.model import Privilege

AUDIT = "role_audit_writer"
LOG = Place("askflorence", "agent_audit_log")
READ = "staging/mongodb/app-read-v2"
READS = "read@askflorence"
NONE: frozenset[Privilege] = frozenset()


def granting(
    observed: Observed, *extra: tuple[str, Place], without: tuple[tuple[str, Place], ...] = ()
) -> Observed:
    here = role(AUDIT, observed)
    return with_role(observed, replace(here, grants=(here.grants - set(without)) | set(extra)))


def without_user(observed: Observed, name: str) -> Observed:
    return replace(observed, users=tuple(each for each in observed.users if each.name != name))


def collections(observed: Observed, **changes: Any) -> Observed:
    return replace(observed, collections=replace(observed.collections, **changes))


def phi_manifest() -> Manifest:
    moved = tuple(
        each.model_copy(update={"data_class": DataClass.PHI, "on": ("prod",)})
        if each.name == "agents"
        else each
        for each in MANIFEST.collections
    )
    return MANIFEST.model_copy(update={"collections": moved})


def family_manifest() -> Manifest:
    """Each agent has a view of the waitlist, by the field npn."""
    family = ViewFamily(
        name="agent_{npn}", data_class=DataClass.PII, on=("staging",), database="askflorence",
        source="agent_waitlist_submissions", field="npn",
    )  # fmt: skip
    return MANIFEST.model_copy(update={"view_families": (family,)})


def with_view(source: str, *fields: str) -> Callable[[Observed], Observed]:
    view = ObservedView("agent_7", source, fields)
    return lambda state: collections(state, names=state.collections.names | {"agent_7"}, views=(view,))


def aging_manifest() -> Manifest:
    """The reader's password may get 90 days old."""
    users = (each.model_copy(update={"most_days": 90 * (each.name == "app_read")}) for each in MANIFEST.users)
    return MANIFEST.model_copy(update={"users": tuple(users)})


def held_by(name: str, *roles: str, **changes: Any) -> Callable[[Observed], Observed]:
    """One user holds these roles."""
    return lambda observed: with_user(observed, user(name, *roles, **changes))


def reader(*roles: str, **changes: Any) -> Callable[[Observed], Observed]:
    return held_by("app_read", *(roles or (READS,)), **changes)


def secret(**changes: Any) -> Callable[[Observed], Observed]:
    return lambda observed: with_secret(observed, READ, **changes)


def binding(variable: str, value_from: str | None) -> Callable[[Observed], Observed]:
    return lambda observed: with_binding(observed, variable, value_from)


def role_with(name: str, *grants: tuple[str, Place]) -> Callable[[Observed], Observed]:
    return lambda observed: with_role(observed, ObservedRole(name, frozenset(grants)))


def lacking_a_collection(observed: Observed) -> Observed:
    admin = role("role_admin_schema", observed)
    return with_role(
        observed, replace(admin, grants=admin.grants - {("FIND", Place("askflorence", "hubspot_sync_log"))})
    )


def inheriting(observed: Observed) -> Observed:
    return with_role(
        observed, replace(role(AUDIT, observed), inherited=frozenset({HeldRole("readWrite", "askflorence")}))
    )


def plain_connection(observed: Observed) -> Observed:
    service, schema = observed.tasks
    plain = replace(service, plain=("MAIL_FROM", "SIDE_DOOR"), plain_connections=("SIDE_DOOR",))
    return replace(observed, tasks=(plain, schema))


def privileges(
    observed: Observed, *, more: frozenset[Privilege] = NONE, less: frozenset[Privilege] = NONE
) -> Observed:
    return collections(observed, privileges=(observed.collections.privileges | more) - less)


LEGACY_READER = partial(held_by, "app_read_staging", "role_reader_reference@admin")
ON_CALL = held_by("dba-on-call", READS)
TOMORROW = NOW + timedelta(days=1)
Case = tuple[Kind, Callable[[Observed], Observed], dict[str, Any]]
CASES: list[Case] = [
    (Kind.USER_MISSING, lambda s: without_user(s, "app_write"), {}),
    (Kind.USER_UNMANAGED, held_by("intruder", READS), {}),
    (Kind.USER_SIGN_IN, held_by("CN=x", READS, sign_in="X.509"), {}),
    (Kind.USER_SIGN_IN, held_by("arn:aws:iam::1:role/x", sign_in="AWS IAM"), {}),
    (Kind.USER_SIGN_IN, held_by("cn=x,dc=example", sign_in="LDAP"), {}),
    (Kind.USER_TEMPORARY, reader(delete_after=TOMORROW), {}),
    (Kind.USER_TEMPORARY, LEGACY_READER(scopes=frozenset(), delete_after=TOMORROW), {}),
    (Kind.USER_ENDLESS, ON_CALL, {"known": (known(kind=KnownKind.BREAK_GLASS),)}),
    (Kind.KNOWN_EXPIRED, ON_CALL, {"known": (known(until=LAST_YEAR.isoformat()),)}),
    (Kind.LEGACY_MISSING, lambda s: without_user(s, "app_read_staging"), {}),
    (Kind.ROLE_HELD_EXTRA, reader(READS, "role_writer_plans@admin"), {}),
    (Kind.ROLE_HELD_MISSING, held_by("app_read"), {}),
    (Kind.BUILTIN_ESCALATION, reader(READS, "atlasAdmin@admin"), {}),
    (Kind.ROLE_WRONG_DATABASE, reader("read@other"), {}),
    (Kind.SCOPE_EXTRA, reader(scopes=OWN | {Scope("askflorence-lake", "DATA_LAKE")}), {}),
    (Kind.SCOPE_MISSING, reader(scopes=frozenset()), {}),
    (Kind.SCOPE_MISSING, LEGACY_READER(scopes=frozenset({Scope("askflorence-prod", "CLUSTER")})), {}),
    (Kind.ROLE_MISSING, lambda s: replace(s, roles=tuple(r for r in s.roles if r.name != AUDIT)), {}),
    (Kind.ROLE_UNMANAGED, role_with("role_backdoor", ("REMOVE", LOG)), {}),
    (Kind.ROLE_WIDE, role_with("role_writer_plans", ("FIND", Place("askflorence", ""))), {}),
    (Kind.ACTION_EXTRA, lambda s: granting(s, ("UPDATE", LOG)), {}),
    (Kind.ACTION_MISSING, lambda s: granting(s, without=(("INSERT", LOG),)), {}),
    (Kind.COLLECTION_EXTRA, lambda s: granting(s, ("FIND", Place("askflorence", "agents"))), {}),
    (Kind.COLLECTION_MISSING, lacking_a_collection, {}),
    (Kind.INHERITED_EXTRA, inheriting, {}),
    (Kind.ENDPOINT_MISSING, lambda s: replace(s, cluster=ObservedCluster(CLUSTER, "6.0.5", 0)), {}),
    (Kind.SECRET_MISSING, secret(exists=False), {}),
    (Kind.SECRET_KEY, secret(key=""), {}),
    (Kind.SECRET_RECOVERY, secret(deleted_at=NOW), {}),
    (Kind.SECRET_POLICY, secret(policy="let * do secretsmanager:GetSecretValue"), {}),
    (Kind.SECRET_STALE, secret(current_version="v2"), {}),
    (Kind.SECRET_ROTATION, secret(rotates="arn:aws:lambda:us-east-1:9:function:x"), {}),
    (Kind.ROTATION_DUE, secret(made_at=NOW - timedelta(days=91)), {"manifest": aging_manifest()}),
    (Kind.CREDENTIALS_END, lambda s: replace(s, ends=NOW + timedelta(days=29)), {}),
    (Kind.SECRET_REPLICA, secret(replicas=("eu-west-1",)), {}),
    (Kind.KEY_UNUSABLE, lambda s: replace(s, key=replace(s.key, state="PendingDeletion")), {}),
    (Kind.BINDING_LEGACY, binding("MONGODB_URI", arn("staging/mongodb/app-read")), {}),
    (Kind.BINDING_WRONG, binding("MONGODB_URI", arn("staging/mongodb/app-write-v2")), {}),
    (Kind.BINDING_MISSING, binding("MONGODB_WRITE_URI", None), {}),
    (Kind.BINDING_UNPINNED, binding("MONGODB_URI", arn(READ)), {}),
    (Kind.BINDING_UNDECLARED, binding("MONGODB_SIDE_DOOR", arn("staging/other")), {}),
    (Kind.BINDING_PLAIN, plain_connection, {}),
    (
        Kind.PRIVILEGE_EXTRA,
        partial(privileges, more=frozenset({Privilege("askflorence", "plans", "update")})),
        {},
    ),
    (Kind.PRIVILEGE_MISSING, partial(privileges, less=frozenset({Privilege("askflorence", "", "find")})), {}),
    (Kind.COLLECTION_UNDECLARED, lambda s: collections(s, names=s.collections.names | {"scratch"}), {}),
    (Kind.VIEW_OTHER, with_view("agent_sessions", "npn"), {"manifest": family_manifest()}),
    (Kind.COLLECTION_ABSENT, lambda s: collections(s, names=s.collections.names - {"plans"}), {}),
    (Kind.CONNECTION_WEAK, lambda s: collections(s, weakened=("tls",)), {}),
    (Kind.COLLECTION_PHI, lambda s: s, {"manifest": phi_manifest()}),
]
