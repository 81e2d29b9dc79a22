"""The secret versions of a stack's own account that hold its users' connection strings: which ones tasks hold now.

Metadata only: no value is read here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from atlas_access.base import Endpoints, SecretReference, Settings, secret_references
from atlas_access.clients import (
    AwsUnavailable,
    CurrentSecret,
    SignIn,
    current_secret,
    latest_revision,
    running_revision,
    wrong_account,
)
from atlas_access.manifest import Consumer, Manifest
from atlas_access.proof.proof_task import ProofTask
from atlas_access.proof.request import ProofRequest

_NOT_THERE = frozenset({"ClientException", "ServiceNotFoundException", "no such active service"})
"""ECS's answers where a family or a service is not there: then it holds nothing, and nothing is unknown."""


@dataclass(frozen=True)
class Candidate:
    """One secret version to prove, and why it cannot be, "" when it can.

    `absent`: it cannot be because the secret is known not to be there. `variables` receive it, in tasks of `consumer`.
    `held` says that the running revision pins it; else it is the current version; `unasked` is what nobody could say of
    it: what running tasks pin, its hosts. `place` is where its proof's task runs, None to prove from here.
    """

    request: ProofRequest
    secret: str
    variables: tuple[str, ...]
    held: bool = False
    missing: str = ""
    absent: bool = False
    consumer: Consumer = Consumer.SERVICE
    place: ProofTask | None = None
    unasked: tuple[str, ...] = ()

    @property
    def user(self) -> str:
        """Whose credential it is."""
        return self.request.expectations.user

    @property
    def unknown(self) -> tuple[str, ...]:
        """What no service could say of it, the version to prove included."""
        return (*self.unasked, *([self.missing] if self.missing and not self.absent else []))


@dataclass(frozen=True)
class Stack:
    """Where a stack is: its name, manifest, settings, and how to ask Atlas (None: its addresses stay unknown).

    `here` proves from here even where a task is configured.
    """

    name: str
    manifest: Manifest
    settings: Settings
    endpoints: Endpoints
    sign_in: SignIn | None = None
    here: bool = False


def secrets_of(stack: Stack) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """The secret of each user of the stack's own cluster, managed or legacy, that this stack's account holds."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for binding in stack.manifest.credentials_for(stack.name):
        if binding.cluster == stack.name:
            _, variables = found.get(binding.user, ("", ()))
            found[binding.user] = binding.secret_name, tuple(filter(None, (*variables, binding.variable)))
    for legacy in stack.manifest.legacy_on(stack.name):
        for secret in legacy.secrets:
            if secret.environment == stack.name:
                found.setdefault(legacy.name, (secret.name, (secret.variable,)))
    return found


def settled(stack: Stack, each: Sequence[Candidate], *, whole: bool) -> Iterator[Candidate]:
    """Settle each candidate on the version that tasks hold; `whole`: and on the current one where it is another."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        where = pool.submit(_elsewhere, stack)
        observed = list(pool.map(lambda candidate: _current(stack, candidate), each))
        running, elsewhere = _running(stack), where.result()
    for candidate, current in zip(each, observed, strict=True):
        if elsewhere or isinstance(current, _Missing):
            why = current if isinstance(current, _Missing) else _Missing("")
            absent = why.absent and not elsewhere
            yield replace(candidate, missing=candidate.missing or elsewhere or why.why, absent=absent)
            continue
        held = [
            pin
            for each in candidate.variables
            if (pin := running.pinned.get(each)) and pin.arn == current.arn
        ]
        versions = dict.fromkeys(pin.version or current.version_id for pin in held)
        if whole or not versions:
            versions[current.version_id] = None
        for version in versions:
            request = replace(candidate.request, secret_arn=current.arn, secret_version=version)
            is_held = any((pin.version or current.version_id) == version for pin in held)
            unasked = (*candidate.unasked, *running.unasked)
            place = _place(stack, running.roles.get(candidate.consumer, ""))
            yield replace(candidate, request=request, held=is_held, place=place, unasked=unasked)


def _elsewhere(stack: Stack) -> str:
    """Why nothing that is found or missing says anything of the stack: the credentials act in another account."""
    try:
        settings = stack.settings
        return wrong_account(stack.name, settings.aws_account_id, settings.aws_region, stack.endpoints)
    except AwsUnavailable:
        return ""  # then nothing else answers either, and says why


@dataclass(frozen=True)
class _Missing:
    """Why there is no version to prove; `absent`: because there is no such secret."""

    why: str
    absent: bool = False


def _current(stack: Stack, candidate: Candidate) -> CurrentSecret | _Missing:
    if candidate.missing:
        return _Missing(candidate.missing)
    try:
        return current_secret(candidate.secret, region=stack.settings.aws_region, endpoints=stack.endpoints)
    except AwsUnavailable as error:
        if error.code == "ResourceNotFoundException":
            why = f"there is no secret {candidate.secret} yet: deploy {stack.name} first ({error.code})"
            return _Missing(why, absent=True)
        return _Missing(f"Secrets Manager: {error}")


@dataclass(frozen=True)
class _Running:
    """What the revisions that run hold: variable to secret reference, and execution roles.

    `unasked` says why one of them could not be read; a family or service that is not there holds nothing.
    """

    pinned: Mapping[str, SecretReference]
    roles: Mapping[Consumer, str]
    unasked: tuple[str, ...] = ()


def _running(stack: Stack) -> _Running:
    settings = stack.settings
    pinned: dict[str, SecretReference] = {}
    roles: dict[Consumer, str] = {}
    unasked: list[str] = []
    where: dict[str, Any] = {"region": settings.aws_region, "endpoints": stack.endpoints}
    readers = {
        Consumer.SERVICE: partial(running_revision, settings.ecs_cluster, settings.ecs_service, **where)
    }
    if settings.schema_family:
        schema = partial(latest_revision, settings.schema_family, **where)
        readers = {Consumer.SCHEMA_TASK: schema, **readers}
    for consumer, read in readers.items():
        try:
            definition = read().definition
        except AwsUnavailable as error:
            if error.code not in _NOT_THERE:
                unasked.append(f"what running tasks hold (ECS: {error})")
            continue
        roles[consumer] = str(definition.get("executionRoleArn", ""))
        for variable, source in secret_references(definition).items():
            if (reference := SecretReference.parse(source)) is not None:
                pinned[variable] = reference
    return _Running(pinned, roles, tuple(unasked))


def _place(stack: Stack, role: str) -> ProofTask | None:
    """Where a proof's task runs; None where no family is configured, or nobody knows the execution role."""
    settings = stack.settings
    if not settings.proof_task_family or not role or stack.here:
        return None
    return ProofTask(
        cluster=settings.ecs_cluster,
        service=settings.ecs_service,
        family=settings.proof_task_family,
        execution_role=role,
        subnets=settings.proof_task_subnets,
        security_groups=settings.proof_task_security_groups,
    )
