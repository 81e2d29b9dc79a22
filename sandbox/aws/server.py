"""AWS on loopback: moto in this process behind the front, served by threads.

It must never listen beyond 127.0.0.1. One per process: moto keeps its data in the process's memory.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

# Read by moto when it is imported: machine images are of no use here and cost time and memory.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

from moto.moto_api import state_manager
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from sandbox.aws.front import Front
from sandbox.aws.secret_store import SecretStore
from sandbox.ecs_agent import EcsAgent
from sandbox.ports import HOST, free_port


class _Handler(MotoRequestHandler):  # type: ignore[misc]
    """Serves a connection without writing a line per request, and keeps it open for the next."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay silent."""


class AwsServer:
    """Serves both accounts. `clock` gives Unix seconds for what happens after days (recovery windows)."""

    def __init__(self, agent: EcsAgent, clock: Callable[[], float] = time.time) -> None:
        """Take the agent that moves ECS on. Nothing listens before `start`."""
        # Tasks change by the agent alone; moto would move a task on each time it is described.
        state_manager.set_transition("ecs::task", {"progression": "manual", "times": 10**12})
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._front = Front(agent, SecretStore(clock))
        self._server: BaseWSGIServer | None = None
        self.url = ""

    def start(self, port: int = 0) -> str:
        """Listen and return the URL. Raises `OSError` when the port is in use."""
        self._server = make_server(
            HOST, port or free_port(), self._front, threaded=True, request_handler=_Handler
        )
        self.url = f"http://{HOST}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="aws", daemon=True).start()
        return self.url

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
