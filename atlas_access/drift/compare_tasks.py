"""Compares live task definitions with the manifest, container by container: bindings, and what else holds a credential.

Only the runtime container may hold credentials of ours: one in a sidecar, in a log driver's options or in a command is
reported, and none replaces what the runtime container lacks. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from atlas_access.base import Phase, Unread
from atlas_access.drift.compare_secrets import InventoryRules
from atlas_access.drift.finding import Difference, Kind
from atlas_access.drift.model import VARIABLES, BoundVariable, ObservedOtherTask, ObservedSecret, ObservedTask
from atlas_access.manifest import Consumer

_IN_PLAIN_VIEW = "read it for everyone who may describe the task"


def compare_task(
    rules: InventoryRules, task: ObservedTask, secrets: Mapping[str, ObservedSecret]
) -> Iterator[Difference]:
    """Yield what is wrong with a live revision's bindings; `secrets` holds what was read of each, by name."""
    judge = _Bindings(rules, task, secrets)
    for bound in task.bound:
        yield from judge.of(bound)
    if task.running or task.consumer is Consumer.SCHEMA_TASK:
        yield from judge.missing()
    yield from judge.plain()


def compare_other_task(
    rules: InventoryRules, observed: ObservedOtherTask, secrets: Mapping[str, ObservedSecret]
) -> Iterator[Difference]:
    """Yield each credential that a family is handed which is none of the stack's; legacy ones once they are retired."""
    legacy = () if rules.retired else rules.legacy_secrets
    for bound in observed.bound:
        name = reference(bound.value_from)[0]
        if is_credential(rules, name, secrets) and name not in legacy:
            problem = f"hands {name} to {bound.variable} of the container {bound.container}"
            yield Difference(
                Kind.BINDING_UNDECLARED,
                f"{rules.where}, beside the service",
                observed.family,
                f"{observed.revision} {problem}; access.yaml declares nothing of {observed.family}",
                "Take it out and deregister the revision; see who registered it",
                permits=f"use what {name} holds",
                detail=problem,
            )


def is_credential(rules: InventoryRules, name: str, secrets: Mapping[str, ObservedSecret]) -> bool:
    """Whether a secret is a database credential: read here, or named as one of any environment."""
    prefixes = tuple(f"{each}/mongodb/" for each in rules.manifest.environments)
    return name in secrets or name.startswith(prefixes)


def not_inspected(task: ObservedTask) -> Iterator[Unread]:
    """Yield what gives a revision variables that are not read here; nothing says that none is a credential."""
    for file in task.files:
        yield Unread(
            f"{file}, in {task.revision}", "what an environment file sets is not read; bind secrets instead"
        )


TAKE_OUT = "Register a revision without it, or declare it in access.yaml; then `pulumi up`, and see who registered it"
STALE = (
    "Deploy: `pulumi up`. Where that changes nothing, the value was put by hand: aws secretsmanager "
    "update-secret-version-stage --secret-id {name} --version-stage AWSCURRENT --move-to-version-id {bound} "
    "--remove-from-version-id {current}"
)


