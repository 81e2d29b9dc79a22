"""Resources that the engine itself manages: provider resources and stack references."""

import uuid
from collections.abc import Callable
from typing import Any

from sandbox.engine import values
from sandbox.engine.checkpoint import load
from sandbox.engine.client import Client
from sandbox.engine.dynamic import Dynamic
from sandbox.engine.goal import STACK_TYPE
from sandbox.engine.provider import Checked, Made, Provider, ProviderFailed
from sandbox.engine.request import EngineRequest
from sandbox.engine.state import Resource, StateRefused
from sandbox.engine.values import Properties


class ProviderResources(Provider):
    """The provider of provider resources: their inputs are settings, a change of which never replaces them."""

    def __init__(self, client: "Client | Dynamic | None", keep: Callable[[Resource], None]) -> None:
        self._client, self._keep = client, keep

    def check(self, new: Resource, old: Properties | None, inputs: Properties) -> Checked:
        """CheckConfig, for a package that has settings."""
        if isinstance(self._client, Client):
            return self._client.check_config(new, old, inputs)
        return Checked(inputs)

    def create(self, new: Resource, *, dry_run: bool) -> Made:
        """A new id, unknown in a preview."""
        return self._ready(new.copy(id=values.UNKNOWN_TEXT if dry_run else str(uuid.uuid4())))

    def update(self, old: Resource, new: Resource, *, dry_run: bool) -> Made:
        """The same id."""
        del dry_run
        return self._ready(new.copy(id=old.id))

    def _ready(self, resource: Resource) -> Made:
        if self._client:
            self._client.configure(resource)
        self._keep(resource)
        return Made(resource.id, values.without_internal(resource.inputs))


class Builtin(Provider):
    """Pulumi's own package: the StackReference resource, which reads a stack whose state lies beside ours."""

    def __init__(self, request: EngineRequest) -> None:
        self._request = request

    def read(self, resource: Resource, *, importing: bool = False) -> Made:
        """The outputs of a stack named as `staging` or `organization/<project>/staging`, secrets still secret."""
        del importing
        request, name = self._request, str(resource.inputs.get("name"))
        *owner, stack = name.split("/")
        path = request.state_file.with_name(f"{stack}.json")
        if owner not in ([], [request.organization, request.project]) or not path.is_file():
            raise ProviderFailed(
                f"unknown stack {name!r}; deploy it first, or correct the name in the reference"
            )
        try:
            state = load(path, request.passphrase, request.project, stack)
        except StateRefused as error:
            raise ProviderFailed(f"stack {name!r} cannot be read: {error}") from error
        outputs = next((item.outputs for item in state.resources if item.type == STACK_TYPE), {})
        hidden: list[Any] = sorted(key for key, value in outputs.items() if values.has_secret(value))
        found = {"name": name, "outputs": outputs, "secretOutputNames": hidden}
        return Made(resource.id, found, resource.inputs)
