"""Imports and exports states as the CLI does, and reads another stack's outputs."""

import threading
from pathlib import Path
from typing import Any

from sandbox.engine.checkpoint import load, write_atomically
from sandbox.engine.document import read_document, shows_secrets, state_from_json, state_to_json
from sandbox.engine.goal import STACK_TYPE
from sandbox.engine.lock import locked
from sandbox.engine.provider import ProviderFailed
from sandbox.engine.request import EngineRequest
from sandbox.engine.state import State, StateRefused, check_whole
from sandbox.values import Properties


def export_state(state_file: Path) -> dict[str, Any]:
    """The deployment as `pulumi stack import` takes it, secrets encrypted; raises StateRefused."""
    if not state_file.is_file():
        raise StateRefused(f"{state_file} does not exist; deploy the stack first")
    document, deployment = read_document(state_file.read_bytes(), str(state_file))
    if shows_secrets(deployment):
        raise StateRefused(f"{state_file} shows its secrets; deploy the stack once, which seals them")
    return document


def import_state(state_file: Path, document: str, passphrase: str, project: str, stack: str) -> None:
    """Imports what `pulumi stack export` wrote, encrypting secrets again; raises StateRefused."""
    state = state_from_json(document, passphrase, "the state to import")
    check_whole(state, "the state to import", project, stack)
    with locked(state_file, "import"):
        write_atomically(state_file, state_to_json(state))


class OtherStacks:
    """Outputs of stacks whose states lie beside ours, opened once per run."""

    def __init__(self, request: EngineRequest) -> None:
        self._request = request
        self._known: dict[str, State] = {}
        self._lock = threading.Lock()

    def outputs(self, name: str) -> Properties:
        """The outputs of a stack named as `staging` or `organization/<project>/staging`; raises ProviderFailed."""
        request = self._request
        *owner, stack = name.split("/")
        path = request.state_file.with_name(f"{stack}.json")
        if owner not in ([], [request.organization, request.project]) or not path.is_file():
            raise ProviderFailed(
                f"unknown stack {name!r}; deploy it first, or correct the name in the reference"
            )
        with self._lock:
            if stack not in self._known:
                try:
                    self._known[stack] = load(path, request.passphrase, request.project, stack)
                except StateRefused as error:
                    raise ProviderFailed(f"stack {name!r} cannot be read: {error}") from error
            found = next((item for item in self._known[stack].resources if item.type == STACK_TYPE), None)
        return dict(found.outputs) if found else {}
