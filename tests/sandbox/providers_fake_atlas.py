"""A fake Atlas Admin API that records every request of the providers.

It is no emulator: it knows users, roles and one cluster, checks the digest's presence but not its proof, and answers
an injected status on request.
"""

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

PROJECT = "64a1b2c3d4e5f60718293a4b"
CHALLENGE = 'Digest realm="MMS Public API", domain="", nonce="abc123", algorithm=MD5, qop="auth", stale=false'
CLUSTER = {
    "id": "5f0c1a2b3d4e5f6071829305",
    "name": "cl",
    "groupId": PROJECT,
    "clusterType": "REPLICASET",
    "stateName": "IDLE",
    "mongoDBMajorVersion": "6.0",
    "mongoDBVersion": "6.0.5",
    "connectionStrings": {
        "standard": "mongodb://127.0.0.1:27017/?replicaSet=rs0",
        "privateEndpoint": [
            {
                "connectionString": "mongodb://127.0.0.2:27017/?replicaSet=rs0",
                "srvConnectionString": "mongodb+srv://cl-pl-0.example.com",
                "type": "MONGOD",
                "endpoints": [{"endpointId": "vpce-1", "providerName": "AWS", "region": "US_EAST_1"}],
            }
        ],
    },
}


@dataclass(frozen=True)
class Sent:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any

    @property
    def signed(self) -> bool:
        return "authorization" in self.headers


@dataclass
class FakeAtlas:
    """Users by (database, name), roles by name, the requests, and the statuses to answer next, by method."""

    users: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    faults: dict[str, deque[int]] = field(default_factory=dict)
    changing: int = 0
    most_changing: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                fake.handle(self)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def requests(self) -> list[tuple[str, str]]:
        """Method and path below the project of each signed request."""
        return [(one.method, one.path.split(PROJECT, 1)[-1]) for one in self.sent if one.signed]

    def handle(self, http: BaseHTTPRequestHandler) -> None:
        length = int(http.headers.get("Content-Length") or 0)
        raw = http.rfile.read(length).decode()
        headers = {name.lower(): value for name, value in http.headers.items()}
        is_json = "json" in headers.get("content-type", "")
        path = unquote(urlsplit(http.path).path)
        sent = Sent(http.command, path, headers, json.loads(raw) if is_json and raw else raw)
        with self.lock:
            self.sent.append(sent)
        if not sent.signed:
            self.reply(http, 401, {"error": 401}, {"WWW-Authenticate": CHALLENGE})
        elif self.faults.get(http.command):
            status = self.faults[http.command].popleft()
            self.reply(http, status, error(status, "INJECTED"))
        else:
            self.reply(http, *self.serve(sent, path.split("/")[6:]))

    def serve(self, sent: Sent, parts: list[str]) -> tuple[int, Any]:
        if parts[0] == "databaseUsers":
            return self.serve_user(sent, parts[1:])
        if parts[0] == "customDBRoles":
            return self.serve_role(sent, parts[2:])
        return 200, CLUSTER

    def serve_user(self, sent: Sent, parts: list[str]) -> tuple[int, Any]:
        if sent.method == "POST":
            key = (sent.body["databaseName"], sent.body["username"])
            self.users[key] = sent.body
            return 201, {name: value for name, value in sent.body.items() if name != "password"}
        key = (parts[0], parts[1])
        if key not in self.users:
            return 404, error(404, "USERNAME_NOT_FOUND")
        if sent.method == "PATCH":
            self.users[key] |= sent.body
        if sent.method == "DELETE":
            self.users.pop(key)
            return 204, None
        return 200, {name: value for name, value in self.users[key].items() if name != "password"}

    def serve_role(self, sent: Sent, parts: list[str]) -> tuple[int, Any]:
        if sent.method != "GET":
            with self.lock:
                self.changing += 1
                self.most_changing = max(self.most_changing, self.changing)
        try:
            if sent.method == "POST":
                self.roles[sent.body["roleName"]] = sent.body
                return 200, sent.body
            if parts[0] not in self.roles:
                return 404, error(404, "ATLAS_CUSTOM_ROLE_NOT_FOUND")
            if sent.method == "PATCH":
                self.roles[parts[0]] |= sent.body
            if sent.method == "DELETE":
                self.roles.pop(parts[0])
                return 204, None
            return 200, self.roles[parts[0]]
        finally:
            if sent.method != "GET":
                with self.lock:
                    self.changing -= 1

    @staticmethod
    def reply(
        http: BaseHTTPRequestHandler, status: int, body: Any, headers: dict[str, str] | None = None
    ) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        http.send_response(status)
        for name, value in (headers or {}).items():
            http.send_header(name, value)
        http.send_header("Content-Type", "application/json")
        http.send_header("Content-Length", str(len(content)))
        http.end_headers()
        http.wfile.write(content)


def error(status: int, code: str) -> dict[str, Any]:
    return {"error": status, "errorCode": code, "detail": "d", "reason": "Some Reason", "parameters": []}
