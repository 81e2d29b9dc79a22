"""Each command with each remote service cut off in turn: what could not be asked is unknown by name, and exit 3."""

import os
import signal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from recording_proxy import RecordingProxy
from world_fixture import run_here

from sandbox.world import World

NOWHERE = "http://127.0.0.1:9"
COMMANDS = {
    "status": ("status", "staging"),
    "prove": ("prove", "staging"),
    "drift": ("drift", "staging"),
    "who-can": ("who-can", "FIND", "askflorence.plans", "--live", "staging"),
    "smoke": ("smoke", "staging", "--gates", "8"),
}
SERVICES = {
    "Atlas": "",
    "Secrets Manager": "secretsmanager",
    "ECS": "AmazonEC2ContainerService",
    "mongod": "",
}
UNKNOWN = {
    ("status", "Atlas"): ("B users and roles", "D.0 proofs", "database users: the connection failed"),
    ("status", "Secrets Manager"): ("C secrets", "D.0 proofs"),
    ("status", "ECS"): ("D.0 proofs", "D.1 swap", "D.2 smoke gates", "D.3 soak"),
    ("status", "mongod"): ("D.0 proofs",),
    ("prove", "Atlas"): ("whether the secrets name the cluster's hosts (Atlas",),
    ("prove", "Secrets Manager"): ("Secrets Manager",),
    ("prove", "ECS"): ("what running tasks hold (ECS",),
    ("prove", "mongod"): ("0/5 proven",),
    ("drift", "Atlas"): ("database users, custom roles, cluster askflorence-staging could not be read",),
    ("drift", "Secrets Manager"): ("secret staging/mongodb/app-read-v2",),
    ("drift", "ECS"): ("task",),
    ("drift", "mongod"): ("collections of askflorence, as app_read could not be read",),
    ("who-can", "Atlas"): ("other users could not be asked",),
    ("who-can", "Secrets Manager"): ("who can FIND on askflorence.plans: app_read, app_write",),
    ("who-can", "mongod"): ("who can FIND on askflorence.plans: app_read, app_write",),
    ("smoke", "Secrets Manager"): ("gate 8",),
    ("smoke", "ECS"): ("gate 8",),
}
"""What the first line names, by command and service. Not asked: Atlas and mongod by the gate of the sign-up where the
application does not answer, ECS by who-can."""


class Cut(RecordingProxy):
    """AWS without one of its services: its requests are dropped without an answer."""

    def __init__(self, upstream: str, service: str) -> None:
        super().__init__(upstream, lambda *_: None, [])
        self._service = service

    def forward(self, request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("X-Amz-Target", "").startswith(self._service):
            request.close_connection = True
            return
        super().forward(request)


def mongod_of(world: World, stack: str) -> int:
    folder = os.fsencode(world.directory / "mongo" / stack)
    for each in Path("/proc").iterdir():
        if each.name.isdigit() and folder in _command(each) and b"mongod" in _command(each):
            return int(each.name)
    raise AssertionError(f"no mongod of {stack}")


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def first_line(world: World, command: tuple[str, ...], **more: str) -> tuple[int, str]:
    code, printed, errors = run_here(world, "staging", *command, **more)
    lines = [line for line in printed.splitlines() if line[:1].isupper()]
    return code, (lines or [errors])[0]


@pytest.mark.parametrize("service", SERVICES)
def test_what_could_not_be_asked_is_unknown_by_name(service: str, provisioned_world: World) -> None:
    world = provisioned_world
    asked = {command: words for (command, cut), words in UNKNOWN.items() if cut == service}
    found: dict[str, Any] = {}
    process = mongod_of(world, "staging") if service == "mongod" else None
    with Cut(world.environment("staging")["AWS_ENDPOINT_URL"], SERVICES[service] or "none") as proxy:
        more = {"AWS_ENDPOINT_URL": proxy.url}
        if service == "Atlas":
            more["MONGODB_ATLAS_BASE_URL"] = f"{NOWHERE}/"
        if process is not None:
            os.kill(process, signal.SIGSTOP)
        try:
            for command, words in asked.items():
                code, first = first_line(world, COMMANDS[command], **more)
                missing = [each for each in words if each not in first]
                if code != 3 or missing:
                    found[command] = (code, missing, first)
        finally:
            if process is not None:
                os.kill(process, signal.SIGCONT)
    assert {} == found, f"{len(asked) - len(found)} of {len(asked)}"
