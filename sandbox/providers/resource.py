"""How a resource type, an invoke and a provider are described: tables, not code.

Adding a resource type means adding one `ResourceType`. Everything that is the same for all types (checking inputs,
diffing, previews, secrets, import) is done from this description by `sandbox.providers.planning` and
`sandbox.providers.servicer`. Must never reach a network by itself: the functions in a table do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from sandbox.values import Properties, Value

S = TypeVar("S")
"""A configured provider: what the functions of a table need to reach their service."""


@dataclass(frozen=True)
class Property:
    """One property of a resource type.

    Attributes:
        name: camelCase, as in the provider's SDK.
        required: an input that must be given.
        output_only: never an input.
        computed: filled in by the service when it is not given; then it is unknown in a preview of a create, and
            leaving it out later is no change.
        default: recorded in the inputs, and in `__defaults`, when it is not given.
        replaces: changing it replaces the resource.
        secret: always secret in the outputs.
        kept: the service never gives it back, so that reading keeps what the state holds.
        unordered: a list whose order means nothing.
        block: an object, or a list of objects, with a schema of its own.
        equivalent: whether two different values mean the same; takes the old value, the new one and all inputs.
    """

    name: str
    required: bool = False
    output_only: bool = False
    computed: bool = False
    default: Value = None
    replaces: bool = False
    secret: bool = False
    kept: bool = False
    unordered: bool = False
    block: bool = False
    equivalent: Callable[[Value, Value, Properties], bool] | None = None


@dataclass(frozen=True)
class Failure:
    """One input that is wrong, and why."""

    property: str
    reason: str


@dataclass(frozen=True)
class Found:
    """A resource as it is: its id and outputs."""

    id: str
    state: Properties


def _no_failures(_: Properties) -> list[Failure]:
    return []


def _as_given(_: object, properties: Properties) -> Properties:
    return properties


@dataclass(frozen=True)
class ResourceType(Generic[S]):
    """One resource type.

    Attributes:
        token: the type's token, `package:module:Name`.
        properties: every property that is served; any other input is refused.
        create: inputs to id and outputs.
        read: id and last known outputs to what is there now, or None when it is gone. With an id alone, an import.
        update: id, old outputs and new inputs to new outputs; None when every change replaces.
        delete: id and outputs; returns when the resource is gone, whether or not it was there.
        autoname: the property that Pulumi names by itself when it is left out.
        records_defaults: whether inputs carry `__defaults`, as those of older bridged resources do.
        prepare: what the provider adds to the inputs before they are checked.
        validate: what is wrong with known inputs, beyond names and presence.
        plan: outputs that are known in a preview although they are not inputs as such.
    """

    token: str
    properties: tuple[Property, ...]
    create: Callable[[S, Properties], Found]
    read: Callable[[S, str, Properties], Found | None]
    update: Callable[[S, str, Properties, Properties], Properties] | None
    delete: Callable[[S, str, Properties], None]
    autoname: str = ""
    records_defaults: bool = True
    prepare: Callable[[S, Properties], Properties] = _as_given
    validate: Callable[[Properties], list[Failure]] = _no_failures
    plan: Callable[[S, Properties], Properties] = _as_given

    def inputs(self) -> tuple[Property, ...]:
        """The properties that may be given."""
        return tuple(p for p in self.properties if not p.output_only)


@dataclass(frozen=True)
class Invoke(Generic[S]):
    """One function that a program can call: a token, its arguments and what it does."""

    token: str
    arguments: frozenset[str]
    call: Callable[[S, Properties], Properties]


@dataclass(frozen=True)
class ProviderDefinition(Generic[S]):
    """One provider: its name, its settings, what it serves.

    Attributes:
        name: the package name, as in `PULUMI_DEBUG_PROVIDERS`.
        version: the SDK version whose property names are served.
        settings: the settings that are understood; any other is refused.
        configure: settings to a configured provider; raises ProviderError.
        resources: resource types by token.
        invokes: functions by token.
    """

    name: str
    version: str
    settings: frozenset[str]
    configure: Callable[[Properties], S]
    resources: Mapping[str, ResourceType[S]]
    invokes: Mapping[str, Invoke[S]]


def by_token(*types: ResourceType[S]) -> dict[str, ResourceType[S]]:
    """Resource types by their tokens."""
    return {one.token: one for one in types}


def invokes_by_token(*invokes: Invoke[S]) -> dict[str, Invoke[S]]:
    """Invokes by their tokens."""
    return {one.token: one for one in invokes}
