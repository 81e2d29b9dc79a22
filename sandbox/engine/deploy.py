"""Matches each registration with the old state, lets the planner decide, and runs the step.

A registration runs on its caller's thread; the SDK orders them by dependency. Long calls wait for a slot.
"""

import threading

from sandbox.engine import planner, steps
from sandbox.engine.dynamic import PACKAGE as DYNAMIC
from sandbox.engine.goal import STACK_TYPE, Namer, Refused, inherited
from sandbox.engine.planner import Diff
from sandbox.engine.provider import Checked, Provider
from sandbox.engine.registry import TYPE_PREFIX
from sandbox.engine.session import Session, Stopped
from sandbox.engine.state import Resource
from sandbox.engine.values import Properties


class Deployment(Session):
    """Takes what a program registers. Its public methods may be called from many threads."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.news: dict[str, Resource] = {}
        self.namer = Namer(self.request.stack, self.request.project)
        self.handled: set[int] = set()  # identities of old records that a registration took over
        self._by_urn = {item.urn: item for item in self.olds if not item.delete}
        self._registered: set[str] = set()
        self._defaults: dict[str, str] = {}
        self._default_lock = threading.Lock()
        self._stack_outputs: Properties | None = None

    def register(self, wanted: Resource) -> Resource:
        """Brings one resource to what is wanted and returns it as it now is; raises Stopped."""
        with self.lock:
            wanted = inherited(wanted, self.news.get(wanted.parent))
        with self.guarded(wanted.urn):
            old = self._claim(wanted)
            new = self._managed(wanted, old)
            provider = self._manager(new)
            imported = self._import(new, old, provider)
            if imported is not None:
                old, new = imported, new.copy(created=imported.created, modified=imported.modified)
            result = self._bring(new, old, provider, imported=imported is not None)
            with self.lock:
                self.news[new.urn] = result
            return result

    def _claim(self, wanted: Resource) -> Resource | None:
        """The old resource, if there is one."""
        with self.lock:
            if wanted.parent and wanted.parent not in self._registered:
                raise Refused(
                    f"resource {wanted.name} names a parent that the program has not registered: {wanted.parent}"
                )
            if wanted.urn in self._registered:
                raise Refused(f"two resources have the URN {wanted.urn}; give one of them another name")
            self._registered.add(wanted.urn)
            old = self._by_urn.get(wanted.urn)
            if old is not None:
                self.handled.add(id(old))
        return old

    def _managed(self, wanted: Resource, old: Resource | None) -> Resource:
        """The resource as the program wants it, with the reference of what manages it."""
        provider, inputs = "", wanted.inputs
        if wanted.type.startswith(TYPE_PREFIX):
            inputs = {**inputs, "__internal": {}, "version": wanted.version} if wanted.version else inputs
        elif wanted.custom:
            provider = wanted.provider or self.default_provider(wanted.package, wanted.version)
        self.mask.learn(inputs)
        times = {"created": old.created, "modified": old.modified} if old else {}
        return wanted.copy(inputs=inputs, provider=provider, **times)

    def default_provider(self, package: str, version: str) -> str:
        """The reference of the package's default provider, made when it is first needed."""
        with self._default_lock:
            name = f"{package}@{version}"
            if name not in self._defaults:
                wanted = self.namer.default_provider(package, version)
                for key, text in self.request.config.items():
                    namespace, _, short = key.partition(":")
                    # The dynamic host gets all of the configuration, a package what bears its name.
                    if package == DYNAMIC or namespace == package:
                        wanted.inputs[key if package == DYNAMIC else short] = text
                made = self.register(wanted)
                self._defaults[name] = f"{made.urn}::{made.id}"
            return self._defaults[name]

    def _manager(self, new: Resource) -> Provider | None:
        if new.type.startswith(TYPE_PREFIX):
            return self.registry.for_type(new)
        return self.registry.get(new.provider) if new.custom else None

    def _import(self, new: Resource, old: Resource | None, provider: Provider | None) -> Resource | None:
        """Adopts what exists under the id that is given, unless it was adopted before."""
        if not new.import_id or provider is None:
            return None
        if old is not None and (old.import_id or old.id) == new.import_id:
            return None
        if old is not None:
            raise Refused(
                f"{new.name} is managed already, under another id; remove it from the stack before importing"
            )
        found = new.copy(id="")
        steps.adopt(self, found, provider)
        return found

    def _bring(
        self, new: Resource, old: Resource | None, provider: Provider | None, *, imported: bool
    ) -> Resource:
        given = new.inputs
        if old is not None:
            new.inputs = planner.keep_ignored(new.inputs, old.inputs, new.ignore_changes)
        if provider is not None:
            new.inputs = _accepted(provider.check(new, old.inputs if old else None, new.inputs), new)
        self.mask.learn(new.inputs)
        if self.policies.violated(new, self.news.get(new.provider_urn)):
            self.stopping.set()
            raise Stopped
        if old is None:
            return steps.create(self, new, provider)
        if provider is None:
            diff = planner.input_diff(old.inputs, new.inputs)
        else:
            diff = provider.diff(old, new.inputs, new.ignore_changes)
        op = planner.decide(old, diff)
        if imported and op == "replace":
            raise Refused(
                f"{new.name}: what was imported differs in {', '.join(diff.replaces)}, which only a replacement could"
                " change; make the inputs match it, or name it in ignore_changes"
            )
        if imported and op == "same":
            return old
        if op == "same":
            return steps.same(self, old, new, provider)
        if op == "update":
            return steps.update(self, old, new, provider)
        return self._replace(given, old, new, provider, diff)

    def _replace(
        self, given: Properties, old: Resource, new: Resource, provider: Provider | None, diff: Diff
    ) -> Resource:
        if new.protect and old.protect:
            raise Refused(f"{new.name} is protected and cannot be replaced; remove `protect` from it first")
        if new.import_id and not self.request.dry_run:
            raise Refused(f"{new.name} was imported and would be replaced; remove `import_` from it first")
        if provider is not None:
            new.inputs = _accepted(provider.check(new, None, given), new)
        if old.pending_replacement:
            # An earlier run deleted it; whether it would do so again is no question now.
            return steps.create(self, new, provider, old)
        first = new.delete_before_replace
        if not (diff.delete_before_replace if first is None else first):
            return steps.create(self, new, provider, old, keep_old=True)
        if needing := planner.fed_by(old, self.olds):
            raise Refused(
                f"{new.name} must be deleted before its replacement is created, but {needing[0].name} uses its"
                " outputs; the sandbox engine does not replace both: use the pulumi CLI"
            )
        steps.delete(self, old, replaced=True, pending=True)
        return steps.create(self, new, provider, old)

    def read(self, wanted: Resource) -> Resource:
        """Reads a resource that the stack does not own."""
        with self.guarded(wanted.urn):
            old = self._claim(wanted)
            new = self._managed(wanted, old)
            steps.read(self, new, old, self.registry.get(new.provider))
            with self.lock:
                self.news[new.urn] = new
            return new

    def invoke(self, token: str, arguments: Properties, provider: str, version: str) -> Properties:
        """Calls a function of a provider."""
        self.mask.learn(arguments)
        reference = provider or self.default_provider(token.partition(":")[0], version)
        return self.registry.get(reference).invoke(token, arguments, dry_run=self.request.dry_run)

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Gives a component its outputs; the stack's own wait for the end of the run."""
        self.mask.learn(outputs)
        found = self.news.get(urn)
        if found is None:
            raise Refused(f"outputs were registered for {urn}, which is not of this run")
        if found.type == STACK_TYPE:
            self._stack_outputs = outputs
        elif found.outputs != outputs:
            self._set_outputs(found, outputs)

    def _set_outputs(self, resource: Resource, outputs: Properties) -> None:
        def mutation() -> None:
            resource.outputs = outputs
            self.checkpoint.touched(resource)

        self.checkpoint.change(mutation)

    def finish_outputs(self) -> Properties:
        """The stack's outputs at the end: the new ones, or after a failure the old ones overwritten by the new."""
        stack = next((item for item in self.news.values() if item.type == STACK_TYPE), None)
        if stack is not None and self._stack_outputs is not None:
            before = self._by_urn.get(stack.urn)
            kept = before.outputs if self.errors and before else {}
            self._set_outputs(stack, {**kept, **self._stack_outputs})
        self.checkpoint.change()
        found = next((item for item in self.checkpoint.resources() if item.type == STACK_TYPE), None)
        return found.outputs if found else {}


def _accepted(checked: Checked, new: Resource) -> Properties:
    if checked.failures:
        raise Refused(f"{new.type} {new.name} is not accepted: {'; '.join(checked.failures)}")
    return checked.inputs
