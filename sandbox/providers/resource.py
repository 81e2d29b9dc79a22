"""Tables that describe resource types, functions and providers; `planning` and `server` interpret them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sandbox.engine.values import Properties, Value

S = TypeVar("S")  # a configured provider


@dataclass(frozen=True)
class Property:
    """One property of a resource type, by its camelCase name in the provider's SDK."""

    name: str
    required: bool = False
    output_only: bool = False  # never an input
    computed: bool = False  # set by the service if left out: unknown in a preview, no change later
    default: Value = None  # also recorded in `__defaults`
    replaces: bool = False
    secret: bool = False  # always secret in the outputs
    kept: bool = False  # never returned by the service: reading keeps the value of the state
    block: bool = False  # an object, or a list of objects, with a schema of its own
    # Whether two different values mean the same: old value, new value, all inputs.
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


@dataclass(frozen=True)
class ResourceType(Generic[S]):
    """One resource type; its functions take the configured provider first."""

    token: str
    properties: tuple[Property, ...]
    create: Callable[[S, Properties], Found]
    read: Callable[[S, str, Properties], Found | None]  # without known outputs, an import
    delete: Callable[[S, str, Properties], None] = lambda _, __, ___: None
    update: Callable[[S, str, Properties, Properties], Properties] | None = (
        None  # None: every change replaces
    )
    unique: str = (
        ""  # the property by which the service knows it: two with the same value cannot exist together
    )
    records_defaults: bool = True  # whether inputs carry `__defaults`
    prepare: Callable[[S, Properties], Properties] = lambda _, given: given
    validate: Callable[[Properties], list[Failure]] = lambda _: []
    plan: Callable[[S, Properties], Properties] = lambda _, planned: planned

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
    """One provider: its package name, the SDK version it imitates, its settings, resource types and functions."""

    name: str
    version: str
    configure: Callable[[Properties], S]
    resources: tuple[ResourceType[S], ...]
    invokes: tuple[Invoke[S], ...] = ()
    settings: frozenset[str] = frozenset()
