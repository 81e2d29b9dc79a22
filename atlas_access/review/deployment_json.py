"""A deployment as JSON: the same facts as its text, for machines; also the evidence that the access matrix reads."""

from __future__ import annotations

import json
from typing import Any

from atlas_access.base import finding_document
from atlas_access.review.deployment import Deployment, Step

VERSION = 1


def render(deployment: Deployment) -> str:
    """The deployment as indented JSON."""
    return json.dumps(document(deployment), indent=2, ensure_ascii=False)


def document(deployment: Deployment) -> dict[str, Any]:
    """The deployment as plain values."""
    swap = deployment.swap
    return {
        "version": VERSION,
        "stack": deployment.stack,
        "phase": deployment.phase,
        "operation": deployment.operation.value,
        "engine": deployment.engine,
        "seconds": round(deployment.seconds, 3),
        "result": "failed" if deployment.failure else "succeeded",
        "failure": deployment.failure,
        "keepsRunning": deployment.keeps_running,
        "changes": deployment.changes,
        "summary": deployment.counted,
        "steps": [_step(each) for each in deployment.steps],
        "proofs": [
            {
                "name": each.name,
                "user": each.user,
                "environment": each.environment,
                "cluster": each.cluster,
                "verdict": each.verdict,
                "reason": each.reason,
                "attempts": each.attempts,
                "inconclusive": each.inconclusive,
                "residue": each.residue,
                "provenAt": each.proven_at,
                "live": each.live.value,
            }
            for each in deployment.proofs
        ],
        "policies": [finding_document(each) for each in deployment.policies],
        "swap": None
        if swap is None
        else {
            "before": swap.before,
            "after": swap.after,
            "running": swap.running,
            "desired": swap.desired,
        },
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "operation": step.operation,
        "type": step.type,
        "name": step.name,
        "seconds": step.seconds,
        "failed": step.failed,
        "changes": [
            {"path": change.path, "before": change.before, "after": change.after} for change in step.changes
        ],
    }
