"""What the engine itself provides: provider resources, whose ids are made here, and references to other stacks.

Must never change anything: what is made here is a record.
"""

from collections.abc import Callable
from typing import Any

from sandbox import values
from sandbox.engine import planner
from sandbox.engine.client import Client, without_internal
from sandbox.engine.planner import Diff
from sandbox.engine.provider import Checked, Made, Provider, ProviderFailed
from sandbox.engine.state import Resource
from sandbox.values import Properties

UNKNOWN_ID = values.UNKNOWN_TEXT


class BuiltinResources:
    """The provider resource of Pulumi's own package: nothing to connect to, nothing to configure."""

    def __init__(self, new_id: Callable[[], str], keep: Callable[[Resource], None]) -> None:
        self._new_id, self._keep = new_id, keep

    def check(self, new: Resource, old: Properties | None, inputs: Properties) -> Checked:
        """It has no settings to check."""
        del new, old
        return Checked(inputs)

    def diff(self, old: Resource, inputs: Properties, ignore: tuple[str, ...]) -> Diff:
        """It never differs."""
        del old, inputs, ignore
        return planner.SAME

    def create(self, new: Resource, *, dry_run: bool) -> Made:
        """A new id, unknown in a preview."""
        return self._ready(new.copy(id=UNKNOWN_ID if dry_run else self._new_id()))

    def update(self, old: Resource, new: Resource, *, dry_run: bool) -> Made:
        """The same id."""
        del dry_run
        return self._ready(new.copy(id=old.id))

    def _ready(self, resource: Resource) -> Made:
        self._keep(resource)
        return Made(resource.id, {})

    def delete(self, old: Resource) -> None:
        """A provider resource is only a record."""

    def read(self, resource: Resource, *, importing: bool = False) -> Made | None:
        """A provider resource is what its record says."""
        del importing
        return Made(resource.id, resource.outputs, resource.inputs)

    def invoke(self, token: str, arguments: Properties, *, dry_run: bool) -> Properties:
        """Functions belong to the package, not to its provider resource."""
        del arguments, dry_run
        raise ProviderFailed(f"function {token} has no configured provider")


class ProviderResources(BuiltinResources):
    """The provider of provider resources themselves: their inputs are settings, their ids are made here."""

    def __init__(
        self, client: Client, new_id: Callable[[], str], keep: Callable[[Resource, Provider], None]
    ) -> None:
        super().__init__(new_id, lambda resource: keep(resource, client))
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


class Builtin:
    """Pulumi's own package: the StackReference resource, which reads the outputs of another stack."""

    def __init__(self, outputs_of: Callable[[str], Properties]) -> None:
        self._outputs_of = outputs_of

    def check(self, new: Resource, old: Properties | None, inputs: Properties) -> Checked:
        """Only StackReference exists, and it is only read."""
        del old, inputs
        raise ProviderFailed(f"resources of type {new.type} are not supported by this engine")

    def diff(self, old: Resource, inputs: Properties, ignore: tuple[str, ...]) -> Diff:
        """See check."""
        del ignore
        return planner.input_diff(old.inputs, inputs)

    def create(self, new: Resource, *, dry_run: bool) -> Made:
        """See check."""
        del dry_run
        raise ProviderFailed(f"resources of type {new.type} are not supported by this engine")

    def update(self, old: Resource, new: Resource, *, dry_run: bool) -> Made:
        """See check."""
        del old
        return self.create(new, dry_run=dry_run)

    def delete(self, old: Resource) -> None:
        """Nothing is owned."""

    def read(self, resource: Resource, *, importing: bool = False) -> Made | None:
        """The outputs of the stack that it names, secrets still secret."""
        if importing or resource.type != "pulumi:pulumi:StackReference":
            raise ProviderFailed(f"resources of type {resource.type} cannot be read by this engine")
        name = resource.inputs.get("name")
        if not isinstance(name, str):
            raise ProviderFailed("a stack reference needs the name of a stack")
        found = self._outputs_of(name)
        hidden: list[Any] = sorted(key for key, value in found.items() if values.has_secret(value))
        return Made(
            resource.id, {"name": name, "outputs": found, "secretOutputNames": hidden}, resource.inputs
        )

    def invoke(self, token: str, arguments: Properties, *, dry_run: bool) -> Properties:
        """None is needed."""
        del arguments, dry_run
        raise ProviderFailed(f"function {token} is not supported by this engine")
