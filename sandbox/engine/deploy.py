"""One deployment: takes what the program registers to what the planner decides, step by step, with the state in step.

Each registration runs on the thread that asks for it; up to `parallel` steps run at once. The first failure stops
new steps, lets those in flight finish, and deletes nothing. Must never change the world before its checkpoint says so.
"""

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.engine import planner, values
from sandbox.engine.checkpoint import Checkpoint
from sandbox.engine.events import Diagnostic, Event, Mask, ResourcePlanned, StepDone, property_changes
from sandbox.engine.goal import STACK_TYPE, Goal, Refused, default_provider, urn_of
from sandbox.engine.paths import BadPath
from sandbox.engine.planner import Diff
from sandbox.engine.policy import Policies
from sandbox.engine.provider import UNKNOWN_ID, Checked, Made, Provider, ProviderFailed
from sandbox.engine.registry import DYNAMIC, TYPE_PREFIX, Registry
from sandbox.engine.request import EngineRequest
from sandbox.engine.state import Resource, State, now
from sandbox.engine.values import Properties, Secret, UnsupportedValue


class Stopped(Exception):  # noqa: N818 - reads as the sentence it is
    """The run is over for this caller: something failed, or it was interrupted. The reason is already recorded."""


class Deployment:
    """The run's state of affairs. Its public methods may be called from many threads."""

    def __init__(
        self,
        request: EngineRequest,
        state: State,
        checkpoint: Checkpoint,
        tell: Callable[[Event], None],
        mask: Mask,
    ) -> None:
        self.request, self.checkpoint, self.mask, self._tell = request, checkpoint, mask, tell
        self.olds = state.resources
        self.registry: Registry
        self.policies: Policies
        self.errors: list[str] = []
        self.counts: Counter[str] = Counter()
        self.news: dict[str, Resource] = {}
        self.stopping = threading.Event()
        self.moved_at = time.monotonic()
        self.in_flight = 0
        self._by_urn = {item.urn: item for item in state.resources if not item.delete}
        self._goals: dict[str, Goal] = {}
        self._seen: set[str] = set()
        self._handled: set[int] = set()  # olds that a registration took over, or that are gone
        self._condemned: dict[str, threading.Event] = {}
        self._moved: dict[str, str] = {}
        self._defaults: dict[str, str] = {}
        self._default_lock = threading.Lock()
        self._lock = threading.RLock()
        self._slots = threading.Semaphore(request.parallel)
        self._stack_outputs: Properties | None = None

    # What went wrong, and what is told.

    def fail(self, message: str, urn: str = "", *, stop: bool = True) -> None:
        """Records a failure; with `stop` no further step begins."""
        text = self.mask(message.strip())
        with self._lock:
            name = urn.split("::", 3)[3] if urn.count("::") >= 3 and "::default" not in urn else ""
            line = (
                text.splitlines()[-1]
                if text.startswith("Traceback")
                else text.splitlines()[0]
                if text
                else "failed"
            )
            self.errors.append(f"{name}: {line}" if name and not re.search(rf"\b{re.escape(name)}\b", line) else line)
        self._tell(Diagnostic("error", text, urn))
        if stop:
            self.stopping.set()

    def goals(self) -> dict[str, Goal]:
        """What the program asked for, by URN."""
        return dict(self._goals)

    def log(self, severity: str, message: str, urn: str = "", *, ephemeral: bool = False) -> None:
        """Passes on a message of the program or a host."""
        self._tell(Diagnostic(severity, self.mask(message), urn, ephemeral))

    def tell(self, event: Event) -> None:
        """Passes on an event that is masked already."""
        self._tell(event)

    @contextlib.contextmanager
    def _step(
        self, op: str, resource: Resource, old: Resource | None = None, diff: Diff | None = None
    ) -> Iterator[None]:
        """Takes a slot, tells of the step and its end, and turns a provider's failure into the run's."""
        with self._slots:
            if self.stopping.is_set():
                raise Stopped
            with self._lock:
                self.in_flight += 1
            before = old.inputs if old else {}
            after = {} if op.startswith("delete") else resource.inputs
            changes = property_changes(before, after, diff.replaces if diff else ())
            self._tell(ResourcePlanned(resource.urn, resource.type, op, changes if op != "same" else ()))
            started, error = time.monotonic(), ""
            try:
                yield
            except ProviderFailed as failure:
                error = str(failure)
                # A delete that fails leaves the others of its kind to be tried; anything else stops the run.
                self.fail(f"{op} failed: {error}" if "\n" not in error else error, resource.urn)
                raise Stopped from failure
            except Stopped:
                error = "stopped"
                raise
            finally:
                took = round((time.monotonic() - started) * 1000, 1)
                with self._lock:
                    self.in_flight -= 1
                    self.moved_at = time.monotonic()
                line = self.mask(error).strip().splitlines()
                self._tell(
                    StepDone(resource.urn, resource.type, op, not error, took, line[-1] if line else "")
                )

    def _count(self, op: str, resource: Resource) -> None:
        if not (resource.type.startswith(TYPE_PREFIX) and resource.name.startswith("default")):
            with self._lock:
                self.counts[op] += 1

    @contextlib.contextmanager
    def guarded(self, urn: str) -> Iterator[None]:
        """Turns what a registration refuses into the run's failure."""
        if self.stopping.is_set():
            raise Stopped
        self.moved_at = time.monotonic()
        try:
            yield
        except (Refused, ProviderFailed, UnsupportedValue, BadPath) as error:
            self.fail(str(error), urn)
            raise Stopped from error

    # Registrations.

    def register(self, goal: Goal) -> Resource:
        """Brings one resource to its goal and returns it as it now is; raises Stopped."""
        goal = self._inherited(goal)
        urn = urn_of(self.request.stack, self.request.project, goal.parent, goal.type, goal.name)
        with self.guarded(urn):
            old, recreating = self._claim(urn, goal)
            provider_ref = self._provider_of(goal)
            new = self._goal_state(urn, goal, old, provider_ref)
            provider = self._provider_for(new)
            imported = self._import(goal, new, old, provider)
            if imported is not None:
                old, new = (
                    imported,
                    new.copy(id=imported.id, created=imported.created, modified=imported.modified),
                )
            result = self._bring(
                goal, new, old, provider, recreating=recreating, imported=imported is not None
            )
            with self._lock:
                self.news[urn], self._goals[urn] = result, goal
            return result

    def _inherited(self, goal: Goal) -> Goal:
        with self._lock:
            parent = self._goals.get(goal.parent)
            if parent is None:
                return goal
            changes: dict[str, Any] = {}
            if goal.protect is None:
                changes["protect"] = parent.protect
            if goal.retain_on_delete is None:
                changes["retain_on_delete"] = parent.retain_on_delete
            if not goal.custom:
                changes["providers"] = {**parent.providers, **goal.providers}
            elif not goal.provider:
                changes["provider"] = goal.providers.get(goal.package) or parent.providers.get(
                    goal.package, ""
                )
            from dataclasses import replace

            return replace(goal, **changes)

    def _claim(self, urn: str, goal: Goal) -> tuple[Resource | None, bool]:
        """The old resource, if there is one, and whether this run has already deleted it."""
        with self._lock:
            if goal.parent and goal.parent not in self._seen:
                raise Refused(
                    f"resource {goal.name} names a parent that the program has not registered: {goal.parent}"
                )
            if urn in self._seen:
                raise Refused(f"two resources have the URN {urn}; give one of them another name")
            self._seen.add(urn)
            alias = (
                next((known for known in goal.aliases if known in self._by_urn), "")
                if urn not in self._by_urn
                else ""
            )
            if alias:
                if alias in self._seen or alias in self._moved:
                    raise Refused(
                        f"{urn} and {self._moved.get(alias, alias)} both claim {alias} as what they were"
                    )
                self._moved[alias] = urn
                self.checkpoint.renamed(alias, urn)
                self.registry.renamed(alias, urn)
            old = self._by_urn.get(alias or urn)
            if old is not None:
                self._handled.add(id(old))
            deleted = self._condemned.get(old.urn) if old else None
        if deleted is not None:
            deleted.wait()
            if self.stopping.is_set():
                raise Stopped
        return old, deleted is not None

    def _provider_of(self, goal: Goal) -> str:
        if not goal.custom or goal.type.startswith(TYPE_PREFIX):
            return ""
        return goal.provider or self.default_provider(goal.package, goal.version)

    def default_provider(self, package: str, version: str) -> str:
        """The reference of the package's default provider, made when it is first needed."""
        with self._default_lock:
            name = f"{package}@{version}"
            if name not in self._defaults:
                goal = default_provider(package, version)
                secret = set(self.request.secret_keys())
                for key, text in self.request.full_config().items():
                    namespace, _, short = key.partition(":")
                    if package == DYNAMIC or namespace == package:
                        goal.inputs[key if package == DYNAMIC else short] = (
                            Secret(text) if key in secret else text
                        )
                made = self.register(goal)
                self._defaults[name] = f"{made.urn}::{made.id}"
            return self._defaults[name]

    def _goal_state(self, urn: str, goal: Goal, old: Resource | None, provider: str) -> Resource:
        inputs = goal.inputs
        if goal.type.startswith(TYPE_PREFIX) and goal.version:
            inputs = {**inputs, "__internal": {}, "version": goal.version}
        self.mask.learn(inputs)
        return Resource(
            urn=urn, type=goal.type, custom=goal.custom, inputs=inputs, parent=goal.parent,
            protect=bool(goal.protect), retain_on_delete=bool(goal.retain_on_delete), provider=provider,
            dependencies=goal.dependencies, property_dependencies=goal.property_dependencies,
            additional_secret_outputs=goal.additional_secret_outputs,
            custom_timeouts=goal.custom_timeouts, import_id=goal.import_id, ignore_changes=goal.ignore_changes,
            replace_on_changes=goal.replace_on_changes,
            created=old.created if old else "", modified=old.modified if old else "",
        )  # fmt: skip

    def _provider_for(self, new: Resource) -> Provider | None:
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
                f"{goal.name} is managed already, under another id than the one to import; remove it from the stack first"
            )
        found = new.copy(id="")
        with self._step("import", found):
            self.checkpoint.begin("importing", found)
            try:
                made = provider.read(found, importing=True)
                if made is None:
                    raise ProviderFailed(
                        f"resource '{goal.import_id}' does not exist, so it cannot be imported"
                    )
                if made.inputs is None:
                    raise ProviderFailed(f"the provider of {goal.type} cannot import")
            except ProviderFailed:
                self.checkpoint.end(found)
                raise
            found.id, found.inputs, found.outputs = made.id, made.inputs, made.outputs
            found.init_errors = made.init_errors
            found.created = found.modified = now()
            self._mark_secrets(found)
            self.checkpoint.touched(found)
            self.checkpoint.end(found, add=True)
        self._count("import", found)
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
            new.inputs = self._accepted(provider.check(new, basis.inputs if basis else None, new.inputs), new)
        self.mask.learn(new.inputs)
        if self.policies.violated(new, goal, self._provider_record(new)):
            self.stopping.set()
            raise Stopped
        if basis is None:
            return self._create(new, old, provider, recreating=recreating)
        diff = self._diff(basis, new, goal, provider)
        op = planner.decide(basis, diff)
        if imported and op == "replace":
            raise Refused(
                f"{goal.name}: what was imported differs in {', '.join(diff.replaces)}, which only a replacement could"
                " change; make the inputs match it, or name it in ignore_changes"
            )
        if op == "same":
            return old if imported and old is not None else self._same(basis, new, provider)
        if op == "update":
            return self._update(basis, new, provider, diff)
        return self._replace(goal, basis, new, provider, diff)

    def _accepted(self, checked: Checked, new: Resource) -> Properties:
        if checked.failures:
            raise Refused(f"{new.type} {new.name} is not accepted: {'; '.join(checked.failures)}")
        return checked.inputs

    def _diff(self, old: Resource, new: Resource, goal: Goal, provider: Provider | None) -> Diff:
        if provider is None or not old.custom:
            if new.custom != old.custom:
                return Diff(changes=True, replaces=("provider",))
            return planner.input_diff(old.inputs, new.inputs)
        if old.provider != new.provider and self._provider_replaced(old, new):
            return Diff(changes=True, replaces=("provider",))
        diff = provider.diff(old, new.inputs, new.ignore_changes)
        return planner.with_replacements(diff, goal.replace_on_changes, init_errors=bool(old.init_errors))

    def _provider_replaced(self, old: Resource, new: Resource) -> bool:
        """True if the new provider could not manage what the old one made."""
        before = next((item for item in self.olds if f"{item.urn}::{item.id}" == old.provider), None)
        if before is None or self._moved.get(before.urn) == new.provider_urn:
            return before is None
        with self._lock:
            after = self.news.get(new.provider_urn)
        client = self.registry.get(new.provider)
        if after is None or not hasattr(client, "diff_config"):
            return False
        return bool(client.diff_config(before, after.inputs).replaces)

    def _provider_record(self, new: Resource) -> Resource | None:
        with self._lock:
            return self.news.get(new.provider_urn) if new.provider else None

    # Steps.

    def _mark_secrets(self, resource: Resource) -> None:
        """An output is secret if the program says so, or if the input of its name is."""
        hidden = set(resource.additional_secret_outputs) - {"id"}
        hidden |= {key for key, value in resource.inputs.items() if isinstance(value, Secret)}
        for key in hidden & resource.outputs.keys():
            if not isinstance(resource.outputs[key], Secret):
                resource.outputs = {**resource.outputs, key: Secret(resource.outputs[key])}
        self.mask.learn(resource.outputs)

    def _finish(self, new: Resource, made: Made, *, created: bool) -> None:
        new.id, new.outputs, new.init_errors = made.id, made.outputs, made.init_errors
        new.modified = now()
        if created:
            new.created = new.modified
        self._mark_secrets(new)
        self.checkpoint.touched(new)

    def _create(
        self, new: Resource, old: Resource | None, provider: Provider | None, *, recreating: bool = False,
        diff: Diff | None = None, keep_old: bool = False,
    ) -> Resource:  # fmt: skip
        """Creates; for a replacement the old record stays, to be deleted at the end (`keep_old`), or is dropped."""
        replacing = old is not None
        with self._step("replace" if replacing else "create", new, old, diff):
            self.checkpoint.begin("creating", new)
            if replacing and old is not None and old.external and not recreating:
                keep_old = True

            def done(made: Made) -> None:
                self._finish(new, made, created=True)
                if keep_old and old is not None:
                    old.delete = True
                    self.checkpoint.touched(old)
                    with self._lock:
                        self._handled.discard(id(old))
                self.checkpoint.end(new, add=True, drop=[old] if old is not None and not keep_old else [])

            self._make(
                lambda: provider.create(new, dry_run=self.request.dry_run) if provider else Made("", {}),
                new,
                done,
            )
        self._count("replace" if replacing else "create", new)
        return new

    def _make(self, work: Callable[[], Made], new: Resource, done: Callable[[Made], None]) -> None:
        """Runs a create or update; what exists although it is not ready (InitFailed) is recorded before the failure."""
        try:
            made = work()
        except ProviderFailed as failure:
            if failure.created is not None:
                done(failure.created)
                detail = "; ".join(failure.created.init_errors)
                raise ProviderFailed(f"exists but is not ready: {detail or failure}") from failure
            self.checkpoint.end(new)
            raise
        done(made)

    def _same(self, old: Resource, new: Resource, provider: Provider | None) -> Resource:
        new.id, new.outputs, new.init_errors = old.id, old.outputs, ()
        if new.type.startswith(TYPE_PREFIX) and provider is not None:
            # The settings that were in force stay so; a difference that the provider does not count is no difference.
            configured = new.copy(inputs=old.inputs)
            with self._step("same", new):
                provider.update(configured, configured, dry_run=False)
        else:
            self._tell(ResourcePlanned(new.urn, new.type, "same"))
            self._tell(StepDone(new.urn, new.type, "same", ok=True, milliseconds=0.0))
        self._mark_secrets(new)
        self.checkpoint.same(old, new)
        self._count("same", new)
        return new

    def _update(self, old: Resource, new: Resource, provider: Provider | None, diff: Diff) -> Resource:
        new.id, new.created, new.modified = old.id, old.created, old.modified
        with self._step("update", new, old, diff):
            self.checkpoint.begin("updating", new)

            def done(made: Made) -> None:
                stamp = new.modified
                self._finish(new, made, created=False)
                if provider is None:
                    new.modified = stamp
                self.checkpoint.end(new, add=True, drop=[old])

            def work() -> Made:
                return (
                    provider.update(old, new, dry_run=self.request.dry_run)
                    if provider
                    else Made("", old.outputs)
                )

            self._make(work, new, done)
        self._count("update", new)
        return new

    def _replace(
        self, goal: Goal, old: Resource, new: Resource, provider: Provider | None, diff: Diff
    ) -> Resource:
        if new.protect and old.protect:
            raise Refused(f"{goal.name} is protected and cannot be replaced; remove `protect` from it first")
        if goal.import_id and not self.request.dry_run:
            raise Refused(f"{goal.name} was imported and would be replaced; remove `import_` from it first")
        if provider is not None:
            new.inputs = self._accepted(provider.check(new, None, goal.inputs), new)
        first = (
            diff.delete_before_replace if goal.delete_before_replace is None else goal.delete_before_replace
        )
        if not first:
            return self._create(new, old, provider, diff=diff, keep_old=True)
        if not old.pending_replacement:
            self.registry.ensure(old.provider, self.olds)
            for item in self._condemn(old):
                try:
                    self._delete(item, replacing=True, pending=True)
                finally:
                    self._condemned[item.urn].set()
            self._delete(old, replacing=True, pending=True)
        return self._create(new, old, provider, diff=diff)

    def _condemn(self, old: Resource) -> list[Resource]:
        """What must be deleted before `old` is, last made first; each is named before anyone registers it again."""
        with self._lock:
            chosen = planner.dependents(old, self.olds, self._seen, self._must_go)
            for item in chosen:
                if item.protect:
                    raise Refused(
                        f"{item.name} is protected, but would be replaced with {old.name}; remove `protect` from it first"
                    )
            fresh = [item for item in reversed(chosen) if item.urn not in self._condemned and not item.delete]
            self._condemned.update({item.urn: threading.Event() for item in fresh})
            return fresh

    def _must_go(self, item: Resource, doomed: set[str]) -> bool:
        """True if a change of what `item` depends on would replace it."""
        if not item.custom or item.external:
            return False
        if item.provider_urn in doomed:
            self.registry.ensure(item.provider, self.olds)
            return True
        touched = {
            key for key, urns in item.property_dependencies.items() if doomed.intersection(urns)
        } & item.inputs.keys()
        if not touched or item.type.startswith(TYPE_PREFIX):
            return False
        self.registry.ensure(item.provider, self.olds)
        inputs = {key: values.UNKNOWN if key in touched else value for key, value in item.inputs.items()}
        diff = self.registry.get(item.provider).diff(item, inputs, item.ignore_changes)
        diff = planner.with_replacements(diff, item.replace_on_changes)
        return bool(diff.replaces or any(hard for _, hard in diff.detailed))

    def _delete(self, item: Resource, *, replacing: bool = False, pending: bool = False) -> None:
        """Deletes one record; `pending` keeps it as one whose replacement is still to be created."""
        op = "delete-replaced" if replacing else "delete"
        with self._step(op, item, item):
            if item.protect and not replacing:
                raise ProviderFailed(
                    f"{item.name} is protected and cannot be deleted; remove `protect` from it first"
                )
            self.checkpoint.begin("deleting", item)
            try:
                owned = item.custom and not item.external and not item.retain_on_delete
                if owned and not self.request.dry_run and not item.type.startswith(TYPE_PREFIX):
                    self.registry.get(item.provider).delete(item)
            except ProviderFailed:
                self.checkpoint.end(item)
                raise
            if pending:
                item.pending_replacement = True
                self.checkpoint.touched(item)
            self.checkpoint.end(item, drop=[] if pending else [item])
        if not replacing:
            self._count("delete", item)

    # Reading, invoking, outputs.

    def read(self, goal: Goal, resource_id: str) -> Resource:
        """Reads a resource that the stack does not own."""
        urn = urn_of(self.request.stack, self.request.project, goal.parent, goal.type, goal.name)
        with self.guarded(urn):
            old, _ = self._claim(urn, goal)
            provider = goal.provider or self.default_provider(goal.package, goal.version)
            new = self._goal_state(urn, goal, None, provider).copy(
                id=resource_id, external=True, property_dependencies={}, protect=False
            )
            if old is not None and not old.external and old.id != resource_id:
                raise Refused(
                    f"{goal.name} is managed by this stack and cannot be read under another id; rename one"
                )
            with self._step("read", new, old):
                self.checkpoint.begin("reading", new)
                try:
                    made = self.registry.get(provider).read(new)
                    if made is None:
                        raise ProviderFailed(f"resource '{resource_id}' does not exist")
                except ProviderFailed:
                    self.checkpoint.end(new)
                    raise
                new.id, new.outputs = made.id, made.outputs
                new.inputs = new.inputs if made.inputs is None else made.inputs
                new.init_errors = made.init_errors
                if old is not None:
                    new.created, new.modified = old.created, old.modified
                self._mark_secrets(new)
                self.checkpoint.touched(new)
                self.checkpoint.end(new, add=True, drop=[old] if old else [])
            self._count("read", new)
            with self._lock:
                self.news[urn], self._goals[urn] = new, goal
            return new

    def invoke(self, token: str, arguments: Properties, provider: str, version: str) -> Properties:
        """Calls a function of a provider."""
        self.mask.learn(arguments)
        reference = provider or self.default_provider(token.partition(":")[0], version)
        return self.registry.get(reference).invoke(token, arguments, dry_run=self.request.dry_run)

    def find(self, urn: str) -> Properties:
        """A resource of this run, as pulumi:pulumi:getResource answers."""
        with self._lock:
            found = self.news.get(urn)
        if found is None:
            raise ProviderFailed(f"unknown resource {urn}")
        return {"urn": urn, "id": found.id, "provider": found.provider, "state": found.outputs}

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Gives a component its outputs; the stack's own wait for the end of the run."""
        self.mask.learn(outputs)
        with self._lock:
            found = self.news.get(urn)
        if found is None:
            raise Refused(f"outputs were registered for {urn}, which is not of this run")
        if found.type == STACK_TYPE:
            self._stack_outputs = outputs
        elif values.masked(found.outputs) != values.masked(outputs) or found.outputs != outputs:
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

    # What the program no longer names.

    def delete_rest(self, *, everything: bool = False) -> None:
        """Deletes what was not registered, and what replacements and interrupted runs left, in reverse order."""
        with self._lock:
            doomed = [
                item for item in self.olds if everything or item.delete or id(item) not in self._handled
            ]
        for item in doomed:
            if item.pending_replacement and not item.delete:
                continue
            try:
                self.registry.ensure(item.provider, self.olds)
            except ProviderFailed as error:
                self.fail(str(error), item.urn)
                return
        spared: set[int] = set()
        for group in planner.delete_order(doomed, self.olds):
            work = [item for item in group if id(item) not in spared]
            failed = self._in_parallel(self._forget, work)
            for item in failed:
                spared |= planner.needed_by(item, self.olds)
            if self.stopping.is_set():
                return

    def _forget(self, item: Resource) -> None:
        if item.pending_replacement and not item.delete:
            self.checkpoint.end(item, drop=[item])  # it was deleted already, and is no longer wanted
        elif item.protect and not item.delete:
            self._tell(ResourcePlanned(item.urn, item.type, "delete"))
            text = f"{item.name} is protected and cannot be deleted; remove `protect` from it first"
            self._tell(StepDone(item.urn, item.type, "delete", ok=False, milliseconds=0.0, error=text))
            self.fail(text, item.urn, stop=False)
            raise Stopped
        else:
            self._delete(item, replacing=item.delete)

    def refresh(self) -> None:
        """Reads every resource of the stack; what is gone is dropped, what differs is taken over."""
        found: dict[int, Resource | None] = {}
        for item in self.olds:
            try:
                self.registry.ensure(item.provider, self.olds)
            except ProviderFailed as error:
                self.fail(str(error), item.urn)
                return

        def look(item: Resource) -> None:
            if not item.custom or item.type.startswith(TYPE_PREFIX) or item.pending_replacement:
                self._count("same", item)
                return
            with self._step("refresh", item):
                made = self.registry.get(item.provider).read(item)
            found[id(item)] = None if made is None else self._refreshed(item, made)
            changed = found[id(item)]
            self._count("delete" if changed is None else "same" if changed is item else "update", item)

        self._in_parallel(look, list(self.olds))
        self.checkpoint.refreshed(found)

    def _refreshed(self, item: Resource, made: Made) -> Resource:
        inputs = item.inputs if made.inputs is None else made.inputs
        new = item.copy(id=made.id, inputs=inputs, outputs=made.outputs, init_errors=made.init_errors)
        self._mark_secrets(new)
        if (new.id, new.inputs, new.outputs, new.init_errors) == (
            item.id,
            item.inputs,
            item.outputs,
            item.init_errors,
        ):
            return item
        if made.init_errors:
            self.log("warning", f"is not ready: {'; '.join(made.init_errors)}", item.urn)
        new.modified = now()
        changes = property_changes(item.outputs, new.outputs)
        self._tell(ResourcePlanned(item.urn, item.type, "refresh", changes))
        return new

    def _in_parallel(self, work: Callable[[Resource], None], items: list[Resource]) -> list[Resource]:
        """Runs `work` on every item, `parallel` at a time; those that were stopped."""
        failed: list[Resource] = []

        def attempt(item: Resource) -> None:
            try:
                work(item)
            except Stopped:
                failed.append(item)

        waiting = iter(items)
        guard = threading.Lock()

        def worker() -> None:
            while True:
                with guard:
                    item = next(waiting, None)
                if item is None:
                    return
                attempt(item)

        threads = [threading.Thread(target=worker, daemon=True) for _ in items[: self.request.parallel]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return failed


__all__ = ["UNKNOWN_ID", "Deployment", "Stopped"]
