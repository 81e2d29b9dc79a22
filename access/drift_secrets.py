"""Compares secrets and live task definitions with the manifest: keys, recovery, policies, and bindings.

For: findings about the AWS side of one environment. Pure. It must never see a secret's value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from access.drift_finding import Finding, Kind
from access.drift_seen import BoundVariable, SeenSecret, SeenTask
from access.manifest_model import Consumer, Manifest
from access.settings import Phase

UP = "Run `pulumi up --refresh`"


@dataclass(frozen=True)
class EstateRules:
    """What one environment's account is held to.

    `retired` says that legacy secrets and variables should be gone; `key_arn` is "" when the key could not be read.
    """

    manifest: Manifest
    environment: str
    account: str
    key_arn: str
    key_alias: str
    phase: Phase
    retired: bool

    @property
    def wanted_secrets(self) -> tuple[str, ...]:
        """The secrets that the manifest declares in this account."""
        bindings = self.manifest.bindings_for(self.environment)
        return tuple(dict.fromkeys(binding.secret_name for binding in bindings))

    @property
    def legacy_secrets(self) -> tuple[str, ...]:
        """The legacy secrets of this account that the manifest does not adopt."""
        adopted = set(self.wanted_secrets)
        return tuple(
            dict.fromkeys(
                secret.name
                for user in self.manifest.legacy
                for secret in user.secrets
                if secret.environment == self.environment and secret.name not in adopted
            )
        )

    @property
    def where(self) -> str:
        """Where findings are, in words."""
        return f"AWS {self.account}"


def compare_secrets(rules: EstateRules, secrets: Iterable[SeenSecret]) -> Iterator[Finding]:
    """Yield what is wrong with the secrets of an account; one that was not looked at is not judged."""
    legacy = set(rules.legacy_secrets)
    for secret in secrets:
        if secret.name in legacy:
            yield from _legacy(rules, secret)
        else:
            yield from _wanted(rules, secret)


def _wanted(rules: EstateRules, secret: SeenSecret) -> Iterator[Finding]:
    if not secret.exists:
        told, mend = f"the secret {secret.name} does not exist", f"{UP}: it makes the secret again"
        yield Finding(Kind.SECRET_MISSING, rules.where, secret.name, told, mend, heals=True)
        return
    if secret.deleted_at is not None:
        yield Finding(
            Kind.SECRET_RECOVERY,
            rules.where,
            secret.name,
            f"the secret {secret.name} was deleted and waits in its recovery window: no task that starts can read it",
            f"Restore it now: aws secretsmanager restore-secret --secret-id {secret.name}",
            since=secret.deleted_at,
        )
        return
    if not secret.current_version:
        yield Finding(
            Kind.SECRET_STALE,
            rules.where,
            secret.name,
            f"no version of the secret {secret.name} is the current one",
            "Move the stage AWSCURRENT to the version that was proven",
        )
    yield from _key(rules, secret)
    yield from _policy(rules, secret)


def _key(rules: EstateRules, secret: SeenSecret) -> Iterator[Finding]:
    if not rules.key_arn:
        return
    names = {rules.key_arn, rules.key_arn.rpartition("/")[2], rules.key_alias}
    names.add(f"{rules.key_arn.rpartition(':')[0]}:{rules.key_alias}")
    if secret.key not in names:
        other = f"the key {secret.key}" if secret.key else "the account's default key"
        yield Finding(
            Kind.SECRET_KEY,
            rules.where,
            secret.name,
            f"the secret {secret.name} is encrypted under {other}, not under {rules.key_alias}",
            f"{UP}: it sets the key; the next version is encrypted under it",
            permits="read the value with that key's grants instead of ours",
            detail=secret.key,
            heals=True,
        )


def _policy(rules: EstateRules, secret: SeenSecret) -> Iterator[Finding]:
    if secret.policy:
        yield Finding(
            Kind.SECRET_POLICY,
            rules.where,
            secret.name,
            f"the secret {secret.name} has a resource policy; none is declared",
            f"Remove it: aws secretsmanager delete-resource-policy --secret-id {secret.name}",
            permits=secret.policy,
            detail=secret.policy,
        )


def _legacy(rules: EstateRules, secret: SeenSecret) -> Iterator[Finding]:
    usable = secret.exists and secret.deleted_at is None
    if rules.retired and usable:
        yield Finding(
            Kind.LEGACY_PRESENT,
            rules.where,
            secret.name,
            f"the legacy secret {secret.name} is still readable after its retirement",
            "Run the retirement, or delete the secret with a recovery window of 30 days",
            detail="secret",
        )
    elif not rules.retired and not usable:
        gone = "does not exist" if not secret.exists else "was deleted and waits in its recovery window"
        yield Finding(
            Kind.SECRET_MISSING if not secret.exists else Kind.SECRET_RECOVERY,
            rules.where,
            secret.name,
            f"the legacy secret {secret.name} {gone} before its retirement: "
            "a revision bound to it cannot start, nor be rolled back to",
            f"Restore it now: aws secretsmanager restore-secret --secret-id {secret.name}",
            since=secret.deleted_at,
        )
    if usable:
        yield from _policy(rules, secret)


def compare_task(rules: EstateRules, task: SeenTask, secrets: Mapping[str, SeenSecret]) -> Iterator[Finding]:
    """Yield what is wrong with a live revision's bindings; `secrets` holds what was read of each, by name."""
    judge = _Bindings(rules, task, secrets)
    for bound in task.bound:
        yield from judge.of(bound)
    if task.running or task.consumer is Consumer.SCHEMA_TASK:
        yield from judge.missing()
    yield from judge.plain()


