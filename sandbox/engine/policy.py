"""Runs policy packs: on each resource before its step, and on the stack at the end.

A mandatory violation blocks a step of an update, and fails a preview at its end; an advisory one is reported.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine import values, wire
from sandbox.engine.errors import EngineError
from sandbox.engine.events import Event, Mask, said, violated
from sandbox.engine.packs import Pack
from sandbox.engine.request import EngineRequest
from sandbox.engine.state import Resource

_LEVELS = ("advisory", "mandatory", "disabled", "remediate")


@dataclass
class Policies:
    """The packs of one run; with none, everything is allowed."""

    request: EngineRequest
    report: Callable[[Event], None]
    mask: Mask
    packs: list[Pack]
    violations: list[str] = field(default_factory=list)
    _stubs: list[tuple[str, Any]] = field(default_factory=list)

    def connect(self) -> None:
        """Waits for the packs and configures them; raises EngineError."""
        for pack in self.packs:
            pack.follow(lambda line: self.report(said("info", self.mask(line))))
        for pack in self.packs:
            stub = wire.analyzer_pb2_grpc.AnalyzerStub(wire.channel(pack.address()))
            self._stubs.append((self._configured(pack.name, stub), stub))

    def _configured(self, name: str, stub: Any) -> str:
        request, messages = self.request, wire.analyzer_pb2
        stack = messages.AnalyzerStackConfigureRequest(
            stack=request.stack, project=request.project, organization=request.organization, dry_run=request.dry_run,
            config=request.config,
        )  # fmt: skip
        self._ask(name, stub, "ConfigureStack", stack)
        info = self._ask(name, stub, "GetAnalyzerInfo", wire.EMPTY)
        if info.initialConfig:
            settings = messages.ConfigureAnalyzerRequest(policyConfig=info.initialConfig)
            self._ask(name, stub, "Configure", settings)
        return str(info.name or name)

    def _ask(self, name: str, stub: Any, method: str, message: Any) -> Any:
        try:
            return getattr(stub, method)(message, timeout=self.request.call_seconds)
        except wire.RpcError as error:
            if error.code() == wire.StatusCode.UNAVAILABLE:
                raise EngineError(f"{name} went away; run it by hand to see why") from error
            raise EngineError(
                f"{name} failed: {self.mask(str(error.details() or error.code().name))}"
            ) from error

    def violated(self, new: Resource, provider: Resource | None) -> bool:
        """Asks every pack about a resource; True if its step must not be taken."""
        if not self._stubs:
            return False
        message = wire.analyzer_pb2.AnalyzeRequest(
            type=new.type, urn=new.urn, name=new.name, properties=_properties(new.inputs),
            options=_options(new), provider=_provider(provider),
        )  # fmt: skip
        found = [
            item
            for name, stub in self._stubs
            for item in self._ask(name, stub, "Analyze", message).diagnostics
        ]
        return self._reported(found, new.urn) and not self.request.dry_run

    def stack_violated(self, resources: Iterable[Resource]) -> None:
        """Asks every pack about the whole stack as it now is."""
        if not self._stubs:
            return
        listed = list(resources)
        by_reference = {f"{item.urn}::{item.id}": item for item in listed}
        message = wire.analyzer_pb2.AnalyzeStackRequest(
            resources=[
                wire.analyzer_pb2.AnalyzerResource(
                    type=item.type, urn=item.urn, name=item.name, properties=_properties(item.outputs),
                    options=_options(item), provider=_provider(by_reference.get(item.provider)),
                    parent=item.parent, dependencies=item.dependencies,
                    propertyDependencies={
                        key: wire.analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                        for key, urns in item.property_dependencies.items()
                    },
                )
                for item in listed
            ]
        )  # fmt: skip
        for name, stub in self._stubs:
            self._reported(self._ask(name, stub, "AnalyzeStack", message).diagnostics, "")

    def _reported(self, diagnostics: Iterable[Any], urn: str) -> bool:
        blocked = False
        for item in diagnostics:
            level = _LEVELS[item.enforcementLevel]
            # Nothing is remediated here, so what should have been is refused.
            level = "mandatory" if level == "remediate" else level
            if level == "disabled":
                continue
            message = self.mask(item.message.strip() or item.description)
            self.report(violated(item.policyName, level, item.urn or urn, message))
            if level == "mandatory":
                blocked = True
                self.violations.append(f"{item.policyPackName}/{item.policyName}: {message.splitlines()[0]}")
        return blocked


def _properties(properties: values.Properties) -> Any:
    return values.to_struct({key: value for key, value in properties.items() if not key.startswith("__")})


def _options(item: Resource) -> Any:
    first = item.delete_before_replace
    return wire.analyzer_pb2.AnalyzerResourceOptions(
        protect=bool(item.protect), ignoreChanges=item.ignore_changes, deleteBeforeReplace=bool(first),
        deleteBeforeReplaceDefined=first is not None, additionalSecretOutputs=item.additional_secret_outputs,
        parent=item.parent,
    )  # fmt: skip


def _provider(item: Resource | None) -> Any:
    return item and wire.analyzer_pb2.AnalyzerProviderResource(
        type=item.type, urn=item.urn, name=item.name, properties=_properties(item.inputs)
    )
