"""The AWS server on loopback: moto in this process, at most one per process because moto's data is global."""

import os
import time
from collections.abc import Callable

# Read by moto when it is imported: machine images are of no use here and cost time and memory.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

from moto.moto_api import state_manager

from sandbox.aws.connections import Server
from sandbox.aws.front import Front
from sandbox.aws.secret_store import SecretStore
from sandbox.ecs_agent import EcsAgent
from sandbox.ports import HOST, free_port


class AwsServer:
    """Serves both accounts. `clock` gives Unix seconds for what happens after days (recovery windows)."""

    def __init__(self, agent: EcsAgent, clock: Callable[[], float] = time.time) -> None:
        # Tasks change by the agent alone; moto would move a task on each time it is described.
        state_manager.set_transition("ecs::task", {"progression": "manual", "times": 10**12})
        self._front = Front(agent, SecretStore(clock))
        self._server: Server | None = None
        self.url = ""

    def start(self, port: int = 0) -> str:
        """Listen and return the URL. Raises `OSError` when the port is in use."""
        self._server = Server((HOST, port or free_port()), self._front)
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._server.serve("aws")
        return self.url

    def stop(self) -> None:
        """Stop listening, and end the connections that are open."""
        if self._server is not None:
            self._server.end()
