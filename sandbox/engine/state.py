"""A stack's resources as records, and the checks that make them a complete state. Pure."""

import datetime
import re
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, StrictBool, StrictStr

from sandbox import values
from sandbox.engine.errors import EngineError
from sandbox.engine.passphrase import Passphrase

Ciphers = dict[tuple[str, ...], tuple[str, str]]
Texts = tuple[StrictStr, ...]


class StateRefused(EngineError):
    """A state that this engine cannot continue; its file is left as it is."""


def key_of(name: str) -> str:
    """The key of the deployment format: camel case, but for one."""
    first, *rest = name.split("_")
    return "importID" if name == "import_id" else first + "".join(map(str.capitalize, rest))


def _without_null(urns: Any) -> Any:
    return {key: each or () for key, each in urns.items()} if isinstance(urns, dict) else urns


@dataclass(eq=False)
class Resource:
    """One resource of a stack. Two records may share a URN: a replacement keeps the old one until it is deleted."""

    __pydantic_config__ = ConfigDict(extra="forbid", alias_generator=key_of, hide_input_in_errors=True)

    urn: StrictStr
    custom: StrictBool
    delete: StrictBool = False
    id: StrictStr = ""
    type: StrictStr = ""
    inputs: values.Properties = field(default_factory=dict)
    outputs: values.Properties = field(default_factory=dict)
    parent: StrictStr = ""
    protect: StrictBool = False
    external: StrictBool = False
    dependencies: Texts = ()
    init_errors: Texts = ()
    provider: StrictStr = ""
    property_dependencies: Annotated[dict[StrictStr, Texts], BeforeValidator(_without_null)] = field(
        default_factory=dict
    )
    pending_replacement: StrictBool = False
    additional_secret_outputs: Texts = ()
    import_id: StrictStr = ""
    retain_on_delete: StrictBool = False
    created: StrictStr = ""
    modified: StrictStr = ""
    ignore_changes: Texts = ()

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
        return Resource(**{**{item.name: getattr(self, item.name) for item in fields(self)}, **changes})


def _without_places(record: Any) -> Any:
    """Where the program's lines are is for display alone; the paths in it belong to one machine."""
    if not isinstance(record, dict):
        return record
    return {key: value for key, value in record.items() if key not in ("sourcePosition", "stackTrace")}


Record = Annotated[Resource, BeforeValidator(_without_places)]


Kind = Literal["creating", "updating", "deleting", "reading", "importing"]


@dataclass(frozen=True)
class Pending:
    """An operation that was begun and has no recorded end."""

    __pydantic_config__ = ConfigDict(extra="forbid", hide_input_in_errors=True)

    type: Kind
    resource: Record


@dataclass(frozen=True)
class State:
    """A state file's resources in dependency order; `plaintext` is true if a secret was not encrypted."""

    resources: tuple[Resource, ...]
    pending: tuple[Pending, ...]
    secrets: Passphrase
    ciphers: Ciphers
    metadata: dict[str, Any] = field(default_factory=dict)
    plaintext: bool = False


def now() -> str:
    """The present moment as the format writes it: UTC, RFC 3339."""
    return datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")


def check_whole(state: State, source: str, project: str, stack: str) -> None:
    """Raises StateRefused unless every resource is of this stack, unique, and after what it refers to."""
    live: set[str] = set()
    known: set[str] = set()
    for item in (*state.resources, *(begun.resource for begun in state.pending)):
        found = re.fullmatch(r"urn:pulumi:([^:]+)::([^:]+)::.+?::.+", item.urn, re.DOTALL)
        if found is None:
            raise StateRefused(f"{source} is damaged ({item.urn!r} is no URN); restore a copy of it")
        if found.groups() != (stack, project):
            raise StateRefused(
                f"{source} is of stack {found[1]} of project {found[2]}, not of {stack} of {project}; "
                "use each state for its own stack"
            )
    for item in state.resources:
        lost = ({item.parent, item.provider} | item.needs()) - known - {""}
        if lost or (item.urn in live and not item.delete):
            reason = f"needs {min(lost)}, which does not come before it" if lost else "is in it twice"
            raise StateRefused(f"{source} is damaged ({item.urn} {reason}); restore a copy of it")
        known |= {item.urn, f"{item.urn}::{item.id}"}
        live |= set() if item.delete else {item.urn}
