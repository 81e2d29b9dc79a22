"""An application of the test's own on loopback that answers as the demonstration's does, and breaks on request."""

import datetime
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from mongod_fixture import LOOPBACK

from atlas_access.smoke.file import load_smoke
from atlas_access.smoke.gates import Gate, GateResult, Standing
from atlas_access.smoke.model import Limits, Smoke
from atlas_access.smoke.run import SmokeOrder
from atlas_access.smoke.task_secrets import Place

SMOKE_RUN = import_module("atlas_access.smoke.run")  # the room shows a function of that name
ROOT = Path(__file__).resolve().parents[2]
PLANS = tuple(f"42261UT00600{number}" for number in range(20, 34))
PLACE = Place("staging", "askflorence-staging", "askflorence-staging-app", "app", "us-east-1")
FAST = Limits(
    request_seconds=2.0,
    retry_seconds=0.3,
    revision_seconds=0.5,
    gate_seconds=10.0,
    browser_seconds=30.0,
    answer_bytes=100_000,
)

Body = Mapping[str, Any]
Answer = tuple[int, Mapping[str, str], bytes]
Handler = Callable[["_Request", Body], Answer | None]


@dataclass
class FakeApp:
    """Paths to handlers; a handler returns an answer, or None when it has written by itself."""

    url: str = ""
    revision: str = ""
    handlers: dict[str, Handler] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answers(self, path: str, value: object, status: int = 200) -> None:
        self.handlers[path] = lambda *_: (
            status,
            {"Content-Type": "application/json"},
            json.dumps(value).encode(),
        )

    def answers_raw(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        result = {name.replace("_", "-"): value for name, value in headers.items()}
        self.handlers[path] = lambda *_: (status, result, body)

    def changes(self, path: str, change: Callable[[Any], None]) -> None:
        """Let the usual answer of a path be changed before it is sent."""
        usual = self.handlers[path]

        def changed(request: "_Request", body: Body) -> Answer | None:
            answer = usual(request, body)
            assert answer is not None
            result = json.loads(answer[2])
            change(result)
            return answer[0], answer[1], json.dumps(result).encode()

        self.handlers[path] = changed


class _Request(BaseHTTPRequestHandler):
    app: FakeApp

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}") if length else {}
        self.app.asked.append(path)
        handler = self.app.handlers.get(path)
        answer = (
            handler(self, body)
            if handler
            else (404, {"Content-Type": "application/json"}, b'{"error": "no"}')
        )
        if answer is None:
            return
        status, headers, payload = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.app.revision:
            self.send_header("X-Task-Revision", self.app.revision)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_DELETE = do_POST  # noqa: N815 - the names of the library

    def log_message(self, *_: object) -> None:
        return


def usual() -> FakeApp:
    """The application as it should be."""
    app = FakeApp()

    def serve(path: str, answer: Callable[[Body], object]) -> None:
        app.handlers[path] = lambda _, body: (
            200,
            {"Content-Type": "application/json"},
            json.dumps(answer(body)).encode(),
        )

    serve("/api/eligibility", _eligibility)
    serve("/api/plans", _plans)
    serve(
        "/api/providers/covered",
        lambda body: {
            "provider": {"name": body["query"]},
            "plans": [{"plan_id": plan, "covered": True} for plan in body["plan_ids"]],
        },
    )
    serve("/api/drugs/covered", _drug)
    return app


def _eligibility(body: Body) -> dict[str, Any]:
    return {"eligible": True, "medicaid": False, "aptc": body["income"] / 1000}


def _plans(body: Body) -> object:
    shown = {"metal_level": "Silver", "net_premium": body["income"] / 500, "deductible": 1000}
    plans = [{"plan_id": plan, "name": f"Plan {plan}", **shown} for plan in PLANS]
    return {"count": len(PLANS), "eligibility": _eligibility(body), "plans": plans}


def _drug(body: Body) -> object:
    plans = [body["plan_id"]] if "plan_id" in body else body["plan_ids"]
    row = {"covered": True, "coverage": "Covered", "drug_tier": "PreferredBrand"}
    rows = [{"plan_id": plan, **row} for plan in plans]
    top = {key: rows[0][key] for key in ("coverage", "drug_tier")} if "plan_id" in body else {}
    return {"plans": rows, **top}


def serve(app: FakeApp, wrap: Callable[[Any], Any] = lambda socket: socket) -> ThreadingHTTPServer:
    """Listen on a free port until the caller shuts the server down."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Request", (_Request,), {"app": app}))
    server.daemon_threads = True
    server.socket = wrap(server.socket)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    app.url = f"http://127.0.0.1:{server.server_port}"
    return server


@pytest.fixture
def app() -> Iterator[FakeApp]:
    made = usual()
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def side_gates(monkeypatch: pytest.MonkeyPatch) -> dict[Gate, Standing]:
    """The browser and the sign-up have tests of their own; here they are as this says."""
    standings = {Gate.JOURNEY: Standing.MET, Gate.WAITLIST: Standing.MET}
    for name, gate in (("judge_journey", Gate.JOURNEY), ("judge_sign_up", Gate.WAITLIST)):
        monkeypatch.setattr(
            SMOKE_RUN, name, lambda *_, gate=gate: GateResult(gate, standings[gate], str(standings[gate]))
        )
    return standings


def scenarios(**limits: Any) -> Smoke:
    """The committed scenarios with limits fit for tests."""
    smoke = load_smoke((ROOT / "smoke.yaml").read_bytes())
    return smoke.model_copy(update={"limits": FAST.model_copy(update=limits)})


def order(app: FakeApp, **changes: Any) -> SmokeOrder:
    made = SmokeOrder("staging", app.url, scenarios(), PLACE, LOOPBACK, "askflorence", mail_url="")
    return replace(made, **changes)


def send(request: Any, data: bytes) -> None:
    try:
        request.wfile.write(data)
        request.wfile.flush()
    except OSError:
        return


def stream(piece: bytes, *, pause: float) -> Callable[[Any, Any], None]:
    def stream(request: Any, _: object) -> None:
        send(request, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        for _ in range(200):
            send(request, piece)
            time.sleep(pause)

    return stream


def _expired_certificate(directory: Path) -> tuple[Path, Path]:
    """An authority's certificate, and a chain of an expired one for 127.0.0.1 with its key."""
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test Authority")])
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])

    def signed(name: x509.Name, public: Any, end: datetime.datetime, extension: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - 9 * day)
        builder = builder.not_valid_after(end).add_extension(extension, critical=True)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        if name == issuer:
            usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    constraints = x509.BasicConstraints(ca=True, path_length=0)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    authority, chain = directory / "authority.pem", directory / "chain.pem"
    authority.write_bytes(signed(issuer, authority_key.public_key(), now + day, constraints))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(signed(subject, key.public_key(), now - day, names) + private)
    return authority, chain


@pytest.fixture
def expired(tmp_path: Path) -> Iterator[tuple[FakeApp, Path]]:
    made = usual()
    authority, chain = _expired_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server = serve(made, lambda socket: context.wrap_socket(socket, server_side=True))
    made.url = made.url.replace("http://", "https://")
    yield made, authority
    server.shutdown()
    server.server_close()
