"""A deployment as JSON: the same facts as its text, for machines; also the evidence that the access matrix reads."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from pydantic.alias_generators import to_camel

from atlas_access.base import finding_document
from atlas_access.review.deployment import Deployment

VERSION = 1


def render(deployment: Deployment) -> str:
    """The deployment as indented JSON."""
    return json.dumps(document(deployment), indent=2, ensure_ascii=False)


def document(deployment: Deployment) -> dict[str, Any]:
    """The deployment as plain values."""
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
        "steps": [_step(**asdict(each)) for each in deployment.steps],
        "proofs": [
            {to_camel(name): fact for name, fact in asdict(each).items()} for each in deployment.proofs
        ],
        "policies": [finding_document(each) for each in deployment.policies],
        "swap": None if deployment.swap is None else asdict(deployment.swap),
    }


def _step(*, changes: list[Any], **facts: Any) -> dict[str, Any]:
    """A step's changes, which can be many, come last."""
    return {**facts, "changes": changes}
