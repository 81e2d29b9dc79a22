"""An application of the test's own on loopback that answers as the demonstration's does, and breaks on request."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mongod_fixture import LOOPBACK

from atlas_access.smoke.file import load_smoke
from atlas_access.smoke.model import Limits, Smoke
from atlas_access.smoke.run import SmokeOrder
from atlas_access.smoke.task_secrets import Place

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
    rows = [
        {"plan_id": plan, "covered": True, "coverage": "Covered", "drug_tier": "PreferredBrand"}
        for plan in plans
    ]
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


def scenarios(**limits: Any) -> Smoke:
    """The committed scenarios with limits fit for tests."""
    smoke = load_smoke((ROOT / "smoke.yaml").read_bytes())
    return smoke.model_copy(update={"limits": FAST.model_copy(update=limits)})


def order(app: FakeApp, **changes: Any) -> SmokeOrder:
    made = SmokeOrder("staging", app.url, scenarios(), PLACE, LOOPBACK, "askflorence", mail_url="")
    return replace(made, **changes)
