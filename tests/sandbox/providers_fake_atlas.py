"""A fake Atlas Admin API that records every request of the providers.

It is no emulator: it knows users, roles and one cluster, checks the digest's presence but not its proof, and answers
an injected status on request.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from http_fixture import Answered, Request

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


def signed(request: Request) -> bool:
    return "authorization" in request.headers


@dataclass
class FakeAtlas:
    """Users by (database, name), roles by name, the requests, and the statuses to answer next, by method."""

    url: str = ""
    users: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[Request] = field(default_factory=list)
    faults: dict[str, deque[int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    changing: int = 0
    most_changing: int = 0

    def requests(self) -> list[tuple[str, str]]:
        """Method and path below the project of each signed request."""
        return [(one.method, one.path.split(PROJECT, 1)[-1]) for one in self.sent if signed(one)]

    def answer(self, request: Request) -> Answered:
        self.sent.append(request)
        if not signed(request):
            return Answered({"error": 401}, 401, {"WWW-Authenticate": CHALLENGE})
        if self.faults.get(request.method):
            status = self.faults[request.method].popleft()
            return Answered(error(status, "INJECTED"), status)
        status, body = self.serve(request, request.path.split("/")[6:])
        return Answered(b"" if body is None else body, status, {"Content-Type": "application/json"})

    def serve(self, sent: Request, parts: list[str]) -> tuple[int, Any]:
        if parts[0] == "databaseUsers":
            return self.serve_user(sent, parts[1:])
        if parts[0] == "customDBRoles":
            return self.serve_role(sent, parts[2:])
        return 200, CLUSTER

    def serve_user(self, sent: Request, parts: list[str]) -> tuple[int, Any]:
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

    def serve_role(self, sent: Request, parts: list[str]) -> tuple[int, Any]:
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


def error(status: int, code: str) -> dict[str, Any]:
    return {"error": status, "errorCode": code, "detail": "d", "reason": "Some Reason", "parameters": []}
