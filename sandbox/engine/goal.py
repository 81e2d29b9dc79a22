"""A program's resource request as a record. An option that this engine does not support is an error. Pure."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox import values
from sandbox.engine.errors import EngineError
from sandbox.values import Properties

STACK_TYPE = "pulumi:pulumi:Stack"


class Refused(EngineError):
    """The program asks for something that is wrong, or that this engine does not support."""


@dataclass(frozen=True)
class Goal:
    """A resource as the program wants it. None for `protect`, `retain_on_delete`: as the parent has it."""

    type: str
    name: str
    inputs: Properties
    custom: bool = True
    parent: str = ""
    protect: bool | None = None
    retain_on_delete: bool | None = None
    dependencies: tuple[str, ...] = ()
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    provider: str = ""
    providers: dict[str, str] = field(default_factory=dict)
    version: str = ""
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    import_id: str = ""

    @property
    def package(self) -> str:
        """The package of the type's token."""
        return self.type.partition(":")[0]


_UNDERSTOOD = frozenset(
    {
        *("type", "name", "parent", "custom", "object", "protect", "dependencies", "propertyDependencies"),
        *("provider", "providers", "version", "deleteBeforeReplace", "deleteBeforeReplaceDefined"),
        *("ignoreChanges", "additionalSecretOutputs", "importId", "retainOnDelete"),
        *("id", "properties", "tok", "args"),
        # The SDK has waited for these itself, and found the provider of that parent.
        "dependsOn",
        # What the caller could take, and where the program's lines are: nothing is asked for by them.
        *("acceptSecrets", "acceptResources", "accepts_byte_string", "accept_output_values"),
        *("supportsPartialValues", "supportsResultReporting", "aliasSpecs"),
        *("sourcePosition", "stackTrace", "parentStackTraceHandle"),
    }
)

_CALLED = {"aliasURNs": "aliases", "remote": "a remote component", "packageRef": "a parameterized package"}
"""What a program calls an option, where that is not the field's name in snake case."""


def refuse(request: Any, what: str) -> None:
    """Raises Refused if a request carries a field that this engine does not act on, whatever version brought it."""
    for option, value in request.ListFields():
        # The SDK always sends some messages, empty: only what says something is asked for.
        if option.name not in _UNDERSTOOD and (not hasattr(value, "ByteSize") or value.ByteSize()):
            name = _CALLED.get(option.name) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", option.name).lower()
            raise Refused(
                f"{what}: {name} is not supported by the sandbox engine; use the pulumi CLI, or leave it out"
            )


def goal_of(request: Any) -> Goal:
    """The goal of a RegisterResource request; raises Refused and UnsupportedValue."""
    what = f"resource {request.name} ({request.type})"
    refuse(request, what)
    if request.custom and request.type.count(":") != 2:
        raise Refused(f"{what}: the type of a custom resource has three parts, package:module:name")
    if paths := [path for path in request.ignoreChanges if not re.fullmatch(r"\w+", path)]:
        raise Refused(
            f"{what}: ignore_changes takes whole properties in the sandbox engine, not {paths[0]!r}"
        )
    inputs = values.from_struct(request.object)
    depends = {key: tuple(sorted(item.urns)) for key, item in request.propertyDependencies.items()}
    if not depends:
        depends = {key: tuple(sorted(request.dependencies)) for key in inputs}
    return Goal(
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        inputs=inputs,
        protect=request.protect if request.HasField("protect") else None,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        dependencies=tuple(sorted(request.dependencies)),
        property_dependencies=depends,
        provider=request.provider,
        providers=dict(request.providers),
        version=request.version,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        ignore_changes=tuple(request.ignoreChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        import_id=request.importId,
    )


def inherited(goal: Goal, parent: Goal | None) -> Goal:
    """`goal` with what it leaves to its parent: protection, retention, and the providers of a component."""
    if parent is None:
        return goal
    provider, providers = goal.provider, goal.providers
    if not goal.custom:
        providers = {**parent.providers, **goal.providers}
    elif not provider:
        provider = goal.providers.get(goal.package) or parent.providers.get(goal.package, "")
    return replace(
        goal,
        protect=parent.protect if goal.protect is None else goal.protect,
        retain_on_delete=parent.retain_on_delete if goal.retain_on_delete is None else goal.retain_on_delete,
        provider=provider,
        providers=providers,
    )


def default_provider(package: str, version: str) -> Goal:
    """The provider that the engine itself makes for a package that the program names no provider for."""
    parts = re.split(r"[.+-]", version)
    inputs: Properties = {"__internal": {}, "version": version} if version else {}
    name = "_".join(["default", *filter(None, parts)])
    return Goal(type=f"pulumi:providers:{package}", name=name, inputs=inputs)


def urn_of(stack: str, project: str, parent: str, kind: str, name: str) -> str:
    """The URN of a resource: its type is qualified by its parents', the stack apart."""
    parent_type = parent.split("::", 3)[2] if parent else ""
    qualified = f"{parent_type}${kind}" if parent_type and parent_type != STACK_TYPE else kind
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"
