"""The supervisor's control address on loopback, and the emulated third-party services below it.

`/control/…` needs the sandbox's own token; `/hubspot` and `/mail` are served by their sites; anything else answers
503, so that no client looks for it outside.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.kept_alive import KeptAliveHandler, KeptAliveServer
from sandbox.ports import HOST, free_port

Action = Callable[[Mapping[str, Any]], Mapping[str, Any]]
Site = Callable[[str, str, str, bytes], tuple[int, str]]
"""Answers method, target below the site's name, Authorization header and body with a status and JSON text."""


class Control:
    """Serves named actions. An action raises `ValueError` to refuse its input."""

    def __init__(self, token: str, actions: Mapping[str, Action], sites: Mapping[str, Site]) -> None:
        self._token = token
        self._actions = actions
        self._sites = sites
        self._server: KeptAliveServer | None = None
        self.url = ""

    def start(self, port: int = 0) -> str:
        """Listen and return the URL. Raises `OSError` when the port is in use."""
        control = self

        class Handler(KeptAliveHandler):
            protocol_version = "HTTP/1.0"  # one request on each connection

            def do_POST(self) -> None:  # noqa: N802
                authorization = self.headers.get("Authorization", "")
                status, text = control.decide(self.command, self.path, authorization, self.body() or b"")
                self.reply(status, (("Content-Type", "application/json"),), text.encode())

            do_GET = do_PUT = do_DELETE = do_PATCH = do_POST  # noqa: N815

        self._server = KeptAliveServer((HOST, port or free_port()), Handler)
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._server.serve("control")
        return self.url

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.end()

    def decide(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, str]:
        """Answer one request with a status and JSON text."""
        name = path.split("/")[1].partition("?")[0] if path.startswith("/") else ""
        if name in self._sites:
            return self._sites[name](method, path.removeprefix(f"/{name}"), authorization, body)
        if name != "control":
            return 503, json.dumps({"error": "this sandbox runs no such service yet"})
        if not hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode()):
            return 401, json.dumps({"error": "the sandbox's token is missing or wrong"})
        action = self._actions.get(path.removeprefix("/control/"))
        if method != "POST" or action is None:
            return 404, json.dumps({"error": f"no such action; there are {', '.join(self._actions)}"})
        try:
            given = json.loads(body or b"{}")
            return 200, json.dumps(dict(action(given if isinstance(given, dict) else {})))
        except ValueError as error:
            return 400, json.dumps({"error": str(error)})