class _Bindings:
    """Judges one revision, variable by variable."""

    def __init__(self, rules: EstateRules, task: SeenTask, secrets: Mapping[str, SeenSecret]) -> None:
        self._rules, self._task, self._secrets = rules, task, secrets
        self._wanted = {
            binding.variable: binding.secret_name
            for binding in rules.manifest.bindings_for(rules.environment, task.consumer)
        }
        self._successor = {each.name: each.successor for each in rules.manifest.deprecated_variables}
        self._legacy: dict[str, set[str]] = {}
        for user in rules.manifest.legacy:
            for secret in user.secrets:
                if secret.environment == rules.environment:
                    self._legacy.setdefault(secret.variable, set()).add(secret.name)

    def of(self, bound: BoundVariable) -> Iterator[Finding]:
        variable, (name, version) = bound.variable, reference(bound.value_from)
        ours = name.startswith(f"{self._rules.environment}/mongodb/") or name in self._secrets
        if not (
            variable in self._wanted or variable in self._successor or variable.startswith("MONGODB_") or ours
        ):
            return
        wanted = self._wanted.get(variable) or self._wanted.get(self._successor.get(variable, ""))
        moved = self._rules.phase is not Phase.PROVISION
        legacy = name in self._legacy.get(variable, ())
        if wanted is None:
            told = f"binds {variable} to {name}, which access.yaml does not declare for {self._task.consumer.value}"
            yield self._finding(Kind.BINDING_UNDECLARED, variable, told, permits=f"use what {name} holds")
        elif legacy and moved:
            told = f"binds {variable} to the legacy secret {name} again, not to {wanted}"
            yield self._finding(Kind.BINDING_LEGACY, variable, told, permits="keep using a legacy user")
        elif variable in self._successor and self._rules.retired:
            told = f"still binds the deprecated variable {variable}"
            yield self._finding(Kind.BINDING_LEGACY, variable, told)
        elif name != wanted and not legacy:
            told = f"binds {variable} to {name}, not to {wanted}"
            yield self._finding(Kind.BINDING_WRONG, variable, told, permits=f"use what {name} holds")
        elif name == wanted and moved:
            yield from self._version(variable, name, version)

    def _version(self, variable: str, name: str, version: str) -> Iterator[Finding]:
        if not version:
            told = f"binds {variable} to {name} without a version: a value changed after its proof would reach tasks"
            yield self._finding(Kind.BINDING_UNPINNED, variable, told)
            return
        secret = self._secrets.get(name)
        if secret is not None and secret.current_version and secret.current_version != version:
            told = f"binds {variable} to a version of {name} that is no longer the current one"
            yield self._finding(Kind.SECRET_STALE, variable, told)

    def missing(self) -> Iterator[Finding]:
        if self._rules.phase is Phase.PROVISION:
            return
        there = {bound.variable for bound in self._task.bound}
        for variable, name in self._wanted.items():
            if variable not in there:
                yield self._finding(Kind.BINDING_MISSING, variable, f"does not bind {variable} to {name}")

    def plain(self) -> Iterator[Finding]:
        governed = set(self._wanted) | set(self._successor)
        for variable in self._task.plain:
            if variable in governed or variable in self._task.plain_connections:
                told = f"sets {variable} in plain environment instead of binding a secret"
                yield self._finding(
                    Kind.BINDING_PLAIN,
                    variable,
                    told,
                    permits="read it for everyone who may describe the task",
                )

    def _finding(self, kind: Kind, variable: str, told: str, permits: str = "") -> Finding:
        running = "" if self._task.running else " (registered, not deployed)"
        deploys = "Deploy the declared bindings: `pulumi up`; and see who registered the revision"
        return Finding(
            kind,
            f"{self._rules.where}, {self._task.consumer.value}",
            variable,
            f"{self._task.revision}{running} {told}",
            deploys,
            permits=permits,
            detail=told,
            heals=self._task.running,
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
