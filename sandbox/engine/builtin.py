"""Resources that the engine itself manages: provider resources and stack references."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

from sandbox import values
from sandbox.engine import planner
from sandbox.engine.checkpoint import load
from sandbox.engine.client import Client, without_internal
from sandbox.engine.goal import STACK_TYPE
from sandbox.engine.planner import Diff
from sandbox.engine.provider import Checked, Made, Provider, ProviderFailed
from sandbox.engine.request import EngineRequest
from sandbox.engine.state import Resource, State, StateRefused
from sandbox.values import Properties


class BuiltinResources(Provider):
    """The provider resource of Pulumi's own package: nothing to connect to, nothing to configure."""

    def __init__(self, keep: Callable[[Resource], None]) -> None:
        self._keep = keep

    def diff(self, old: Resource, inputs: Properties, ignore: tuple[str, ...]) -> Diff:
        """It never differs."""
        del old, inputs, ignore
        return planner.SAME

    def create(self, new: Resource, *, dry_run: bool) -> Made:
        """A new id, unknown in a preview."""
        return self._ready(new.copy(id=values.UNKNOWN_TEXT if dry_run else str(uuid.uuid4())))

    def update(self, old: Resource, new: Resource, *, dry_run: bool) -> Made:
        """The same id."""
        del dry_run
        return self._ready(new.copy(id=old.id))

    def _ready(self, resource: Resource) -> Made:
        self._keep(resource)
        return Made(resource.id, {})


class ProviderResources(BuiltinResources):
    """The provider of provider resources themselves: their inputs are settings, their ids are made here."""

    def __init__(self, client: Client, keep: Callable[[Resource, Provider], None]) -> None:
        super().__init__(lambda resource: keep(resource, client))
        self._client = client

    def check(self, new: Resource, old: Properties | None, inputs: Properties) -> Checked:
        """CheckConfig."""
        return self._client.check_config(new, old, inputs)

    def diff(self, old: Resource, inputs: Properties, ignore: tuple[str, ...]) -> Diff:
        """DiffConfig."""
        return self._client.diff_config(old, inputs, ignore)

    def _ready(self, resource: Resource) -> Made:
        self._client.configure(resource)
        self._keep(resource)
        return Made(resource.id, without_internal(resource.inputs))


class Builtin(Provider):
    """Pulumi's own package: the StackReference resource, which reads a stack whose state lies beside ours."""

    def __init__(self, request: EngineRequest) -> None:
        self._request = request
        self._known: dict[str, State] = {}  # opened once per run
        self._lock = threading.Lock()

    def read(self, resource: Resource, *, importing: bool = False) -> Made | None:
        """The outputs of the stack that it names, secrets still secret."""
        if importing or resource.type != "pulumi:pulumi:StackReference":
            raise ProviderFailed(f"resources of type {resource.type} cannot be read by this engine")
        name = resource.inputs.get("name")
        if not isinstance(name, str):
            raise ProviderFailed("a stack reference needs the name of a stack")
        found = self._outputs(name)
        hidden: list[Any] = sorted(key for key, value in found.items() if values.has_secret(value))
        return Made(
            resource.id, {"name": name, "outputs": found, "secretOutputNames": hidden}, resource.inputs
        )

    def _outputs(self, name: str) -> Properties:
        """The outputs of a stack named as `staging` or `organization/<project>/staging`."""
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
