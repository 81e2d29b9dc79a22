"""What a deployment asks of whatever manages a resource, and the records in which it answers.

Pure declarations. Must never carry what a provider was sent in an error: only what it said.
"""

from dataclasses import dataclass
from typing import Protocol

from sandbox.engine.errors import EngineError
from sandbox.engine.planner import Diff
from sandbox.engine.state import Resource
from sandbox.values import Properties


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


class Provider(Protocol):
    """What a deployment needs of whatever manages a resource."""

    def check(self, new: Resource, old: Properties | None, inputs: Properties) -> Checked:
        """Inputs as the provider wants them."""

    def diff(self, old: Resource, inputs: Properties, ignore: tuple[str, ...]) -> Diff:
        """What differs between an existing resource and `inputs`."""

    def create(self, new: Resource, *, dry_run: bool) -> Made:
        """Makes it; raises ProviderFailed."""

    def update(self, old: Resource, new: Resource, *, dry_run: bool) -> Made:
        """Changes it in place; raises ProviderFailed."""

    def delete(self, old: Resource) -> None:
        """Removes it; raises ProviderFailed."""

    def read(self, resource: Resource, *, importing: bool = False) -> Made | None:
        """What it is now; None if it does not exist."""

    def invoke(self, token: str, arguments: Properties, *, dry_run: bool) -> Properties:
        """Calls a function; raises ProviderFailed."""
