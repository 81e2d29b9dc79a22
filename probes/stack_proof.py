"""Proves every credential of a stack from the secret versions that its tasks hold: what is to be proven, and doing it.

For: `atlas-access prove STACK`. The versions come from the revision that the service runs and from Secrets Manager, the
addresses from Atlas where it answers. It must never change anything, or take a secret that is not there for a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from access.addresses import AddressForm, AddressMissing, ClusterAddresses
from access.connection import ConnectionInvalid, ConnectionString
from access.endpoints import Endpoints
from access.evidence import Proof, Subject
from access.expectations import Expectations, Place, expectations
from access.manifest_model import Address, Consumer, Manifest
from access.runbook import Probe, ProbeSet
from access.settings import Settings
from access.spot import Named, spot_expectations
from access.task_definition import secret_references
from probes.atlas_sign_in import SignIn
from probes.aws import AwsUnavailable, latest_revision, running_revision
from probes.cluster_state import cluster_addresses
from probes.lookups import CurrentSecret, current_secret
from probes.prove import MAX_CONCURRENT, prove, unproven
from probes.request import ProofRequest

Told = Callable[["Candidate", str], None]
Ended = Callable[["Candidate", Proof], None]


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


def candidates(stack: Stack, user: str | None = None) -> tuple[Candidate, ...]:
    """Everything that the stack's service and schema task receive, or one user's part of it; asks AWS and Atlas."""
    addresses = _addresses(stack)
    bindings = [
        each
        for consumer in (Consumer.SERVICE, Consumer.SCHEMA_TASK)
        for each in stack.manifest.bindings_for(stack.name, consumer)
        if user in (None, each.user)
    ]
    by_secret: dict[str, Candidate] = {}
    for binding in bindings:
        known = by_secret.get(binding.secret_name)
        if known is not None:
            more = replace(known, variables=(*known.variables, binding.variable))
            by_secret[binding.secret_name] = more
            continue
        own = binding.cluster == stack.name
        request = ProofRequest(
            expectations=expectations(stack.manifest, binding.user, binding.cluster),
            environment=stack.name,
            secret_arn=binding.secret_name,
            secret_version="",
            region=stack.settings.aws_region,
            address=binding.address.value,
            expected_hosts=_hosts(addresses, binding.address, stack) if own else (),
            deadline_seconds=float(stack.settings.proof_deadline_seconds),
            propagation_seconds=0.0,
            public_address=_base(addresses, stack) if own else "",
        )
        by_secret[binding.secret_name] = Candidate(request, binding.secret_name, (binding.variable,))
    return tuple(_versions(stack, tuple(by_secret.values()), whole=True))


def runbook_candidates(stack: Stack, probes: ProbeSet) -> tuple[Candidate, ...]:
    """The users of a set of probes on the stack's own cluster, each with its probes alone."""
    secrets = _secrets_of(stack)
    addresses = _addresses(stack)
    found = []
    for user in probes.users:
        name, variables = secrets.get(user, ("", ()))
        request = ProofRequest(
            expectations=_spot(stack, user, probes.of(user)),
            environment=stack.name,
            secret_arn=name,
            secret_version="",
            region=stack.settings.aws_region,
            expected_hosts=_hosts(addresses, Address.PUBLIC, stack),
            deadline_seconds=float(stack.settings.proof_deadline_seconds),
            propagation_seconds=0.0,
            equality=False,
        )
        missing = "" if name else f"access.yaml names no secret of {user} that {stack.name}'s account holds"
        found.append(Candidate(request, name, variables, missing=missing))
    return tuple(_versions(stack, tuple(found), whole=False))


def prove_candidates(
    each: Sequence[Candidate], endpoints: Endpoints, told: Told, ended: Ended
) -> tuple[Proof, ...]:
    """Prove all at once, one connection each, telling progress and each end as it comes."""

    def one(candidate: Candidate) -> Proof:
        if candidate.missing:
            proof = unproven(candidate.request, Subject.SECRET, candidate.missing)
        else:
            proof = prove(candidate.request, endpoints, progress=lambda line: told(candidate, line))
        ended(candidate, proof)
        return proof

    with ThreadPoolExecutor(max_workers=max(1, min(len(each), MAX_CONCURRENT))) as pool:
        return tuple(pool.map(one, each))


def _spot(stack: Stack, user: str, probes: Sequence[Probe]) -> Expectations:
    manifest = stack.manifest
    absent = [
        Place(each.database, each.name) for each in manifest.collections_on(stack.name) if each.may_be_absent
    ]
    named = [
        Named(
            probe.action,
            Place(manifest.database_of(probe.collection), probe.collection),
            probe.outcome,
            first=True,
        )
        for probe in probes
    ]
    expected = spot_expectations(user, stack.name, named, absent)
    return replace(expected, database=manifest.database)


def _secrets_of(stack: Stack) -> Mapping[str, tuple[str, tuple[str, ...]]]:
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


def _versions(stack: Stack, each: Sequence[Candidate], *, whole: bool) -> Iterator[Candidate]:
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


def _addresses(stack: Stack) -> ClusterAddresses | None:
    if stack.sign_in is None:
        return None
    settings = stack.settings
    return cluster_addresses(
        settings.atlas_project_id, settings.atlas_cluster, stack.sign_in, stack.endpoints
    )


def _hosts(addresses: ClusterAddresses | None, address: Address, stack: Stack) -> tuple[str, ...]:
    if addresses is None:
        return ()
    try:
        return ConnectionString.parse(addresses.base(address, _form(stack))).hosts
    except (AddressMissing, ConnectionInvalid):
        return ()


def _base(addresses: ClusterAddresses | None, stack: Stack) -> str:
    try:
        return addresses.base(Address.PUBLIC, _form(stack)) if addresses is not None else ""
    except AddressMissing:
        return ""


def _form(stack: Stack) -> AddressForm:
    return AddressForm(stack.endpoints.address_form or stack.settings.address_form)
