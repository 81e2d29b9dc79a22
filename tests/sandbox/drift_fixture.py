"""A project in the emulator that is exactly as declared, and small HTTP servers that answer what a test tells them."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from atlas_fixture import Api, role_body, user_body

from atlas_access.base.endpoints import Endpoints
from atlas_access.base.observed import Unread
from atlas_access.base.settings import Phase, Settings, check_settings
from atlas_access.clients.atlas import Atlas
from atlas_access.clients.atlas_sign_in import SignIn
from atlas_access.clients.retry import Retry
from atlas_access.drift.compare import Wanted, attributed, compare
from atlas_access.drift.finding import Drift
from atlas_access.drift.model import NotReached, Seen
from atlas_access.drift.observe import read_project
from atlas_access.manifest.known_users import KnownUser
from atlas_access.manifest.load import load_manifest

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
_FILES = {stack: (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8") for stack in ("staging", "prod")}
PROJECT = "69e31af12fd2c0aef51bbb41"
READER = SignIn("reader-staging", "reader-private-staging")


def endpoints(url: str, *, github: str = "http://127.0.0.1:1", aws: str = "http://127.0.0.1:1") -> Endpoints:
    return Endpoints(
        sandbox=True,
        aws=aws,
        atlas=url,
        smoke="http://127.0.0.1:1",
        hubspot="http://127.0.0.1:1",
        github=github,
    )


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
    return [
        {"roleName": name, "databaseName": database} for name, database in (role.split("@") for role in roles)
    ]


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
    """Check the Atlas part alone: everything else counts as not looked at."""
    rules = wanted(**more)
    with client(url, sign_in, seconds) as atlas:
        users, roles, cluster = read_project(atlas, "staging")
        rest = NotReached("the rest", "this test is about Atlas")
        key = Unread("key", "this test is about Atlas")
        drift = compare(rules, Seen(users, roles, cluster, key, (), (), rest))
        drift = Drift(
            drift.stack, drift.at, drift.findings, tuple(each for each in drift.unread if each != key)
        )
        if drift.findings:
            drift = attributed(drift, atlas.events())
    return drift, atlas


@dataclass
class Request:
    """A request as a fake server got it."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


@dataclass
class Answered:
    """What a fake server is to answer; `drop` closes the connection, `seconds` lets the client wait."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    seconds: float = 0.0
    short: int = 0


@contextmanager
def serving(answer: Callable[[Request], Answered]) -> Iterator[str]:
    """Serve on loopback; `answer` decides each reply. Bodies that are bytes go out as they are."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                read = json.loads(body) if body else None
            except ValueError:
                read = body.decode()
            reply = answer(Request(self.command, parts.path, parse_qs(parts.query), headers, read))
            time.sleep(reply.seconds)
            if reply.drop:
                self.close_connection = True
                self.connection.close()
                return
            payload = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload[: len(payload) - reply.short])
            if reply.short:
                self.close_connection = True

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
