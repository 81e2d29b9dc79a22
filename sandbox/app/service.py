"""The application's HTTP server: routes, and headers that name the task. Database errors answer 500 as JSON."""

import json
import logging
import socket
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from sandbox.app import failures
from sandbox.app.failures import BadRequest
from sandbox.app.lookups import Lookups
from sandbox.app.waitlist import Waitlist
from sandbox.kept_alive import KeptAliveHandler, KeptAliveServer

_LOG = logging.getLogger("app")
_JSON, _HTML, _TEXT = "application/json", "text/html; charset=utf-8", "text/plain; charset=utf-8"
_PAGES = {
    "/": "home.html",
    "/calculator": "calculator.html",
    "/plans": "plans.html",
    "/coverage-check": "coverage-check.html",
    "/agent-onboarding": "agent-onboarding.html",
}
_HEALTH = ("/healthz", "/api/health")
Answer = tuple[int, str, bytes]


class Service:
    """Decides every answer. `revision` and `task` go into its headers."""

    def __init__(self, lookups: Lookups, waitlist: Waitlist, revision: str, task: str) -> None:
        self._headers = {"X-Task-Revision": revision, "X-Task-Id": task, "Cache-Control": "no-store"}
        self._api: Mapping[str, tuple[int, Callable[[Mapping[str, Any]], Mapping[str, Any]]]] = {
            "/api/eligibility": (200, lookups.eligibility),
            "/api/plans": (200, lookups.plans),
            "/api/providers/covered": (200, lookups.providers),
            "/api/drugs/covered": (200, lookups.drugs),
            "/api/agent-waitlist": (201, waitlist.join),
        }
        pages = files("sandbox.app").joinpath("pages")
        self._files = {path: (_HTML, pages.joinpath(name).read_bytes()) for path, name in _PAGES.items()}
        self._files["/app.js"] = ("text/javascript; charset=utf-8", pages.joinpath("app.js").read_bytes())
        self._files["/app.css"] = ("text/css; charset=utf-8", pages.joinpath("app.css").read_bytes())

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of every answer."""
        return self._headers

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """Return status, content type and body."""
        path = target.partition("?")[0]
        if path in _HEALTH:
            return 200, _TEXT, b"ok\n"
        if path in self._files and method in ("GET", "HEAD"):
            return 200, *self._files[path]
        if path not in self._api:
            return _error(405 if path in self._files else 404, "there is nothing of that kind here")
        if method != "POST":
            return _error(405, "only POST is answered here")
        return self._asked(path, body)

    def _asked(self, path: str, body: bytes) -> Answer:
        status, handler = self._api[path]
        try:
            given = json.loads(body or b"{}")
            if not isinstance(given, dict):
                raise BadRequest("the body must be a JSON object")  # noqa: TRY301 - answered as any other
            return status, _JSON, json.dumps(handler(given)).encode()
        except BadRequest as refused:
            return _error(refused.status, str(refused))
        except (json.JSONDecodeError, UnicodeDecodeError):
            return _error(400, "the body must be a JSON object")
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer and the log a line
            _LOG.error("POST %s 500: %s", path, failures.line(error))
            return _error(500, failures.answer(error))


class Server(KeptAliveServer):
    """Serves on a listening socket. Closing it waits for the requests that are being answered."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, listener: socket.socket, service: Service) -> None:
        self.service = service
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_activate()


class _Handler(KeptAliveHandler):
    server_version = "askflorence"
    most_bytes = 65536
    # An idle connection must not hold up the end of the task for long.
    timeout = 5
    server: Server

    def serve(self) -> None:
        """Answer one request."""
        body = self.body()
        if body is None:
            self.send_error(413)
            return
        status, kind, answer = self.server.service.answer(self.command, self.path, body)
        self.reply(status, (("Content-Type", kind), *self.server.service.headers.items()), answer)

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_PATCH = serve  # noqa: N815 - named by the library


def _error(status: int, message: str) -> Answer:
    return status, _JSON, json.dumps({"error": message}).encode()