class _Bindings:
    """Judges one revision, variable by variable."""

    def __init__(
        self, rules: InventoryRules, task: ObservedTask, secrets: Mapping[str, ObservedSecret]
    ) -> None:
        self._rules, self._task, self._secrets = rules, task, secrets
        self._wanted = {
            binding.variable: binding.secret_name
            for binding in rules.manifest.bindings_for(rules.environment, task.consumer)
        }
        self._successor = rules.manifest.successors
        self._legacy: dict[str, set[str]] = {}
        for user in rules.manifest.legacy:
            for secret in user.secrets:
                if secret.environment == rules.environment:
                    self._legacy.setdefault(secret.variable, set()).add(secret.name)

    def of(self, bound: BoundVariable) -> Iterator[Difference]:
        variable, (name, version) = bound.variable, reference(bound.value_from)
        governed = variable in self._wanted or variable in self._successor or variable.startswith("MONGODB_")
        ours = is_credential(self._rules, name, self._secrets)
        if bound.field != VARIABLES:
            if ours:
                problem = f"hands {name} to {bound.field} of the container {bound.container}"
                permits = f"use what {name} holds"
                yield self._finding(Kind.BINDING_UNDECLARED, bound.field, problem, permits=permits)
            return
        if not (governed or ours):
            return
        if bound.container != self._task.container:
            problem = (
                f"binds {variable} to {name} in the container {bound.container}; "
                f"access.yaml declares it for {self._task.container} alone"
            )
            yield self._finding(Kind.BINDING_UNDECLARED, variable, problem, permits=f"use what {name} holds")
            return
        wanted = self._wanted.get(variable) or self._wanted.get(self._successor.get(variable, ""))
        moved = self._rules.phase is not Phase.PROVISION
        legacy = name in self._legacy.get(variable, ())
        if wanted is None:
            problem = f"binds {variable} to {name}, which access.yaml does not declare for {self._task.consumer.value}"
            yield self._finding(Kind.BINDING_UNDECLARED, variable, problem, permits=f"use what {name} holds")
        elif legacy and moved:
            problem = f"binds {variable} to the legacy secret {name} again, not to {wanted}"
            yield self._finding(Kind.BINDING_LEGACY, variable, problem, permits="keep using a legacy user")
        elif variable in self._successor and self._rules.retired:
            problem = f"still binds the deprecated variable {variable}"
            yield self._finding(Kind.BINDING_LEGACY, variable, problem)
        elif name != wanted and not legacy:
            problem = f"binds {variable} to {name}, not to {wanted}"
            yield self._finding(Kind.BINDING_WRONG, variable, problem, permits=f"use what {name} holds")
        elif self._is_elsewhere(name, bound.value_from):
            problem = (
                f"binds {variable} to another secret of that name, {bound.value_from}, "
                f"not to this account's {name}"
            )
            yield self._finding(Kind.BINDING_WRONG, variable, problem, permits="use what that secret holds")
        elif name == wanted and moved:
            yield from self._version(variable, name, version)

    def _is_elsewhere(self, name: str, value_from: str) -> bool:
        """Whether a reference to a secret of the right name leads to another account, region or secret."""
        arn = ":".join(value_from.split(":")[:7])
        secret = self._secrets.get(name)
        if secret is not None and secret.arn:
            return arn not in (secret.arn, secret.arn.rpartition("-")[0])
        return arn.split(":")[3:5] != [self._rules.region, self._rules.account]

    def _version(self, variable: str, name: str, version: str) -> Iterator[Difference]:
        if not version:
            problem = f"binds {variable} to {name} without a version: a value changed after its proof would reach tasks"
            yield self._finding(Kind.BINDING_UNPINNED, variable, problem)
            return
        secret = self._secrets.get(name)
        if secret is not None and secret.current_version and secret.current_version != version:
            problem = f"binds {variable} to a version of {name} that is no longer the current one"
            remedy = STALE.format(name=name, bound=version, current=secret.current_version)
            yield self._finding(Kind.SECRET_STALE, variable, problem, remedy=remedy)

    def missing(self) -> Iterator[Difference]:
        if self._rules.phase is Phase.PROVISION:
            return
        there = {
            bound.variable
            for bound in self._task.bound
            if bound.container == self._task.container and bound.field == VARIABLES
        }
        for variable, name in self._wanted.items():
            if variable not in there:
                yield self._finding(Kind.BINDING_MISSING, variable, f"does not bind {variable} to {name}")

    def plain(self) -> Iterator[Difference]:
        governed = set(self._wanted) | set(self._successor)
        for variable in self._task.plain:
            if variable in governed or variable in self._task.plain_connections:
                problem = f"sets {variable} in plain environment instead of binding a secret"
                yield self._finding(Kind.BINDING_PLAIN, variable, problem, permits=_IN_PLAIN_VIEW)
        for place in self._task.plain_texts:
            problem = f"holds a connection string in {place}"
            yield self._finding(Kind.BINDING_PLAIN, place, problem, permits=_IN_PLAIN_VIEW)

    def _finding(
        self, kind: Kind, variable: str, problem: str, permits: str = "", remedy: str = ""
    ) -> Difference:
        running = "" if self._task.running else " (registered, not deployed)"
        if kind in (Kind.BINDING_UNDECLARED, Kind.BINDING_PLAIN):
            remedy = TAKE_OUT
        return Difference(
            kind,
            f"{self._rules.where}, {self._task.consumer.value}",
            variable,
            f"{self._task.revision}{running} {problem}",
            remedy or "Deploy the declared bindings: `pulumi up`; and see who registered the revision",
            permits=permits,
            detail=problem,
            heals=self._task.running and not remedy,
            since=self._task.registered_at,
            by=self._task.registered_by,
        )


def reference(value_from: str) -> tuple[str, str]:
    """Return the secret's name and the pinned version of an ECS reference; what is no secret's ARN is its own name.

    The form is `arn:aws:secretsmanager:region:account:secret:name-XXXXXX:json-key:version-stage:version-id` (ECS).
    """
    parts = value_from.split(":")
    if len(parts) < 7 or parts[2] != "secretsmanager":
        return value_from, ""
    name, dash, suffix = parts[6].rpartition("-")
    version = parts[9] if len(parts) > 9 else ""
    return (name if dash and len(suffix) == 6 else parts[6]), version
