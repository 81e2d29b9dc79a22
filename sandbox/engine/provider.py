"""The interface of whatever manages a resource, and the records that it returns. Pure."""

from dataclasses import dataclass

from sandbox.engine.errors import EngineError
from sandbox.engine.planner import Diff, input_diff
from sandbox.engine.state import Resource
from sandbox.engine.values import Properties


class ProviderFailed(EngineError):
    """A provider refused or failed; the text is its own, in full. `created` is set if something exists all the same."""

    def __init__(self, message: str, created: "Made | None" = None) -> None:
        super().__init__(message)
        self.created = created


@dataclass(frozen=True)
class Made:
    """What a provider made or read: id ("" in a preview), outputs, inputs if it names them, and what is not ready."""

    id: str
    outputs: Properties
    inputs: Properties | None = None
    init_errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """Inputs with defaults filled in, or why they are refused."""

    inputs: Properties
    failures: tuple[str, ...] = ()


class Provider:
    """What manages resources. What a provider does not say for itself holds for those that own nothing."""

    def check(self, new: Resource, old: Properties | None, inputs: Properties) -> Checked:
        """Inputs as the provider wants them."""
        del new, old
        return Checked(inputs)

    def diff(self, old: Resource, inputs: Properties, ignore: tuple[str, ...]) -> Diff:
        """What differs between an existing resource and `inputs`."""
        del ignore
        return input_diff(old.inputs, inputs)

    def create(self, new: Resource, *, dry_run: bool) -> Made:
        """Makes it; raises ProviderFailed."""
        del dry_run
        raise ProviderFailed(f"resources of type {new.type} are not supported by this engine")

    def update(self, old: Resource, new: Resource, *, dry_run: bool) -> Made:
        """Changes it in place; raises ProviderFailed."""
        del old
        return self.create(new, dry_run=dry_run)

    def delete(self, old: Resource) -> None:
        """Removes it; raises ProviderFailed."""

    def read(self, resource: Resource, *, importing: bool = False) -> Made | None:
        """What it is now, an import by its id alone; None if it does not exist."""
        del importing
        return Made(resource.id, resource.outputs, resource.inputs)

    def invoke(self, token: str, arguments: Properties, *, dry_run: bool) -> Properties:
        """Calls a function; raises ProviderFailed."""
        del arguments, dry_run
        raise ProviderFailed(f"function {token} is not supported by this engine")
