"""Compares the secrets of an account with the manifest: keys, recovery and policies.

atlas_access/drift/compare_tasks.py judges what tasks bind. Pure; no secret's value is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atlas_access.base import Phase
from atlas_access.clients import USABLE, ObservedKey
from atlas_access.drift.finding import Difference, Kind
from atlas_access.drift.model import ObservedSecret
from atlas_access.manifest import Manifest, User

UP = "Run `pulumi up --refresh`"
_RESTORE = "Restore it now: aws secretsmanager restore-secret --secret-id {}"


@dataclass(frozen=True)
class InventoryRules:
    """What one environment's account is held to.

    `retired` says that legacy secrets and variables should be gone; `key_arn` is "" when the key could not be read.
    """

    manifest: Manifest
    environment: str
    account: str
    region: str
    key_arn: str
    key_alias: str
    phase: Phase
    retired: bool
    now: datetime

    @property
    def wanted_secrets(self) -> tuple[str, ...]:
        """The secrets that the manifest declares in this account."""
        bindings = self.manifest.credentials_for(self.environment)
        return tuple(dict.fromkeys(binding.secret_name for binding in bindings))

    @property
    def greatest_ages(self) -> Mapping[str, User]:
        """The secrets of this stack's own users whose password may only get so old, by name."""
        own = (
            each
            for each in self.manifest.credentials_for(self.environment)
            if each.cluster == self.environment
        )
        users = {each.secret_name: self.manifest.user(each.user) for each in own}
        return {name: user for name, user in users.items() if user.most_days}

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

    def found(self, kind: Kind, subject: str, what: str, remedy: str, **facts: Any) -> Difference:
        """A difference of this account."""
        return Difference(kind, self.where, subject, what, remedy, **facts)


def compare_secrets(rules: InventoryRules, secrets: Iterable[ObservedSecret]) -> Iterator[Difference]:
    """Yield what is wrong with the secrets of an account; one that was not inspected is not judged."""
    legacy = set(rules.legacy_secrets)
    for secret in secrets:
        if secret.name in legacy:
            yield from _legacy(rules, secret)
        else:
            yield from _wanted(rules, secret)


def _wanted(rules: InventoryRules, secret: ObservedSecret) -> Iterator[Difference]:
    name = secret.name
    if not secret.exists:
        what, remedy = f"the secret {name} does not exist", f"{UP}: it makes the secret again"
        yield rules.found(Kind.SECRET_MISSING, name, what, remedy, heals=True)
        return
    if secret.deleted_at is not None:
        what = (
            f"the secret {name} was deleted and waits in its recovery window: no task that starts can read it"
        )
        yield rules.found(Kind.SECRET_RECOVERY, name, what, _RESTORE.format(name), since=secret.deleted_at)
        return
    if not secret.current_version:
        what = f"no version of the secret {name} is the current one"
        yield rules.found(
            Kind.SECRET_STALE, name, what, "Move the stage AWSCURRENT to the version that was proven"
        )
    yield from _age(rules, secret)
    yield from _key(rules, secret)
    yield from _policy(rules, secret)
    yield from _copies(rules, secret)


def compare_key(rules: InventoryRules, key: ObservedKey) -> Iterator[Difference]:
    """Yield a key that does not decrypt: every secret under it is there, and none can be read."""
    if key.state != USABLE:
        what = f"the key {rules.key_alias} is {key.state}: no task that starts can read a secret under it"
        remedy = f"Put it back now: aws kms cancel-key-deletion and aws kms enable-key, --key-id {key.arn}"
        yield rules.found(Kind.KEY_UNUSABLE, rules.key_alias, what, remedy, detail=key.state)


def _copies(rules: InventoryRules, secret: ObservedSecret) -> Iterator[Difference]:
    """Who else writes values, and where else they can be read: neither is declared of any secret."""
    name = secret.name
    if secret.rotates:
        what = f"the secret {name} is rotated by {secret.rotates}; no rotation is declared"
        remedy = (
            f"End it: aws secretsmanager cancel-rotate-secret --secret-id {name}; then atlas-access prove"
        )
        permits = f"let {secret.rotates} read and replace the value"
        yield rules.found(Kind.SECRET_ROTATION, name, what, remedy, permits=permits, detail=secret.rotates)
    if secret.replicas:
        regions = ", ".join(sorted(secret.replicas))
        what = f"the secret {name} is copied to {regions}; no copy is declared"
        remedy = f"Remove it: aws secretsmanager remove-regions-from-replication --secret-id {name}"
        permits = f"read the value in {regions}, under a key of that region"
        yield rules.found(Kind.SECRET_REPLICA, name, what, remedy, permits=permits, detail=regions)


def _age(rules: InventoryRules, secret: ObservedSecret) -> Iterator[Difference]:
    user = rules.greatest_ages.get(secret.name)
    days = (rules.now - secret.made_at).days if secret.made_at else 0
    if user is not None and days > user.most_days:
        what = f"the password of {user.name} is {days} days old, and access.yaml allows {user.most_days}"
        remedy = f"atlas-access rotate {rules.environment} {user.name} writes the change to review"
        yield rules.found(Kind.ROTATION_DUE, secret.name, what, remedy, detail=user.name)


def _key(rules: InventoryRules, secret: ObservedSecret) -> Iterator[Difference]:
    if not rules.key_arn:
        return
    names = {rules.key_arn, rules.key_arn.rpartition("/")[2], rules.key_alias}
    names.add(f"{rules.key_arn.rpartition(':')[0]}:{rules.key_alias}")
    if secret.key not in names:
        other = f"the key {secret.key}" if secret.key else "the account's default key"
        what = f"the secret {secret.name} is encrypted under {other}, not under {rules.key_alias}"
        remedy = f"{UP}: it sets the key; the next version is encrypted under it"
        permits = "read the value with that key's grants instead of ours"
        yield rules.found(
            Kind.SECRET_KEY, secret.name, what, remedy, permits=permits, detail=secret.key, heals=True
        )


def _policy(rules: InventoryRules, secret: ObservedSecret) -> Iterator[Difference]:
    if secret.policy:
        what = f"the secret {secret.name} has a resource policy; none is declared"
        remedy = f"Remove it: aws secretsmanager delete-resource-policy --secret-id {secret.name}"
        yield rules.found(
            Kind.SECRET_POLICY, secret.name, what, remedy, permits=secret.policy, detail=secret.policy
        )


def _legacy(rules: InventoryRules, secret: ObservedSecret) -> Iterator[Difference]:
    usable = secret.exists and secret.deleted_at is None
    if rules.retired and usable:
        what = f"the legacy secret {secret.name} is still readable after its retirement"
        remedy = "Run the retirement, or delete the secret with a recovery window of 30 days"
        yield rules.found(Kind.LEGACY_PRESENT, secret.name, what, remedy, detail="secret")
    elif not rules.retired and not usable:
        kind, gone = Kind.SECRET_RECOVERY, "was deleted and waits in its recovery window"
        if not secret.exists:
            kind, gone = Kind.SECRET_MISSING, "does not exist"
        what = (
            f"the legacy secret {secret.name} {gone} before its retirement: "
            "a revision bound to it cannot start, nor be rolled back to"
        )
        yield rules.found(kind, secret.name, what, _RESTORE.format(secret.name), since=secret.deleted_at)
    if usable:
        yield from _policy(rules, secret)
