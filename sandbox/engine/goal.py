"""A program's resource requests as records. An option that this engine does not support is an error. Pure."""

import re
from dataclasses import dataclass
from typing import Any

from sandbox.engine import values
from sandbox.engine.errors import EngineError
from sandbox.engine.state import Resource
from sandbox.engine.values import Properties

STACK_TYPE = "pulumi:pulumi:Stack"
REFERENCE_TYPE = "pulumi:pulumi:StackReference"


class Refused(EngineError):
    """The program asks for something that is wrong, or that this engine does not support."""


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


@dataclass(frozen=True)
class Namer:
    """Makes the records of what the program of one stack asks for."""

    stack: str
    project: str

    def urn(self, parent: str, kind: str, name: str) -> str:
        """The URN of a resource: its type is qualified by its parents', the stack apart."""
        parent_type = parent.split("::", 3)[2] if parent else ""
        qualified = f"{parent_type}${kind}" if parent_type and parent_type != STACK_TYPE else kind
        return f"urn:pulumi:{self.stack}::{self.project}::{qualified}::{name}"

    def wanted(self, request: Any) -> Resource:
        """The resource of a RegisterResource request; raises Refused and UnsupportedValue.

        `protect` and `retain_on_delete` are None where they are left to the parent.
        """
        what = f"resource {request.name} ({request.type})"
        refuse(request, what)
        if request.custom and request.type.count(":") != 2:
            raise Refused(f"{what}: the type of a custom resource has three parts, package:module:name")
        if paths := [path for path in request.ignoreChanges if not re.fullmatch(r"\w+", path)]:
            raise Refused(
                f"{what}: ignore_changes takes whole properties in the sandbox engine, not {paths[0]!r}"
            )
        dependencies = tuple(sorted(request.dependencies))
        depends = {key: tuple(sorted(item.urns)) for key, item in request.propertyDependencies.items()}
        return self._record(
            request,
            request.object,
            custom=request.custom,
            protect=request.protect if request.HasField("protect") else None,
            retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
            property_dependencies=depends or dict.fromkeys(request.object.fields, dependencies),
            providers=dict(request.providers),
            delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
            ignore_changes=tuple(request.ignoreChanges),
            import_id=request.importId,
        )

    def reference(self, request: Any) -> Resource:
        """The stack reference of a ReadResource request, the one resource that a stack may read; raises Refused."""
        refuse(request, f"resource {request.name} ({request.type})")
        if request.type != REFERENCE_TYPE:
            raise Refused(
                f"{request.name}: resources of type {request.type} cannot be read by the sandbox engine"
            )
        return self._record(request, request.properties, custom=True, external=True, id=request.id)

    def _record(self, request: Any, inputs: Any, **more: Any) -> Resource:
        """What both requests say of a resource, and more."""
        return Resource(
            urn=self.urn(request.parent, request.type, request.name),
            type=request.type,
            parent=request.parent,
            inputs=values.from_struct(inputs),
            dependencies=tuple(sorted(request.dependencies)),
            provider=request.provider,
            version=request.version,
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
            **more,
        )

    def default_provider(self, package: str, version: str) -> Resource:
        """The provider that the engine itself makes for a package that the program names no provider for."""
        inputs: Properties = {"__internal": {}, "version": version} if version else {}
        name = "_".join(["default", *filter(None, re.split(r"[.+-]", version))])
        kind = f"pulumi:providers:{package}"
        return Resource(urn=self.urn("", kind, name), type=kind, custom=True, inputs=inputs)


def inherited(wanted: Resource, parent: Resource | None) -> Resource:
    """`wanted` with what it leaves to its parent: protection, retention, and the providers of a component."""
    if parent is None:
        return wanted
    provider, providers = wanted.provider, wanted.providers
    if not wanted.custom:
        providers = {**parent.providers, **wanted.providers}
    elif not provider:
        provider = wanted.providers.get(wanted.package) or parent.providers.get(wanted.package, "")
    return wanted.copy(
        protect=parent.protect if wanted.protect is None else wanted.protect,
        retain_on_delete=(
            parent.retain_on_delete if wanted.retain_on_delete is None else wanted.retain_on_delete
        ),
        provider=provider,
        providers=providers,
    )
