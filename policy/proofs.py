"""Proofs of credentials as resources, read without trust.

A proof names the secret and the version it tried; its type and inputs are the program's interface.
"""

from __future__ import annotations

from dataclasses import dataclass

from policy.reader import Problem, Reader
from policy.resources import Resource
from policy.values import Marker, Text


@dataclass(frozen=True)
class ProofView:
    """A `PrivilegeProof`: inputs while it is registered, the verdict and its attempts once the stack is judged."""

    secret_arn: Text | None
    secret_version: Text | None
    verdict: Text | None
    attempts: float | Marker | None
    problems: tuple[Problem, ...]


def proof_view(resource: Resource) -> ProofView:
    """Read a proof; property names are accepted in both spellings that dynamic resources use."""
    reader = Reader(resource.props)
    return ProofView(
        secret_arn=reader.text("secret_arn", "secretArn", required=True),
        secret_version=reader.text("secret_version", "secretVersion", required=True),
        verdict=reader.text("verdict"),
        attempts=reader.number("attempts"),
        problems=tuple(reader.problems),
    )
