"""The secret versions of a stack's own account that hold its users' connection strings: which ones tasks hold now.

For: proving a stack's credentials, and asking the servers what they can do. Metadata only: no value is ever read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from access.endpoints import Endpoints
from access.manifest_model import Manifest
from access.settings import Settings
from access.task_definition import secret_references
from probes.atlas_sign_in import SignIn
from probes.aws import AwsUnavailable, latest_revision, running_revision
from probes.lookups import CurrentSecret, current_secret
from probes.request import ProofRequest


@dataclass(frozen=True)
class Candidate:
    """One secret version to prove, and why it cannot be, "" when it can.

    `variables` receive it. `held` says that the running revision pins it; else it is the current version.
    """

    request: ProofRequest
    secret: str
    variables: tuple[str, ...]
    held: bool = False
    missing: str = ""

    @property
    def user(self) -> str:
        """Whose credential it is."""
        return self.request.expectations.user


@dataclass(frozen=True)
class Stack:
    """Where a stack is: its name, manifest, settings, and how to ask Atlas (None: its addresses stay unknown)."""

    name: str
    manifest: Manifest
    settings: Settings
    endpoints: Endpoints
    sign_in: SignIn | None = None


def secrets_of(stack: Stack) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """The secret of each user of the stack's own cluster, managed or legacy, that this stack's account holds."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for binding in stack.manifest.bindings_for(stack.name):
        if binding.cluster == stack.name:
            _, variables = found.get(binding.user, ("", ()))
            found[binding.user] = binding.secret_name, (*variables, binding.variable)
    for legacy in stack.manifest.legacy_on(stack.name):
        for secret in legacy.secrets:
            if secret.environment == stack.name:
                found.setdefault(legacy.name, (secret.name, (secret.variable,)))
    return found


def settled(stack: Stack, each: Sequence[Candidate], *, whole: bool) -> Iterator[Candidate]:
    """Settle each candidate on the version that tasks hold; `whole`: and on the current one where it is another."""
    pinned = _pinned(stack)
    with ThreadPoolExecutor(max_workers=8) as pool:
        looked = list(pool.map(lambda candidate: _current(stack, candidate), each))
    for candidate, current in zip(each, looked, strict=True):
        if isinstance(current, str):
            yield replace(candidate, missing=candidate.missing or current)
            continue
        held = [pinned[each] for each in candidate.variables if pinned.get(each, ("", ""))[0] == current.arn]
        versions = dict.fromkeys(version or current.version_id for _, version in held)
        if whole or not versions:
            versions[current.version_id] = None
        for version in versions:
            request = replace(candidate.request, secret_arn=current.arn, secret_version=version)
            is_held = any((pin or current.version_id) == version for _, pin in held)
            yield replace(candidate, request=request, held=is_held)


def _current(stack: Stack, candidate: Candidate) -> CurrentSecret | str:
    if candidate.missing:
        return candidate.missing
    try:
        return current_secret(candidate.secret, region=stack.settings.aws_region, endpoints=stack.endpoints)
    except AwsUnavailable as error:
        return str(error)


def _pinned(stack: Stack) -> dict[str, tuple[str, str]]:
    """Variable to the secret's ARN and pinned version ("" when none), as the running revisions hold them."""
    settings, held = stack.settings, dict[str, tuple[str, str]]()
    where: dict[str, Any] = {"region": settings.aws_region, "endpoints": stack.endpoints}
    looks = (
        partial(latest_revision, settings.schema_family, **where),
        partial(running_revision, settings.ecs_cluster, settings.ecs_service, **where),
    )
    for look in looks:
        try:
            definition = look().definition
        except AwsUnavailable:
            continue
        for variable, source in secret_references(definition).items():
            parts = source.split(":")
            held[variable] = (":".join(parts[:7]), parts[9] if len(parts) > 9 else "")
    return held
