"""Reads the proofs' outcomes and the rollout of a stack's last run from its state, which holds no secrets."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from atlas_access.base import redact
from atlas_access.proof import Proof as Evidence, Proven, Standing
from atlas_access.review import Proof, Swap
from atlas_access.rollout import ServiceState, short
from sandbox.engine.recorder import name_of

_PROOF = "pulumi-python:dynamic/probe:PrivilegeProof"

_ROLLOUT = "pulumi-python:dynamic/rollout:Rollout"
_PRIOR = "pulumi-python:dynamic/rollout:PriorRevision"


def resources(state: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The resources of a state in deployment format."""
    return tuple((state.get("deployment") or {}).get("resources") or ())


def proofs(state: Sequence[Mapping[str, Any]]) -> tuple[Proof, ...]:
    """Every proof that the state records, by user."""
    found = (_proof(name_of(each["urn"]), each["outputs"]) for each in _of_type(state, _PROOF))
    return tuple(sorted(found, key=lambda proof: (proof.environment, proof.cluster, proof.user, proof.name)))


def swap(state: Sequence[Mapping[str, Any]], now: ServiceState) -> Swap | None:
    """The move that the state records, and how many tasks run now; None when the stack has moved nothing."""
    prior = next((each["outputs"].get("revision_arn") for each in _of_type(state, _PRIOR)), None)
    moved = next((each["outputs"].get("running_revision") for each in _of_type(state, _ROLLOUT)), None)
    if not prior or not moved:
        return None
    running = sum(each.running for each in now.deployments if each.revision == now.revision)
    return Swap(before=short(str(prior)), after=short(str(moved)), running=running, desired=now.desired)


def running(now: ServiceState) -> str:
    """What the service runs, for a person: `askflorence-staging-app:7`."""
    return short(now.revision)


def _proof(name: str, outputs: Mapping[str, Any]) -> Proof:
    return Proof(
        name=name,
        user=str(outputs.get("user", "")),
        environment=str(outputs.get("environment", "")),
        cluster=str(outputs.get("cluster", "")),
        verdict=str(outputs.get("verdict", "inconclusive")),
        reason=redact(str(outputs.get("reason", ""))),
        attempts=int(outputs.get("attempts", 0)),
        inconclusive=int(outputs.get("inconclusive", 0)),
        residue=int(outputs.get("residue", 0)),
        proven_at=str(outputs.get("proven_at", "")),
        live=_live(str(outputs.get("evidence", ""))),
    )


def _live(text: str) -> Standing:
    """Whether the server's own list equals the declaration; not asked when no login succeeded."""
    try:
        return Proven(Evidence.from_json(text), "").live
    except ValueError:
        return Standing.UNASKED


def _of_type(state: Sequence[Mapping[str, Any]], kind: str) -> Iterator[Mapping[str, Any]]:
    return (each for each in state if each.get("type") == kind and each.get("outputs"))
