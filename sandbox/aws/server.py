"""The AWS server on loopback: moto in this process, at most one per process because moto's data is global.

Connections are kept alive, each with a thread of its own; werkzeug's server closes them after each answer.
"""

import os
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

# Read by moto when it is imported: machine images are of no use here and cost time and memory.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

from moto.moto_api import state_manager
from moto.moto_server.werkzeug_app import MotoRequestHandler

from sandbox.aws.front import Front
from sandbox.aws.secret_store import SecretStore
from sandbox.aws.wire import Signature, malformed
from sandbox.chance import Chance
from sandbox.ecs.agent import EcsAgent
from sandbox.kept_alive import Headers, KeptAliveHandler, KeptAliveServer
from sandbox.ports import HOST, free_port


class AwsServer:
    """Serves both accounts. `clock` gives Unix seconds for what happens after days (recovery windows).

    `chance` makes answers slow, lost or refused.
    """

    def __init__(
        self, agent: EcsAgent, clock: Callable[[], float] = time.time, chance: Chance | None = None
    ) -> None:
        # Tasks change by the agent alone; moto would move a task on each time it is described.
        state_manager.set_transition("ecs::task", {"progression": "manual", "times": 10**12})
        self._front = Front(agent, SecretStore(clock), chance)
        self._server: _Server | None = None
        self.url = ""

    def start(self, port: int = 0) -> str:
        """Listen and return the URL. Raises `OSError` when the port is in use."""
        self._server = _Server((HOST, port or free_port()), self._front)
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._server.serve("aws")
        return self.url

    def stop(self) -> None:
        """Stop listening, and end the connections that are open."""
        if self._server is not None:
            self._server.end()


class _Server(KeptAliveServer):
    """Serves a WSGI application."""

    # What werkzeug's handler asks of its server.
    multithread, multiprocess, ssl_context = True, False, None

    def __init__(self, address: tuple[str, int], application: Any) -> None:
        self.application = application
        super().__init__(address, _Handler)


class _Handler(KeptAliveHandler, MotoRequestHandler):  # type: ignore[misc]
    server: _Server
    most_bytes = 16 << 20
    service = "sts"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class's name for it
        """Stay silent."""

    def run_wsgi(self) -> None:
        """Answer one request. One whose body was not all there is refused: without it another thing would be asked."""
        self.environ = environ = self.make_environ()
        body = self.body()
        if body is None:
            signature = Signature.of(environ)
            self.service = signature.service if signature else "sts"
            self.send_error(400)
            return
        environ["wsgi.input"] = BytesIO(body)
        said: list[Any] = []
        answer = self.server.application(environ, lambda *status: said.extend(status))
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        code, _, reason = said[0].partition(" ")
        # The answer to HEAD keeps the length of the body that is not sent.
        headers = [(n, v) for n, v in said[1] if self.command == "HEAD" or n.lower() != "content-length"]
        self.reply(int(code), headers, content, reason)

    def refusal(self, code: int) -> tuple[int, Headers, bytes]:
        """Answer what is no request of HTTP in AWS's form, which is that of the service."""
        answer = malformed(self.service, code)
        return code, (("Content-Type", answer.content_type),), answer.body
