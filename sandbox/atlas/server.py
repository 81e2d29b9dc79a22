"""The emulator's HTTP/1.1 server on loopback: keep-alive, one thread per connection; stop applies pending changes."""

import socket
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo.errors import PyMongoError

from sandbox.atlas.auth import Keyring
from sandbox.atlas.backing import Backing
from sandbox.atlas.dispatch import Dispatcher, Request
from sandbox.atlas.errors import AtlasError
from sandbox.atlas.negotiation import encode
from sandbox.atlas.project import Project
from sandbox.atlas.propagation import Propagation
from sandbox.atlas.spec import ProjectSpec
from sandbox.chance import Chance
from sandbox.kept_alive import Headers, KeptAliveHandler, KeptAliveServer
from sandbox.ports import HOST, free_port


class EmulatorError(Exception):
    """The emulator cannot start or stop: one line that ends with the remedy."""


class AtlasEmulator:
    """The Admin API for these projects; `start` it, use it from any number of clients, `stop` it.

    `propagation_seconds` is how long a change takes to reach the cluster. `role_change_seconds` is how long a change
    of roles keeps others of its project out: they are refused with 409. `chance` makes answers slow, late or lost.
    """

    def __init__(
        self,
        projects: Sequence[ProjectSpec],
        propagation_seconds: float = 1.0,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        role_change_seconds: float = 0.005,
        chance: Chance | None = None,
    ) -> None:
        self.url = ""
        self._server: _Server | None = None
        self._projects: dict[str, Project] = {}
        for spec in projects:
            backing = Backing(spec.mongod_uri)
            self._projects[spec.project_id] = Project(
                spec,
                backing,
                Propagation(propagation_seconds),
                clock=clock,
                role_change_seconds=role_change_seconds,
            )
        keyring = Keyring([c for spec in projects for c in spec.credentials])
        self._dispatcher = Dispatcher(self._projects, keyring, clock, chance)
        self._ended = threading.Event()

    def start(self, port: int = 0) -> str:
        """Listen and return the base URL; raises `EmulatorError`. Port 0 takes a free one without 404 or 500 in it."""
        for project in self._projects.values():
            try:
                project.facts = project.backing.facts()
            except PyMongoError as error:
                raise EmulatorError(
                    f"the mongod of cluster {project.spec.cluster_name} does not answer ({type(error).__name__}): "
                    "start it first"
                ) from None
        try:
            self._server = _Server((HOST, port or free_port()), _Handler)
        except OSError as error:
            raise EmulatorError(
                f"the Atlas emulator cannot listen on port {port} ({error.strerror}): free it or choose another"
            ) from None
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        self._dispatcher.base_url = self.url
        self._server.dispatcher = self._dispatcher
        self._server.serve("atlas")
        threading.Thread(target=self._expire, name="atlas-expiry", daemon=True).start()
        return self.url

    def stop(self) -> None:
        """Stop listening and apply what is pending. A server that is gone is left alone."""
        self._ended.set()
        if self._server is not None:
            self._server.end()
            self._server = None
        for project in self._projects.values():
            project.propagation.stop()
            project.backing.close()

    def project(self, project_id: str) -> Project:
        """Return the state of a project."""
        return self._projects[project_id]

    def status(self) -> dict[str, Any]:
        """Say per project what is pending, what its server refused and which actions nothing enforces."""
        return self._dispatcher.status()

    def _expire(self) -> None:
        while not self._ended.wait(1.0):
            for project in self._projects.values():
                project.remove_expired()


class _Server(KeptAliveServer):
    dispatcher: Dispatcher


class _Handler(KeptAliveHandler):
    server_version = "mdbws"
    server: _Server

    def refusal(self, code: int) -> tuple[int, Headers, bytes]:
        """Answer what is no request for us in the API's own form."""
        refused = (
            AtlasError("METHOD_NOT_ALLOWED", "this method")
            if code == 501
            else AtlasError("VALIDATION_ERROR", "HTTP")
        )
        return refused.status, (("Content-Type", "application/json"),), encode(refused.body())

    def serve(self) -> None:
        """Answer one request."""
        body = self.body()
        if body is None:
            self.send_error(400)
            return
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
        request = Request(self.command, self.path, headers, body, self.client_address[0])
        reply = self.server.dispatcher.answer(request)
        if reply.dropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.reply(reply.status, reply.headers.items(), reply.payload)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve  # noqa: N815

    def body(self) -> bytes | None:
        """Read the body, also in chunks."""
        if self.headers.get("Transfer-Encoding", "").strip().lower() != "chunked":
            return super().body()
        body = b""
        try:
            while size := int(self.rfile.readline(64).split(b";")[0], 16):
                body += self.rfile.read(size) if 0 < size <= self.most_bytes - len(body) else b""
                if self.rfile.readline(3) != b"\r\n":
                    return None
            while (trailer := self.rfile.readline(1024)).strip():
                pass
        except ValueError:
            return None
        return body if trailer and "Content-Length" not in self.headers else None
