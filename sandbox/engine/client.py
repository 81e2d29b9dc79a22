"""The gRPC client of a provider: records to requests, answers to records. Errors hold only the provider's answer."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox import values
from sandbox.engine import planner, wire
from sandbox.engine.planner import Diff
from sandbox.engine.provider import Checked, Made, Provider, ProviderFailed
from sandbox.engine.state import Resource
from sandbox.values import Properties

_INTERNAL = "__internal"


def without_internal(inputs: Properties) -> Properties:
    """A provider's own inputs, without what the engine keeps for itself among them."""
    return {key: value for key, value in inputs.items() if key != _INTERNAL}


class Client(Provider):
    """A provider behind a port. Created unconfigured; `configure` makes it ready."""

    def __init__(
        self, package: str, address: str, engine: str, seconds: float, mask: Callable[[Any], None]
    ) -> None:
        self.package, self.seconds, self._learn = package, seconds, mask
        self._channel = wire.channel(address)
        self._stub = wire.provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._accepts_secrets = self._supports_preview = False
        self._known = True
        self._quietly("Attach", wire.plugin_pb2.PluginAttach(address=engine))

    def close(self) -> None:
        """Ends the connection; the provider runs on."""
        self._channel.close()

    def _call(self, method: str, request: Any, what: str) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=self.seconds)
        except wire.RpcError as error:
            raise self._failure(error, what) from error

    def _quietly(self, method: str, request: Any) -> Any:
        """A call that a provider need not know: None if it does not."""
        try:
            return getattr(self._stub, method)(request, timeout=self.seconds)
        except wire.RpcError as error:
            if error.code() == wire.StatusCode.UNIMPLEMENTED:
                return None
            raise self._failure(error, self.package) from error

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

    def check_config(self, new: Resource, old: Properties | None, inputs: Properties) -> Checked:
        """The provider's own settings, checked; they go without secret markers, which come back by name."""
        request = wire.provider_pb2.CheckRequest(
            urn=new.urn, name=new.name, type=new.type,
            olds=values.to_struct(without_internal(old or {}), secrets=False),
            news=values.to_struct(without_internal(inputs), secrets=False),
        )  # fmt: skip
        answer = self._quietly("CheckConfig", request)
        if answer is None:
            return Checked(inputs)
        checked = values.annotate_secrets(values.from_struct(answer.inputs), inputs)
        kept = {key: inputs[key] for key in ("version", _INTERNAL) if key in inputs}
        return Checked({**checked, **kept}, _failures(answer))

    def diff_config(self, old: Resource, inputs: Properties, ignore: tuple[str, ...] = ()) -> Diff:
        """Whether a change of settings needs a new provider, and with it new resources."""
        bare = without_internal(inputs)
        request = wire.provider_pb2.DiffRequest(
            urn=old.urn, name=old.name, type=old.type, id=old.id, ignoreChanges=ignore,
            old_inputs=values.to_struct(without_internal(old.inputs), secrets=False),
            olds=values.to_struct(old.outputs, secrets=False),
            news=values.to_struct(bare, secrets=False),
        )  # fmt: skip
        answer = self._quietly("DiffConfig", request)
        return planner.input_diff(old.outputs, bare) if answer is None else diff_of(answer, old.outputs, bare)

    def configure(self, resource: Resource) -> None:
        """Readies the provider with the inputs of its resource; with unknown ones (a preview) it stays unasked."""
        inputs = without_internal(resource.inputs)
        self._known = values.is_known(inputs)
        if not self._known:
            return
        plain = {key: values.bare(value) for key, value in inputs.items() if key != "version"}
        variables = {
            f"{self.package}:config:{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in plain.items()
        }
        request = wire.provider_pb2.ConfigureRequest(
            variables=variables, args=values.to_struct(inputs), acceptSecrets=True, acceptResources=True,
            sends_old_inputs=True, sends_old_inputs_to_delete=True,
            urn=resource.urn, id=resource.id, name=resource.name, type=resource.type,
        )  # fmt: skip
        answer = self._call("Configure", request, resource.urn)
        self._accepts_secrets, self._supports_preview = answer.acceptSecrets, answer.supportsPreview

    def check(self, new: Resource, old: Properties | None, inputs: Properties) -> Checked:
        """See Provider."""
        if not self._known:
            return Checked(inputs)
        request = wire.provider_pb2.CheckRequest(
            urn=new.urn, name=new.name, type=new.type, olds=self._in(old), news=self._in(inputs)
        )
        answer = self._call("Check", request, new.urn)
        return Checked(self._out(answer.inputs, inputs), _failures(answer))

    def diff(self, old: Resource, inputs: Properties, ignore: tuple[str, ...]) -> Diff:
        """See Provider."""
        if not self._known:
            return planner.input_diff(old.inputs, inputs)
        request = wire.provider_pb2.DiffRequest(
            id=old.id, urn=old.urn, name=old.name, type=old.type, ignoreChanges=ignore,
            olds=self._in(old.outputs), news=self._in(inputs), old_inputs=self._in(old.inputs),
        )  # fmt: skip
        return diff_of(self._call("Diff", request, old.urn), old.inputs, inputs, ignore)

    def create(self, new: Resource, *, dry_run: bool) -> Made:
        """See Provider."""
        if dry_run and not self._known:
            return Made("", {})
        if dry_run and not self._supports_preview:
            return Made("", new.inputs)
        request = wire.provider_pb2.CreateRequest(
            urn=new.urn, name=new.name, type=new.type, properties=self._in(new.inputs), preview=dry_run,
        )  # fmt: skip
        answer = self._annotated("Create", request, new)
        if not answer.id and not dry_run:
            raise ProviderFailed(f"the {self.package} provider created {new.urn} without an id")
        return Made(answer.id, self._out(answer.properties, new.inputs))

    def update(self, old: Resource, new: Resource, *, dry_run: bool) -> Made:
        """See Provider."""
        if dry_run and not self._known:
            return Made(old.id, {})
        if dry_run and not self._supports_preview:
            return Made(old.id, new.inputs)
        request = wire.provider_pb2.UpdateRequest(
            id=old.id, urn=new.urn, name=new.name, type=new.type, preview=dry_run, ignoreChanges=new.ignore_changes,
            olds=self._in(old.outputs), news=self._in(new.inputs), old_inputs=self._in(old.inputs),
        )  # fmt: skip
        answer = self._annotated("Update", request, new)
        return Made(old.id, self._out(answer.properties, new.inputs))

    def _annotated(self, method: str, request: Any, new: Resource) -> Any:
        try:
            return self._call(method, request, new.urn)
        except ProviderFailed as error:
            if error.created is None or self._accepts_secrets:
                raise
            made = error.created
            outputs = values.annotate_secrets(made.outputs, new.inputs)
            raise ProviderFailed(str(error), Made(made.id, outputs, made.inputs, made.init_errors)) from error

    def delete(self, old: Resource) -> None:
        """See Provider."""
        request = wire.provider_pb2.DeleteRequest(
            id=old.id, urn=old.urn, name=old.name, type=old.type, properties=self._in(old.outputs),
            old_inputs=self._in(old.inputs),
        )  # fmt: skip
        self._call("Delete", request, old.urn)

    def read(self, resource: Resource, *, importing: bool = False) -> Made | None:
        """See Provider; an import reads by id alone."""
        if not self._known:
            return Made(resource.id, {}, {})
        request = wire.provider_pb2.ReadRequest(
            id=resource.import_id if importing else resource.id,
            urn=resource.urn, name=resource.name, type=resource.type,
            properties=None if importing else self._in(resource.outputs),
            inputs=None if importing else self._in(resource.inputs),
        )  # fmt: skip
        try:
            answer = self._call("Read", request, resource.urn)
        except ProviderFailed as error:
            if error.created is None:
                raise
            return error.created
        if not answer.id:
            return None
        known = {} if importing else resource.inputs
        inputs = self._out(answer.inputs, known) if answer.HasField("inputs") else None
        return Made(answer.id, self._out(answer.properties, {} if importing else resource.outputs), inputs)

    def invoke(self, token: str, arguments: Properties, *, dry_run: bool) -> Properties:
        """See Provider. Its result is secret where its arguments were, for a provider that knows no secrets."""
        if not self._known:
            return {}
        request = wire.provider_pb2.InvokeRequest(tok=token, args=self._in(arguments), preview=dry_run)
        answer = self._call("Invoke", request, token)
        if answer.failures:
            raise ProviderFailed(f"{token}: {'; '.join(_failures(answer))}")
        result = values.from_struct(getattr(answer, "return"))
        self._learn(result)
        return result


def _failures(answer: Any) -> tuple[str, ...]:
    return tuple(f"{item.property} {item.reason}".strip() for item in answer.failures)


def diff_of(answer: Any, old: Properties, new: Properties, ignore: tuple[str, ...] = ()) -> Diff:
    """A provider's answer as a record; one that does not know is answered by the inputs."""
    changes = answer.changes == wire.provider_pb2.DiffResponse.DIFF_SOME
    if answer.changes == wire.provider_pb2.DiffResponse.DIFF_UNKNOWN:
        changes = planner.input_diff(old, planner.keep_ignored(new, old, ignore)).changes
    replacing = {
        wire.provider_pb2.PropertyDiff.ADD_REPLACE,
        wire.provider_pb2.PropertyDiff.DELETE_REPLACE,
        wire.provider_pb2.PropertyDiff.UPDATE_REPLACE,
    }
    paths = sorted(path for path, item in answer.detailedDiff.items() if item.kind in replacing)
    replaces = dict.fromkeys([*answer.replaces, *(re.split(r"[.\[]", path)[0] for path in paths)])
    return Diff(changes, tuple(replaces), answer.deleteBeforeReplace)
