"""Matches each registration with the old state, lets the planner decide, and runs the step.

A registration runs on its caller's thread; the SDK orders them by dependency. Long calls wait for a slot.
"""

import threading

from sandbox import values
from sandbox.engine import planner, steps
from sandbox.engine.client import Client
from sandbox.engine.goal import STACK_TYPE, Goal, Refused, default_provider, inherited, urn_of
from sandbox.engine.planner import Diff
from sandbox.engine.provider import Checked, Provider
from sandbox.engine.registry import DYNAMIC, TYPE_PREFIX
from sandbox.engine.session import Session, Stopped
from sandbox.engine.state import Resource
from sandbox.values import Properties


class Deployment(Session):
    """Takes what a program registers. Its public methods may be called from many threads."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.news: dict[str, Resource] = {}
        self.goals: dict[str, Goal] = {}
        self.handled: set[int] = set()  # identities of old records that a registration took over
        self._by_urn = {item.urn: item for item in self.olds if not item.delete}
        self._registered: set[str] = set()
        self._condemned: dict[str, threading.Event] = {}
        self._defaults: dict[str, str] = {}
        self._default_lock = threading.Lock()
        self._stack_outputs: Properties | None = None

    def register(self, goal: Goal) -> Resource:
        """Brings one resource to its goal and returns it as it now is; raises Stopped."""
        with self.lock:
            goal = inherited(goal, self.goals.get(goal.parent))
        urn = urn_of(self.request.stack, self.request.project, goal.parent, goal.type, goal.name)
        with self.guarded(urn):
            old, recreating = self._claim(urn, goal)
            new = self._wanted(urn, goal, old)
            provider = self._manager(new)
            imported = self._import(goal, new, old, provider)
            if imported is not None:
                old, new = imported, new.copy(created=imported.created, modified=imported.modified)
            result = self._bring(
                goal, new, old, provider, recreating=recreating, imported=imported is not None
            )
            with self.lock:
                self.news[urn], self.goals[urn] = result, goal
            return result

    def _claim(self, urn: str, goal: Goal) -> tuple[Resource | None, bool]:
        """The old resource, if there is one, and whether this run has already deleted it."""
        with self.lock:
            if goal.parent and goal.parent not in self._registered:
                raise Refused(
                    f"resource {goal.name} names a parent that the program has not registered: {goal.parent}"
                )
            if urn in self._registered:
                raise Refused(f"two resources have the URN {urn}; give one of them another name")
            self._registered.add(urn)
            old = self._by_urn.get(urn)
            if old is not None:
                self.handled.add(id(old))
            deleted = self._condemned.get(old.urn) if old else None
        if deleted is not None:
            deleted.wait()
            if self.stopping.is_set():
                raise Stopped
        return old, deleted is not None

    def _wanted(self, urn: str, goal: Goal, old: Resource | None) -> Resource:
        """The resource as the program wants it, with the reference of what manages it."""
        provider, inputs = "", goal.inputs
        if goal.type.startswith(TYPE_PREFIX):
            inputs = {**inputs, "__internal": {}, "version": goal.version} if goal.version else inputs
        elif goal.custom:
            provider = goal.provider or self.default_provider(goal.package, goal.version)
        self.mask.learn(inputs)
        return Resource(
            urn=urn,
            type=goal.type,
            custom=goal.custom,
            inputs=inputs,
            parent=goal.parent,
            protect=bool(goal.protect),
            retain_on_delete=bool(goal.retain_on_delete),
            provider=provider,
            dependencies=goal.dependencies,
            property_dependencies=goal.property_dependencies,
            additional_secret_outputs=goal.additional_secret_outputs,
            import_id=goal.import_id,
            ignore_changes=goal.ignore_changes,
            created=old.created if old else "",
            modified=old.modified if old else "",
        )

    def default_provider(self, package: str, version: str) -> str:
        """The reference of the package's default provider, made when it is first needed."""
        with self._default_lock:
            name = f"{package}@{version}"
            if name not in self._defaults:
                goal = default_provider(package, version)
                for key, text in self.request.config.items():
                    namespace, _, short = key.partition(":")
                    # The dynamic host gets all of the configuration, a package what bears its name.
                    if package == DYNAMIC or namespace == package:
                        goal.inputs[key if package == DYNAMIC else short] = text
                made = self.register(goal)
                self._defaults[name] = f"{made.urn}::{made.id}"
            return self._defaults[name]

    def _manager(self, new: Resource) -> Provider | None:
        if new.type.startswith(TYPE_PREFIX):
            return self.registry.for_type(new)
        return self.registry.get(new.provider) if new.custom else None

    def _import(
        self, goal: Goal, new: Resource, old: Resource | None, provider: Provider | None
    ) -> Resource | None:
        """Adopts what exists under the goal's id, unless it was adopted before."""
        if not goal.import_id or provider is None:
            return None
        if old is not None and (old.import_id or old.id) == goal.import_id and not old.external:
            return None
        if old is not None:
            raise Refused(
                f"{goal.name} is managed already, under another id; remove it from the stack before importing"
            )
        found = new.copy(id="")
        steps.adopt(self, found, provider)
        return found

    def _bring(
        self,
        goal: Goal,
        new: Resource,
        old: Resource | None,
        provider: Provider | None,
        *,
        recreating: bool,
        imported: bool,
    ) -> Resource:
        basis = None if old is None or recreating or old.external else old
        if basis is not None:
            new.inputs = planner.keep_ignored(new.inputs, basis.inputs, new.ignore_changes)
        if provider is not None:
            new.inputs = _accepted(provider.check(new, basis.inputs if basis else None, new.inputs), new)
        self.mask.learn(new.inputs)
        if self.policies.violated(new, goal, self.news.get(new.provider_urn)):
            self.stopping.set()
            raise Stopped
        if basis is None:
            return steps.create(
                self, new, provider, old, keep_old=bool(old and old.external and not recreating)
            )
        diff = self._diff(basis, new, provider)
        op = planner.decide(basis, diff)
        if imported and op == "replace":
            raise Refused(
                f"{goal.name}: what was imported differs in {', '.join(diff.replaces)}, which only a replacement could"
                " change; make the inputs match it, or name it in ignore_changes"
            )
        if imported and op == "same":
            return basis
        if op == "same":
            return steps.same(self, basis, new, provider)
        if op == "update":
            return steps.update(self, basis, new, provider, diff)
        return self._replace(goal, basis, new, provider, diff)

    def _diff(self, old: Resource, new: Resource, provider: Provider | None) -> Diff:
        if old.custom != new.custom:
            return Diff(changes=True, replaces=("provider",))
        if provider is None:
            return planner.input_diff(old.inputs, new.inputs)
        if old.provider != new.provider and self._provider_replaced(old, new):
            return Diff(changes=True, replaces=("provider",))
        return provider.diff(old, new.inputs, new.ignore_changes)

    def _provider_replaced(self, old: Resource, new: Resource) -> bool:
        """True if the new provider could not manage what the old one made."""
        before = next((item for item in self.olds if f"{item.urn}::{item.id}" == old.provider), None)
        if before is None:
            return True
        after, client = self.news.get(new.provider_urn), self.registry.get(new.provider)
        if after is None or not isinstance(client, Client):
            return False
        return bool(client.diff_config(before, after.inputs).replaces)

    def _replace(
        self, goal: Goal, old: Resource, new: Resource, provider: Provider | None, diff: Diff
    ) -> Resource:
        if new.protect and old.protect:
            raise Refused(f"{goal.name} is protected and cannot be replaced; remove `protect` from it first")
        if goal.import_id and not self.request.dry_run:
            raise Refused(f"{goal.name} was imported and would be replaced; remove `import_` from it first")
        if provider is not None:
            new.inputs = _accepted(provider.check(new, None, goal.inputs), new)
        if old.pending_replacement:
            # An earlier run deleted it; whether it would do so again is no question now.
            return steps.create(self, new, provider, old, diff)
        first = goal.delete_before_replace
        if not (diff.delete_before_replace if first is None else first):
            return steps.create(self, new, provider, old, diff, keep_old=True)
        self.registry.ensure(old.provider, self.olds)
        doomed = self._condemn(old)
        try:
            for item in doomed:
                steps.delete(self, item, replaced=True, pending=True)
        finally:  # whoever registers one of them again must not wait for ever
            for item in doomed:
                self._condemned[item.urn].set()
        steps.delete(self, old, replaced=True, pending=True)
        return steps.create(self, new, provider, old, diff)

    def _condemn(self, old: Resource) -> list[Resource]:
        """What must be deleted before `old` is, last made first; each is named before anyone registers it again."""
        with self.lock:
            chosen = planner.dependents(old, self.olds, self._registered, self._must_go)
            fresh = [item for item in reversed(chosen) if item.urn not in self._condemned and not item.delete]
            for item in fresh:
                if item.protect:
                    raise Refused(
                        f"{item.name} is protected, but would be replaced with {old.name}; unprotect it first"
                    )
            self._condemned.update({item.urn: threading.Event() for item in fresh})
            return fresh

    def _must_go(self, item: Resource, doomed: set[str]) -> bool:
        """True if a change of what `item` depends on would replace it: asked of its provider, with unknowns."""
        if not item.custom or item.external:
            return False
        if item.provider_urn in doomed:
            self.registry.ensure(item.provider, self.olds)
            return True
        touched = {key for key, urns in item.property_dependencies.items() if doomed.intersection(urns)}
        if not touched & item.inputs.keys() or item.type.startswith(TYPE_PREFIX):
            return False
        self.registry.ensure(item.provider, self.olds)
        inputs = {key: values.UNKNOWN if key in touched else value for key, value in item.inputs.items()}
        return self.registry.get(item.provider).diff(item, inputs, item.ignore_changes).replaces != ()

    def read(self, goal: Goal, resource_id: str) -> Resource:
        """Reads a resource that the stack does not own."""
        urn = urn_of(self.request.stack, self.request.project, goal.parent, goal.type, goal.name)
        with self.guarded(urn):
            old, _ = self._claim(urn, goal)
            if old is not None and not old.external and old.id != resource_id:
                raise Refused(
                    f"{goal.name} is managed by this stack and cannot be read under another id; rename one"
                )
            wanted = self._wanted(urn, goal, old)
            new = wanted.copy(id=resource_id, external=True, property_dependencies={})
            steps.read(self, new, old, self.registry.get(new.provider))
            with self.lock:
                self.news[urn], self.goals[urn] = new, goal
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
