"""Compares the secrets of an account with the manifest: keys, recovery and policies.

atlas_access/drift/compare_tasks.py judges what tasks bind. Pure; no secret's value is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from atlas_access.base import Phase
from atlas_access.clients import USABLE, SeenKey
from atlas_access.drift.finding import Difference, Kind
from atlas_access.drift.model import SeenSecret
from atlas_access.manifest import Manifest

UP = "Run `pulumi up --refresh`"


@dataclass(frozen=True)
class EstateRules:
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

    @property
    def wanted_secrets(self) -> tuple[str, ...]:
        """The secrets that the manifest declares in this account."""
        bindings = self.manifest.credentials_for(self.environment)
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


def compare_secrets(rules: EstateRules, secrets: Iterable[SeenSecret]) -> Iterator[Difference]:
    """Yield what is wrong with the secrets of an account; one that was not looked at is not judged."""
    legacy = set(rules.legacy_secrets)
    for secret in secrets:
        if secret.name in legacy:
            yield from _legacy(rules, secret)
        else:
            yield from _wanted(rules, secret)


def _wanted(rules: EstateRules, secret: SeenSecret) -> Iterator[Difference]:
    if not secret.exists:
        problem, remedy = f"the secret {secret.name} does not exist", f"{UP}: it makes the secret again"
        yield Difference(Kind.SECRET_MISSING, rules.where, secret.name, problem, remedy, heals=True)
        return
    if secret.deleted_at is not None:
        yield Difference(
            Kind.SECRET_RECOVERY,
            rules.where,
            secret.name,
            f"the secret {secret.name} was deleted and waits in its recovery window: no task that starts can read it",
            f"Restore it now: aws secretsmanager restore-secret --secret-id {secret.name}",
            since=secret.deleted_at,
        )
        return
    if not secret.current_version:
        yield Difference(
            Kind.SECRET_STALE,
            rules.where,
            secret.name,
            f"no version of the secret {secret.name} is the current one",
            "Move the stage AWSCURRENT to the version that was proven",
        )
    yield from _key(rules, secret)
    yield from _policy(rules, secret)
    yield from _copies(rules, secret)


def compare_key(rules: EstateRules, key: SeenKey) -> Iterator[Difference]:
    """Yield a key that does not decrypt: every secret under it is there, and none can be read."""
    if key.state != USABLE:
        yield Difference(
            Kind.KEY_UNUSABLE,
            rules.where,
            rules.key_alias,
            f"the key {rules.key_alias} is {key.state}: no task that starts can read a secret under it",
            f"Put it back now: aws kms cancel-key-deletion and aws kms enable-key, --key-id {key.arn}",
            detail=key.state,
        )


def _copies(rules: EstateRules, secret: SeenSecret) -> Iterator[Difference]:
    """Who else writes values, and where else they can be read: neither is declared of any secret."""
    if secret.rotates:
        yield Difference(
            Kind.SECRET_ROTATION,
            rules.where,
            secret.name,
            f"the secret {secret.name} is rotated by {secret.rotates}; no rotation is declared",
            f"End it: aws secretsmanager cancel-rotate-secret --secret-id {secret.name}; then atlas-access prove",
            permits=f"let {secret.rotates} read and replace the value",
            detail=secret.rotates,
        )
    if secret.replicas:
        regions = ", ".join(sorted(secret.replicas))
        yield Difference(
            Kind.SECRET_REPLICA,
            rules.where,
            secret.name,
            f"the secret {secret.name} is copied to {regions}; no copy is declared",
            f"Remove it: aws secretsmanager remove-regions-from-replication --secret-id {secret.name}",
            permits=f"read the value in {regions}, under a key of that region",
            detail=regions,
        )


def _key(rules: EstateRules, secret: SeenSecret) -> Iterator[Difference]:
    if not rules.key_arn:
        return
    names = {rules.key_arn, rules.key_arn.rpartition("/")[2], rules.key_alias}
    names.add(f"{rules.key_arn.rpartition(':')[0]}:{rules.key_alias}")
    if secret.key not in names:
        other = f"the key {secret.key}" if secret.key else "the account's default key"
        yield Difference(
            Kind.SECRET_KEY,
            rules.where,
            secret.name,
            f"the secret {secret.name} is encrypted under {other}, not under {rules.key_alias}",
            f"{UP}: it sets the key; the next version is encrypted under it",
            permits="read the value with that key's grants instead of ours",
            detail=secret.key,
            heals=True,
        )


def _policy(rules: EstateRules, secret: SeenSecret) -> Iterator[Difference]:
    if secret.policy:
        yield Difference(
            Kind.SECRET_POLICY,
            rules.where,
            secret.name,
            f"the secret {secret.name} has a resource policy; none is declared",
            f"Remove it: aws secretsmanager delete-resource-policy --secret-id {secret.name}",
            permits=secret.policy,
            detail=secret.policy,
        )


def _legacy(rules: EstateRules, secret: SeenSecret) -> Iterator[Difference]:
    usable = secret.exists and secret.deleted_at is None
    if rules.retired and usable:
        yield Difference(
            Kind.LEGACY_PRESENT,
            rules.where,
            secret.name,
            f"the legacy secret {secret.name} is still readable after its retirement",
            "Run the retirement, or delete the secret with a recovery window of 30 days",
            detail="secret",
        )
    elif not rules.retired and not usable:
        gone = "does not exist" if not secret.exists else "was deleted and waits in its recovery window"
        yield Difference(
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
