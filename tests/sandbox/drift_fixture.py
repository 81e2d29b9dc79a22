"""A project in the emulator that is exactly as declared, and the Atlas part of a drift check of it."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from atlas_fixture import Api, role_body, user_body
from mongod_fixture import LOOPBACK

from atlas_access.base.endpoints import Endpoints
from atlas_access.base.observed import Unread
from atlas_access.base.settings import Phase, Settings, check_settings
from atlas_access.clients import read_or_unread
from atlas_access.clients.atlas import Atlas
from atlas_access.clients.atlas_sign_in import SignIn
from atlas_access.clients.retry import Retry
from atlas_access.drift import Wanted
from atlas_access.drift.compare import attributed, compare
from atlas_access.drift.finding import Drift
from atlas_access.drift.model import NotReached, Observed
from atlas_access.manifest.known_users import KnownUser
from atlas_access.manifest.load import load_manifest

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
_FILES = {stack: (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8") for stack in ("staging", "prod")}
PROJECT = "69e31af12fd2c0aef51bbb41"
READER = SignIn("reader-staging", "reader-private-staging")


def endpoints(url: str, *, github: str = "http://127.0.0.1:1", aws: str = "http://127.0.0.1:1") -> Endpoints:
    return replace(LOOPBACK, aws=aws, atlas=url, github=github)


def wanted(known: tuple[KnownUser, ...] = (), **changes: Any) -> Wanted:
    """What staging is held to; the emulator's cluster there is named `staging`."""
    return Wanted("staging", MANIFEST, _settings(), known, datetime.now(UTC), **changes)


@cache
def _settings() -> Settings:
    settings = check_settings("staging", _FILES, sandbox=True, overrides={"phase": Phase.BIND.value})
    return settings.model_copy(update={"atlas_cluster": "staging"})


def declare(api: Api) -> None:
    """Make in Atlas what access.yaml declares for staging, legacy users and roles too."""
    for role in MANIFEST.roles:
        actions = [
            {
                "action": grant.action,
                "resources": [
                    {"cluster": False, "db": MANIFEST.database_of(name), "collection": name}
                    for name in grant.collections
                ],
            }
            for grant in role.grants
        ]
        done(api.send("POST", "/customDBRoles/roles", role_body(role.name, actions=actions)))
    scopes = [{"name": "staging", "type": "CLUSTER"}]
    for user in MANIFEST.users:
        add_user(api, user.name, *(str(role) for role in user.roles), scopes=scopes)
    for legacy in MANIFEST.legacy_on("staging"):
        done(api.send("POST", "/customDBRoles/roles", role_body(legacy.role.name, actions=[find("plans")])))
        add_user(api, legacy.name, str(legacy.role))


def find(collection: str, action: str = "FIND", db: str = "askflorence") -> dict[str, Any]:
    return {"action": action, "resources": [{"cluster": False, "db": db, "collection": collection}]}


def held(*roles: str) -> list[dict[str, str]]:
    return [dict(zip(("roleName", "databaseName"), role.split("@"), strict=True)) for role in roles]


def add_user(api: Api, name: str, *roles: str, **changes: Any) -> None:
    done(api.send("POST", "/databaseUsers", user_body(name, api.project_id, roles=held(*roles), **changes)))


def change_user(api: Api, name: str, **changes: Any) -> None:
    done(api.send("PATCH", f"/databaseUsers/admin/{name}", changes))


def change_role(api: Api, name: str, actions: list[dict[str, Any]], **changes: Any) -> None:
    done(api.send("PATCH", f"/customDBRoles/roles/{name}", {"actions": actions, **changes}))


def done(answer: Any) -> None:
    assert answer.ok, answer.text


def client(url: str, sign_in: SignIn = READER, seconds: float = 20.0) -> Atlas:
    return Atlas(PROJECT, sign_in, endpoints(url), Retry(seconds))


def check(url: str, *, sign_in: SignIn = READER, seconds: float = 20.0, **more: Any) -> tuple[Drift, Atlas]:
    """Check the Atlas part alone: everything else counts as not inspected."""
    rules = wanted(**more)
    with client(url, sign_in, seconds) as atlas:
        users, roles = read_or_unread(atlas.users), read_or_unread(atlas.roles)
        cluster = read_or_unread(lambda: atlas.cluster("staging"))
        rest = NotReached("the rest", "this test is about Atlas")
        key = Unread("key", "this test is about Atlas")
        drift = compare(rules, Observed(users, roles, cluster, key, (), (), rest))
        drift = Drift(drift.stack, drift.at, drift.findings, tuple(one for one in drift.unread if one != key))
        if drift.findings:
            drift = attributed(drift, atlas.events())
    return drift, atlas
