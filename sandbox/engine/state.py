"""A stack's resources as records, and the checks that make them a complete state. Pure."""

import datetime
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sandbox.engine.errors import EngineError
from sandbox.engine.passphrase import Passphrase
from sandbox.values import Properties


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
    protect: bool = False
    external: bool = False
    dependencies: tuple[str, ...] = ()
    init_errors: tuple[str, ...] = ()
    provider: str = ""
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pending_replacement: bool = False
    additional_secret_outputs: tuple[str, ...] = ()
    import_id: str = ""
    retain_on_delete: bool = False
    created: str = ""
    modified: str = ""
    ignore_changes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.split("::", 3)[3]

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


def check_whole(state: State, source: str, project: str, stack: str) -> None:
    """Raises StateRefused unless every resource is of this stack, unique, and after what it refers to."""
    prefix = f"urn:pulumi:{stack}::{project}::"
    for item in (*state.resources, *(begun.resource for begun in state.pending)):
        if not item.urn.startswith(prefix):
            raise StateRefused(f"{source} is not of stack {stack} of project {project} ({item.urn})")
    live: set[str] = set()
    known = {""}
    for item in state.resources:
        lost = ({item.parent, item.provider} | item.needs()) - known
        if lost or (item.urn in live and not item.delete):
            reason = f"needs {min(lost)}, which does not come before it" if lost else "is in it twice"
            raise StateRefused(f"{source} is damaged ({item.urn} {reason}); restore a copy of it")
        known |= {item.urn, f"{item.urn}::{item.id}"}
        live |= set() if item.delete else {item.urn}
