"""A stack's resources as records, and the checks that make them a complete state. Pure."""

import datetime
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sandbox.engine.errors import EngineError
from sandbox.engine.passphrase import Passphrase
from sandbox.engine.values import Properties


class StateRefused(EngineError):
    """A state that this engine cannot continue; its file is left as it is."""


@dataclass(eq=False)
class Resource:
    """One resource of a stack. Two records may share a URN: a replacement keeps the old one until it is deleted."""

    urn: str
    custom: bool
    delete: bool = False
    id: str = ""
    type: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    parent: str = ""
    protect: bool | None = False
    external: bool = False
    dependencies: tuple[str, ...] = ()
    init_errors: tuple[str, ...] = ()
    provider: str = ""
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pending_replacement: bool = False
    additional_secret_outputs: tuple[str, ...] = ()
    import_id: str = ""
    retain_on_delete: bool | None = False
    created: str = ""
    modified: str = ""
    ignore_changes: tuple[str, ...] = ()
    # What only the program says of it, and no file records.
    providers: dict[str, str] = field(default_factory=dict)
    version: str = ""
    delete_before_replace: bool | None = None

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.split("::", 3)[3]

    @property
    def package(self) -> str:
        """The package of the type's token."""
        return self.type.partition(":")[0]

    @property
    def provider_urn(self) -> str:
        """The URN of the provider that manages it, "" for a component."""
        return self.provider.rpartition("::")[0]

    def needs(self) -> set[str]:
        """URNs that must exist while this resource does, its parent apart."""
        named = {urn for urns in self.property_dependencies.values() for urn in urns}
        return named.union(self.dependencies, filter(None, [self.provider_urn]))

    def copy(self, **changes: Any) -> "Resource":
        """A record of its own with `changes` applied."""
        return replace(self, **changes)


Kind = Literal["creating", "updating", "deleting", "reading", "importing"]


@dataclass(frozen=True)
class Pending:
    """An operation that was begun and has no recorded end."""

    type: Kind
    resource: Resource


@dataclass(frozen=True)
class State:
    """A state file's resources in dependency order."""

    resources: tuple[Resource, ...]
    pending: tuple[Pending, ...]
    secrets: Passphrase


def now() -> str:
    """The present moment as the format writes it: UTC, RFC 3339."""
    return datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")


def check_owner(state: State, source: str, project: str, stack: str) -> None:
    """Raises StateRefused unless every resource is of this stack."""
    for item in (*state.resources, *(begun.resource for begun in state.pending)):
        if not item.urn.startswith(f"urn:pulumi:{stack}::{project}::"):
            raise StateRefused(f"{source} is not of stack {stack} of project {project} ({item.urn})")
