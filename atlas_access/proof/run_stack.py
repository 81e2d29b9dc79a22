"""Proves every credential of a stack from the secret versions that its tasks hold: what is to be proven, and doing it.

The versions come from the revision that the service runs and from Secrets Manager, the addresses from Atlas where it
answers. A secret that is not there is inconclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from atlas_access.base import (
    Address,
    AddressForm,
    AddressMissing,
    ClusterAddresses,
    ConnectionInvalid,
    ConnectionString,
    Endpoints,
    both_logins,
)
from atlas_access.clients import AtlasUnread, cluster_addresses
from atlas_access.proof.evidence import Proof, Subject
from atlas_access.proof.expectations import Expectations, Place, expectations
from atlas_access.proof.request import ProofRequest
from atlas_access.proof.run import MAX_CONCURRENT, unproven
from atlas_access.proof.run_spot import leave_row
from atlas_access.proof.runbook import Probe, ProbeSet
from atlas_access.proof.runners import Made, make
from atlas_access.proof.spot import Named, spot_expectations
from atlas_access.proof.stack_secrets import Candidate, Stack, secrets_of, settled
from atlas_access.proof.verdict import Verdict

__all__ = ["Candidate", "Stack", "candidates", "prove_candidates", "runbook_candidates", "write_row"]

LineOf = Callable[[Candidate, str], None]
Ended = Callable[[Candidate, Proof], None]


def candidates(stack: Stack, user: str | None = None) -> tuple[Candidate, ...]:
    """Every credential that the stack keeps a secret of, or one user's part of it; asks AWS and Atlas."""
    addresses, unasked = _addresses(stack)
    by_secret: dict[str, Candidate] = {}
    for binding in stack.manifest.credentials_for(stack.name):
        if user not in (None, binding.user):
            continue
        known = by_secret.get(binding.secret_name)
        if known is not None:
            more = replace(known, variables=(*known.variables, binding.variable))
            by_secret[binding.secret_name] = more
            continue
        own = binding.cluster == stack.name
        request = _request(
            stack,
            expectations(
                stack.manifest,
                binding.user,
                binding.cluster,
                stack.settings.users.logins(binding.user) if own else both_logins(binding.user),
            ),
            binding.secret_name,
            address=binding.address.value,
            expected_hosts=_hosts(addresses, binding.address, stack) if own else (),
            audit_uuid=stack.settings.accepted_audit_uuid if own else "",
            public_address=_base(addresses, stack) if own else "",
        )
        by_secret[binding.secret_name] = Candidate(
            request,
            binding.secret_name,
            tuple(filter(None, [binding.variable])),
            consumer=binding.consumer,
            unasked=unasked,
        )
    return tuple(settled(stack, tuple(by_secret.values()), whole=True))


def runbook_candidates(stack: Stack, probes: ProbeSet) -> tuple[Candidate, ...]:
    """The users of a set of probes on the stack's own cluster, each with its probes alone."""
    secrets = secrets_of(stack)
    addresses, unasked = _addresses(stack)
    found = []
    for user in probes.users:
        name, variables = secrets.get(user, ("", ()))
        hosts = _hosts(addresses, Address.PUBLIC, stack)
        request = _request(
            stack, _spot(stack, user, probes.of(user)), name, expected_hosts=hosts, equality=False
        )
        missing = "" if name else f"access.yaml names no secret of {user} that {stack.name}'s account holds"
        found.append(Candidate(request, name, variables, missing=missing, unasked=unasked))
    return tuple(settled(stack, tuple(found), whole=False))


def prove_candidates(
    each: Sequence[Candidate], endpoints: Endpoints, line_of: LineOf, ended: Ended
) -> tuple[Proof, ...]:
    """Prove all at once, one connection each, telling progress and each end as it comes."""

    def one(candidate: Candidate) -> Proof:
        if candidate.missing:
            proof = unproven(candidate.request, Subject.SECRET, candidate.missing)
        else:
            made = Made(candidate.request, candidate.place)
            proof = make(made, endpoints, lambda line: line_of(candidate, line))
        ended(candidate, proof)
        return proof

    with ThreadPoolExecutor(max_workers=max(1, min(len(each), MAX_CONCURRENT))) as pool:
        return tuple(pool.map(one, each))


def write_row(stack: Stack, probes: ProbeSet, proofs: Sequence[Proof]) -> str:
    """Write one row `{_probe: true}` into the audit log, as the runbook did; one sentence that says what came of it.

    Only once everything is proven.
    """
    if not proofs or {each.verdict for each in proofs} != {Verdict.PROVEN}:
        return "No row was written: not everything is proven."
    manifest, writer = stack.manifest, probes.row_writer
    place = Place(manifest.audit.database, manifest.audit.collection)
    candidate = next((each for each in runbook_candidates(stack, probes) if each.user == writer), None)
    if candidate is None or candidate.missing:
        return f"No row was written: {writer}'s credential is not there."
    failure = leave_row(candidate.request, place, stack.endpoints)
    if failure:
        return f"No row was written to {place}: {failure}."
    return f"{writer} wrote one row {{_probe: true}} to {place}. It stays: nothing here removes it."


def _request(stack: Stack, expected: Expectations, secret: str, **more: Any) -> ProofRequest:
    """A request about a secret whose version is settled later; nothing was changed, so that nothing is waited for."""
    given = {
        "expectations": expected,
        "environment": stack.name,
        "secret_arn": secret,
        "region": stack.settings.aws_region,
        "deadline_seconds": float(stack.settings.proof_deadline_seconds),
        "propagation_seconds": 0.0,
    }
    return ProofRequest.of(given | more)


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


def _addresses(stack: Stack) -> tuple[ClusterAddresses | None, tuple[str, ...]]:
    """The cluster's addresses, None without credentials for Atlas; and what Atlas, asked for them, did not say."""
    if stack.sign_in is None:
        return None, ()
    settings = stack.settings
    try:
        found = cluster_addresses(
            settings.atlas_project_id, settings.atlas_cluster, stack.sign_in, stack.endpoints
        )
    except AtlasUnread as unread:
        return None, (f"whether the secrets name the cluster's hosts (Atlas: {unread})",)
    return found, ()


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
