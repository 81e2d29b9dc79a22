"""The gRPC client of a provider: records to requests, answers to records. Errors hold only the provider's answer."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.engine import planner, values, wire
from sandbox.engine.planner import Diff
from sandbox.engine.provider import Checked, Made, Provider, ProviderFailed
from sandbox.engine.state import Resource
from sandbox.engine.values import Properties


class Client(Provider):
    """A provider behind a port. Created unconfigured; `configure` makes it ready."""

    def __init__(self, package: str, address: str, seconds: float, mask: Callable[[Any], None]) -> None:
        self.package, self.seconds, self._learn = package, seconds, mask
        self._stub = wire.provider_pb2_grpc.ResourceProviderStub(wire.channel(address))
        self._accepts_secrets = self._supports_preview = False

    def _call(self, method: str, request: Any, what: str) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=self.seconds)
        except wire.RpcError as error:
            raise self._failure(error, what) from error

    def _failure(self, error: Any, what: str) -> ProviderFailed:
        code, details = error.code(), str(error.details() or "").strip()
        if code == wire.StatusCode.UNAVAILABLE:
            return ProviderFailed(
                f"the {self.package} provider went away while it worked on {what}; start it again"
            )
        if code == wire.StatusCode.DEADLINE_EXCEEDED:
            return ProviderFailed(
                f"the {self.package} provider did not answer for {what} in {self.seconds:g} s"
            )
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                return ProviderFailed(details, self._half_made(value))
        return ProviderFailed(details or f"{self.package}: {code.name}")

    def _half_made(self, packed: bytes) -> Made | None:
        status = wire.Status.FromString(packed)
        for detail in status.details:
            found = wire.provider_pb2.ErrorResourceInitFailed()
            if detail.Unpack(found):
                inputs = values.from_struct(found.inputs) if found.HasField("inputs") else None
                return Made(found.id, values.from_struct(found.properties), inputs, tuple(found.reasons))
        return None

    def _out(self, struct: Any, like: Properties) -> Properties:
        outputs = values.from_struct(struct)
        if not self._accepts_secrets:
            outputs = values.annotate_secrets(outputs, like)
        self._learn(outputs)
        return outputs

    def _in(self, properties: Mapping[str, Any] | None) -> Any:
        return values.to_struct(properties, secrets=self._accepts_secrets)

    def _ask(self, method: str, resource: Resource, **fields: Any) -> Any:
        kind = getattr(wire.provider_pb2, f"{method}Request")
        named = kind(urn=resource.urn, name=resource.name, type=resource.type, **fields)
        return self._call(method, named, resource.urn)

    def check_config(self, new: Resource, old: Properties | None, inputs: Properties) -> Checked:
        """The provider's own settings, checked; they go without secret markers, which come back by name."""
        olds, news = (
            values.to_struct(values.without_internal(each), secrets=False) for each in (old or {}, inputs)
        )
        request = wire.provider_pb2.CheckRequest(
            urn=new.urn, name=new.name, type=new.type, olds=olds, news=news
        )
        answer = self._call("CheckConfig", request, new.urn)
        checked = values.annotate_secrets(values.from_struct(answer.inputs), inputs)
        kept = {key: inputs[key] for key in ("version", values.INTERNAL) if key in inputs}
        return Checked({**checked, **kept}, _failures(answer))

    def configure(self, resource: Resource) -> None:
        """Readies the provider with the inputs of its resource."""
        inputs = values.without_internal(resource.inputs)
        if not values.is_known(inputs):
            raise ProviderFailed(f"a setting of {resource.name} is known only after the update; give a value")
        answer = self._ask(
            "Configure", resource, id=resource.id, args=values.to_struct(inputs), acceptSecrets=True,
            acceptResources=True, sends_old_inputs=True, sends_old_inputs_to_delete=True,
        )  # fmt: skip
        self._accepts_secrets, self._supports_preview = answer.acceptSecrets, answer.supportsPreview

    def check(self, new: Resource, old: Properties | None, inputs: Properties) -> Checked:
        """See Provider."""
        answer = self._ask("Check", new, olds=self._in(old), news=self._in(inputs))
        return Checked(self._out(answer.inputs, inputs), _failures(answer))

    def diff(self, old: Resource, inputs: Properties, ignore: tuple[str, ...]) -> Diff:
        """See Provider."""
        answer = self._ask(
            "Diff", old, id=old.id, ignoreChanges=ignore, olds=self._in(old.outputs), news=self._in(inputs),
            old_inputs=self._in(old.inputs),
        )  # fmt: skip
        return _diff_of(answer, old.inputs, inputs, ignore)

    def create(self, new: Resource, *, dry_run: bool) -> Made:
        """See Provider."""
        if dry_run and not self._supports_preview:
            return Made("", new.inputs)
        answer = self._ask("Create", new, properties=self._in(new.inputs), preview=dry_run)
        if not answer.id and not dry_run:
            raise ProviderFailed(f"the {self.package} provider created {new.urn} without an id")
        return Made(answer.id, self._out(answer.properties, new.inputs))

    def update(self, old: Resource, new: Resource, *, dry_run: bool) -> Made:
        """See Provider."""
        if dry_run and not self._supports_preview:
            return Made(old.id, new.inputs)
        answer = self._ask(
            "Update", new, id=old.id, preview=dry_run, ignoreChanges=new.ignore_changes,
            olds=self._in(old.outputs), news=self._in(new.inputs), old_inputs=self._in(old.inputs),
        )  # fmt: skip
        return Made(old.id, self._out(answer.properties, new.inputs))

    def delete(self, old: Resource) -> None:
        """See Provider."""
        outputs, inputs = self._in(old.outputs), self._in(old.inputs)
        self._ask("Delete", old, id=old.id, properties=outputs, old_inputs=inputs)

    def read(self, resource: Resource, *, importing: bool = False) -> Made | None:
        """See Provider; an import reads by id alone."""
        inputs, outputs = ({}, {}) if importing else (resource.inputs, resource.outputs)
        wanted = resource.import_id if importing else resource.id
        answer = self._ask("Read", resource, id=wanted, properties=self._in(outputs), inputs=self._in(inputs))
        if not answer.id:
            return None
        found = self._out(answer.inputs, inputs) if answer.HasField("inputs") else None
        return Made(answer.id, self._out(answer.properties, outputs), found)

    def invoke(self, token: str, arguments: Properties, *, dry_run: bool) -> Properties:
        """See Provider. Its result is secret where its arguments were, for a provider that knows no secrets."""
        request = wire.provider_pb2.InvokeRequest(tok=token, args=self._in(arguments), preview=dry_run)
        answer = self._call("Invoke", request, token)
        if answer.failures:
            raise ProviderFailed(f"{token}: {'; '.join(_failures(answer))}")
        result = values.from_struct(getattr(answer, "return"))
        self._learn(result)
        return result


def _failures(answer: Any) -> tuple[str, ...]:
    return tuple(f"{item.property} {item.reason}".strip() for item in answer.failures)


def _diff_of(answer: Any, old: Properties, new: Properties, ignore: tuple[str, ...]) -> Diff:
    """A provider's answer as a record; one that does not know is answered by the inputs."""
    changes = answer.changes == wire.provider_pb2.DiffResponse.DIFF_SOME
    if answer.changes == wire.provider_pb2.DiffResponse.DIFF_UNKNOWN:
        changes = planner.input_diff(old, planner.keep_ignored(new, old, ignore)).changes
    return Diff(changes, tuple(answer.replaces), answer.deleteBeforeReplace)
