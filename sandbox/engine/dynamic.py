"""Dynamic resources: their provider is a value of the resource, pickled by the SDK, and is called in this process."""

import base64
import threading
import traceback
from collections.abc import Callable
from typing import Any

import dill  # type: ignore[import-untyped]
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.output import Unknown
from pulumi.runtime import rpc
from pulumi.runtime._serialization import _deserialize

from sandbox.engine import values
from sandbox.engine.planner import Diff, input_diff, keep_ignored
from sandbox.engine.provider import Checked, Made, Provider, ProviderFailed
from sandbox.engine.state import Resource
from sandbox.engine.values import Properties

PACKAGE = "pulumi-python"
_PROVIDER = "__provider"


class Dynamic(Provider):
    """Calls the providers of dynamic resources. They know no secrets: what went in secret comes out secret, by name."""

    def __init__(self, project: str, mask: Callable[[Any], None]) -> None:
        self._project, self._learn, self._config = project, mask, dict[str, Any]()
        self._providers: dict[str, Any] = {}
        self._lock = threading.Lock()

    def configure(self, resource: Resource) -> None:
        """Takes the stack's settings, which each provider receives before its first call."""
        self._config = values.bare(values.without_internal(resource.inputs))

    def _call(self, method: str, pickled: Properties, *arguments: Any) -> Any:
        """One call of the provider in `pickled`; its exception is the failure, with its traceback."""
        try:
            return getattr(self._provider(values.bare(pickled[_PROVIDER])), method)(*arguments)
        except Exception as error:
            raise ProviderFailed(traceback.format_exc()) from error

    def _provider(self, text: str) -> Any:
        with self._lock:
            if text not in self._providers:
                provider = _deserialize(lambda: dill.loads(base64.b64decode(text)))  # noqa: S301 - from our own state
                provider.configure(
                    ConfigureRequest(config=Config(raw_config=self._config, project_name=self._project))
                )
                self._providers[text] = provider
            return self._providers[text]

    def _out(self, outputs: Properties | None, like: Properties) -> Properties:
        known = values.mapped(
            outputs or {}, lambda part: values.UNKNOWN if isinstance(part, Unknown) else part
        )
        plain = values.from_struct(values.to_struct(known))
        marked = values.annotate_secrets({**plain, _PROVIDER: values.bare(like[_PROVIDER])}, like)
        self._learn(marked)
        return marked

    def check(self, new: Resource, old: Properties | None, inputs: Properties) -> Checked:
        """See Provider."""
        del new
        found = self._call("check", inputs, _given(old or {}), _given(inputs))
        failures = tuple(f"{item.property} {item.reason}".strip() for item in found.failures)
        return Checked(self._out(found.inputs, inputs), failures)

    def diff(self, old: Resource, inputs: Properties, ignore: tuple[str, ...]) -> Diff:
        """See Provider; a provider that does not know is answered by the inputs."""
        found = self._call("diff", inputs, old.id, _given(old.outputs), _given(inputs))
        changes = found.changes
        if changes is None:
            changes = input_diff(old.inputs, keep_ignored(inputs, old.inputs, ignore)).changes
        return Diff(bool(changes), tuple(found.replaces or ()), bool(found.delete_before_replace))

    def create(self, new: Resource, *, dry_run: bool) -> Made:
        """See Provider."""
        if dry_run:
            return Made("", new.inputs)
        made = self._call("create", new.inputs, _given(new.inputs))
        return Made(str(made.id), self._out(made.outs, new.inputs))

    def update(self, old: Resource, new: Resource, *, dry_run: bool) -> Made:
        """See Provider."""
        if dry_run:
            return Made(old.id, new.inputs)
        made = self._call("update", new.inputs, old.id, _given(old.outputs), _given(new.inputs))
        return Made(old.id, self._out(made.outs, new.inputs))

    def delete(self, old: Resource) -> None:
        """See Provider."""
        self._call("delete", old.outputs, old.id, _given(old.outputs))

    def read(self, resource: Resource, *, importing: bool = False) -> Made | None:
        """See Provider; nothing dynamic is imported, because its provider is in its state."""
        if importing:
            raise ProviderFailed("a dynamic resource cannot be imported")
        found = self._call("read", resource.outputs, resource.id, _given(resource.outputs))
        inputs = None if found.inputs is None else self._out(found.inputs, resource.inputs)
        if not found.id:
            return None
        return Made(str(found.id), self._out(found.outs, resource.outputs), inputs)


def _given(properties: Properties) -> dict[str, Any]:
    """Properties as the SDK hands them to a provider: without secret markers, what is unknown as its own object."""
    found: dict[str, Any] = rpc.deserialize_properties(
        values.to_struct(properties, secrets=False), keep_unknowns=True
    )
    return found
