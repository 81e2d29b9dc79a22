"""Makes or renews the proof of a resource, and turns it into the resource's outputs.

A verdict is recorded, refuted or not; no connection string is returned.
"""

from __future__ import annotations

import os
import time
from typing import Any

from atlas_access.base import ConnectionInvalid, ConnectionString, Endpoints, Secret, compose
from atlas_access.clients import (
    Answer,
    AwsUnavailable,
    Login,
    Server,
    ServerUnusable,
    judge_login,
    read_connection_string,
)
from atlas_access.privileges import DEFAULT_MAJOR
from atlas_access.proof.evidence import Proof, Subject
from atlas_access.proof.expectations import ADMIN, Expectations
from atlas_access.proof.progress import Row
from atlas_access.proof.request import ProofRequest
from atlas_access.proof.run import REACH_SECONDS, unproven
from atlas_access.proof.runners import Made, make, settle
from atlas_access.proof.verdict import Verdict


def renewed(news: dict[str, Any], olds: dict[str, Any]) -> dict[str, Any]:
    """Make the proof that a resource's inputs describe: those inputs, and what the proof shows.

    Raises `EndpointRefused` for an address that is not permitted; everything else is recorded.
    """
    expected = Expectations.from_json(str(news["expectations"]))
    last = str(olds.get("audit_uuid") or "")
    made = Made.of(
        news,
        expectations=expected,
        narrowing=bool(news.get("narrowing")) or _narrows(expected, olds),
        audit_uuid=last,
    )
    endpoints = Endpoints.from_environment(os.environ)
    row = Row(str(news.get("row") or ""))
    try:
        _settle(news, made.request, endpoints, row)
        proof = make(made, endpoints, row)
    finally:
        row.close()
    return {**news, **_outputs(proof, last)}


def reread(recorded: dict[str, Any]) -> dict[str, Any]:
    """Ask once whether a proven credential still logs in; only a refused login makes its record inconclusive.

    So a user that was deleted and made again is proven again. Raises `EndpointRefused`.
    """
    if recorded.get("verdict") != Verdict.PROVEN:
        return recorded
    try:
        request = Made.of(recorded).request
    except ValueError:  # of another version, whose proofs are renewed anyway
        return recorded
    answer = _login(request, Endpoints.from_environment(os.environ))
    if answer is None or judge_login(answer) is not Login.REFUSED:
        return recorded
    text = f"{request.expectations.user} can no longer log in (code {answer.code} {answer.code_name})"
    return {**recorded, **_outputs(unproven(request, Subject.LOGIN, text), request.audit_uuid)}


def _login(request: ProofRequest, endpoints: Endpoints) -> Answer | None:
    """The answer to one login, by the public address where a private one does not answer; None without a client."""
    try:
        connection = ConnectionString.parse(
            read_connection_string(
                request.secret_arn, request.secret_version, region=request.region, endpoints=endpoints
            )
        )
        user, password = connection.username or "", connection.password or Secret("")
        public = request.public_address and compose(request.public_address, user, password, ADMIN)
        for each in (connection, *((ConnectionString.parse(public),) if public else ())):
            with Server(each, endpoints, wait_seconds=REACH_SECONDS) as server:
                answer = server.login(lambda: 0.0).answer
            if answer.failure is None:
                break
    except (AwsUnavailable, ConnectionInvalid, ServerUnusable):
        return None
    return answer


def _settle(news: dict[str, Any], request: ProofRequest, endpoints: Endpoints, row: Row) -> None:
    """Wait for the cluster that this stack has just changed; what the login finds is decided there all the same."""
    project, cluster = str(news.get("atlas_project") or ""), str(news.get("atlas_cluster") or "")
    if not project or not cluster:
        return
    row(f"{request.expectations.user}: waiting for Atlas to apply the changes")
    until = time.monotonic() + min(request.propagation_seconds, request.deadline_seconds)
    settle(project, cluster, endpoints, lambda: until - time.monotonic())


def _outputs(proof: Proof, last_audit_uuid: str) -> dict[str, Any]:
    """Return the recorded results; the audit log's UUID moves on only with a proof that holds."""
    observed = proof.audit_uuid if proof.verdict is Verdict.PROVEN else ""
    return {
        "verdict": str(proof.verdict),
        "reason": "\n".join(proof.reasons),
        "attempts": len(proof.attempts),
        "inconclusive": proof.inconclusive,
        "residue": len(proof.residue),
        "evidence": proof.to_json(),
        "proven_at": proof.proven_at,
        "audit_uuid": observed or last_audit_uuid,
        "address_proven": proof.address_proven,
    }


def _narrows(expected: Expectations, olds: dict[str, Any]) -> bool:
    """Whether privileges were just taken away: the last proof was refuted, or less is declared than before."""
    if not olds:
        return False
    if olds.get("verdict") == Verdict.REFUTED:
        return True
    try:
        before = Expectations.from_json(str(olds.get("expectations")))
        return bool(before.declared(DEFAULT_MAJOR) - expected.declared(DEFAULT_MAJOR))
    except ValueError:
        return False
