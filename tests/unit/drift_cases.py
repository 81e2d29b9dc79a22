"""A staging environment that is exactly as declared, to change one thing in."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from atlas_access.base.observed import HeldRole
from atlas_access.base.settings import Phase, Settings, check_settings
from atlas_access.clients.model import ObservedCluster, ObservedKey, ObservedRole, ObservedUser, Place, Scope
from atlas_access.drift import Wanted
from atlas_access.drift.compare import compare
from atlas_access.drift.finding import Difference, Drift
from atlas_access.drift.model import (
    BoundVariable,
    Observed,
    ObservedCollections,
    ObservedSecret,
    ObservedTask,
)
from atlas_access.manifest.known_users import KnownKind, KnownUser, SignIn
from atlas_access.manifest.load import Manifest, load_manifest
from atlas_access.manifest.privileges import declared_privileges
from atlas_access.manifest.records import ADMIN_DATABASE, Consumer

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
FILES = {stack: (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8") for stack in ("staging", "prod")}
NOW = datetime(2026, 5, 12, 2, 0, tzinfo=UTC)
CLUSTER = "askflorence-staging"
ACCOUNT = "111111111111"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
OWN = frozenset({Scope(CLUSTER, "CLUSTER")})


@lru_cache
def settings(stack: str = "staging", phase: Phase = Phase.BIND) -> Settings:
    return check_settings(stack, FILES, sandbox=True, overrides={"phase": phase.value})


def wanted(
    phase: Phase = Phase.BIND, known: tuple[KnownUser, ...] = (), manifest: Manifest = MANIFEST, **more: Any
) -> Wanted:
    return Wanted("staging", manifest, settings(phase=phase), known, NOW, **more)


def known(**changes: Any) -> KnownUser:
    given: dict[str, Any] = {
        "name": "dba-on-call",
        "on": ("staging",),
        "kind": KnownKind.HUMAN,
        "sign_in": SignIn.PASSWORD,
        "roles": ("read@askflorence",),
        "reason": "Inspects imported plans by hand.",
        "until": "2026-12-31",
        **changes,
    }
    return KnownUser.model_validate(given)


def arn(secret: str) -> str:
    return f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{secret}-AbCdEf"


def user(name: str, *roles: str, **changes: Any) -> ObservedUser:
    held = frozenset(HeldRole(*role.split("@")) for role in roles)
    return ObservedUser(name, ADMIN_DATABASE, held, changes.pop("scopes", OWN), **changes)


def clean(manifest: Manifest = MANIFEST) -> Observed:
    """What a check of staging in phase bind reads when all is as declared."""
    rules = wanted(manifest=manifest).inventory
    users = [user(each.name, *(f"{r.name}@{r.database}" for r in each.roles)) for each in manifest.users]
    legacy = manifest.legacy_on("staging")
    users += [user(each.name, str(each.role), scopes=frozenset()) for each in legacy]
    roles = [
        ObservedRole(
            role.name,
            frozenset(
                (grant.action, Place(manifest.database_of(name), name))
                for grant in role.grants
                for name in grant.collections
            ),
        )
        for role in manifest.roles
    ]
    roles += [
        ObservedRole(each.role.name, frozenset({("FIND", Place("askflorence", "plans"))})) for each in legacy
    ]
    return Observed(
        users=tuple(users),
        roles=tuple({role.name: role for role in roles}.values()),
        cluster=ObservedCluster(CLUSTER, "6.0.5", 1),
        key=ObservedKey(KEY),
        secrets=tuple(
            ObservedSecret(name, exists=True, arn=arn(name), key=KEY, current_version="v1")
            for name in (*rules.wanted_secrets, *rules.legacy_secrets)
        ),
        tasks=(task(Consumer.SERVICE, manifest), task(Consumer.SCHEMA_TASK, manifest)),
        collections=ObservedCollections(
            user="app_read",
            database="askflorence",
            names=frozenset(each.name for each in manifest.collections_on("staging")),
            privileges=declared_privileges(manifest, "app_read", "6.0.5"),
            roles=frozenset({"read@askflorence"}),
            version="6.0.5",
        ),
    )


def task(consumer: Consumer, manifest: Manifest = MANIFEST) -> ObservedTask:
    bound = tuple(
        BoundVariable(each.variable, f"{arn(each.secret_name)}:::v1")
        for each in manifest.bindings_for("staging", consumer)
    )
    family = "askflorence-staging-app:8" if consumer is Consumer.SERVICE else "askflorence-staging-schema:2"
    return ObservedTask(consumer, family, running=True, bound=bound, plain=("MAIL_FROM",))


def with_user(observed: Observed, changed: ObservedUser) -> Observed:
    rest = [each for each in observed.users if each.name != changed.name]  # type: ignore[union-attr]
    return replace(observed, users=(*rest, changed))


def with_role(observed: Observed, changed: ObservedRole) -> Observed:
    rest = [each for each in observed.roles if each.name != changed.name]  # type: ignore[union-attr]
    return replace(observed, roles=(*rest, changed))


def with_secret(observed: Observed, name: str, **changes: Any) -> Observed:
    secrets = tuple(replace(each, **changes) if each.name == name else each for each in observed.secrets)  # type: ignore[union-attr,type-var]
    return replace(observed, secrets=secrets)


def with_binding(observed: Observed, variable: str, value_from: str | None) -> Observed:
    """Bind a variable of the service to something else; None takes the binding away."""
    service, schema = observed.tasks
    bound = tuple(each for each in service.bound if each.variable != variable)  # type: ignore[union-attr]
    bound += (BoundVariable(variable, value_from),) if value_from is not None else ()
    return replace(observed, tasks=(replace(service, bound=bound), schema))  # type: ignore[type-var]


def role(name: str, observed: Observed) -> ObservedRole:
    return next(each for each in observed.roles if each.name == name)  # type: ignore[union-attr]


def check(observed: Observed, **more: Any) -> Drift:
    return compare(wanted(**more), observed)


def only(drift: Drift) -> Difference:
    assert len(drift.findings) == 1, [finding.what for finding in drift.findings]
    return drift.findings[0]


LAST_YEAR = date(2025, 12, 31)
