"""An HTTP proxy before Atlas or AWS that records which changes got through, in their order, and can refuse one.

It forwards bytes as they are and keeps no body, header or answer: only what was changed, by name.
"""

import http.client
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

_READS = ("Get", "Describe", "List", "Simulate", "Assume", "BatchGet", "Filter")
_ARN = re.compile(r"^arn:aws:(?P<service>[a-z]+):[^:]*:[^:]*:(?:[a-z-]+[:/])?(?P<name>.+)$")
_NOT_FORWARDED = frozenset({"connection", "transfer-encoding", "keep-alive", "content-length"})


@dataclass(frozen=True, order=True)
class Effect:
    """One change of the world: what was done, and to what (`user app_read`, `secret staging/mongodb/audit-write`)."""

    verb: str
    subject: str

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"


Reader = Callable[[str, str, Any, bytes], Effect | None]


def atlas_effect(method: str, path: str, headers: Any, body: bytes) -> Effect | None:
    """What a request would change in Atlas; None for an observation or a token."""
    parts = [unquote(part) for part in urlsplit(path).path.split("/")]
    kind = "role" if "customDBRoles" in parts else "user" if "databaseUsers" in parts else ""
    if method == "GET" or not kind:
        return None
    named = json.loads(body).get("roleName" if kind == "role" else "username") if body else None
    return Effect(f"atlas {method}", f"{kind} {named or parts[-1]}")


def aws_effect(method: str, path: str, headers: Any, body: bytes) -> Effect | None:
    """What a request would change in AWS; None for an observation."""
    target = headers.get("X-Amz-Target")
    if target:
        service, _, action = target.partition(".")
        given = json.loads(body or b"{}")
    else:
        service, given = "iam", {key: values[0] for key, values in parse_qs(body.decode()).items()}
        action = given.get("Action", "")
    if not action or action.startswith(_READS):
        return None
    return Effect(f"{'ecs' if 'ContainerService' in service else service} {action}", _subject(action, given))


def _subject(action: str, given: dict[str, Any]) -> str:
    if "RoleName" in given:
        return f"policy {given['RoleName']}/{given.get('PolicyName', '')}"
    if "family" in given:
        return f"family {given['family']}"
    if "taskDefinition" in given and action != "UpdateService":
        return f"family {secret_name(given['taskDefinition']).partition(':')[0]}"
    if "service" in given:
        return f"service {given['service']}"
    kind = "version" if action in ("PutSecretValue", "UpdateSecretVersionStage") else "secret"
    named = given.get("SecretId") or given.get("Name") or given.get("resourceArn") or ""
    if ":ecs:" in named:
        found = secret_name(named)
        return (
            f"service {found.rpartition('/')[2]}"
            if "service/" in named
            else f"family {found.partition(':')[0]}"
        )
    return f"{kind} {secret_name(named)}"


def secret_name(arn: str) -> str:
    """The name in an ARN, without the six characters that Secrets Manager adds; a name is its own."""
    found = _ARN.match(arn)
    if found is None:
        return arn
    return (
        re.sub(r"-[A-Za-z0-9]{6}$", "", found["name"])
        if found["service"] == "secretsmanager"
        else found["name"]
    )


class RecordingProxy:
    """Forwards to `upstream`; each change that was answered with a success is appended to `effects`."""

    def __init__(self, upstream: str, read: Reader, effects: list[Effect]) -> None:
        self._upstream = urlsplit(upstream).netloc
        self._read, self._effects = read, effects
        self._lock = threading.Lock()
        self.refuse: Effect | None = None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy.forward(self)

            do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forward(self, request: BaseHTTPRequestHandler) -> None:
        """Pass one request on and its answer back."""
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        effect = self._read(request.command, request.path, request.headers, body)
        if effect is not None and effect == self.refuse:
            self.refuse = None
            said = json.dumps(
                {"error": 400, "errorCode": "REFUSED", "detail": "asked for", "reason": "asked for"}
            )
            self._send(request, 400, {"Content-Type": "application/json"}, said.encode())
            return
        upstream = http.client.HTTPConnection(self._upstream, timeout=60)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() != "connection"}
            upstream.request(request.command, request.path, body, headers)
            answer = upstream.getresponse()
            payload = answer.read()
        finally:
            upstream.close()
        if effect is not None and answer.status < 300:
            with self._lock:
                self._effects.append(effect)
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _NOT_FORWARDED}
        self._send(request, answer.status, kept, payload)

    @staticmethod
    def _send(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], payload: bytes) -> None:
        request.send_response_only(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(payload)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(payload)
