"""By which runner a proof is made: here, or inside a one-off ECS task.

A request that names a task's place is proven there, every other one here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from atlas_access.base import Endpoints
from atlas_access.clients import CredentialsMissing, await_applied, sign_in_from
from atlas_access.proof.evidence import Proof
from atlas_access.proof.proof_task import TASK, ProofTask
from atlas_access.proof.request import ProofRequest
from atlas_access.proof.run import MAX_CONCURRENT, prove
from atlas_access.proof.task_runner import prove_in_task

Progress = Callable[[str], None]

UNREACHED = " from here; where only the VPC reaches the cluster, set atlas-access:proofTaskFamily"
"""What a proof that is made here adds to the finding that the cluster does not answer."""


@dataclass(frozen=True)
class Made:
    """A request, and the place of the task that makes its proof (None: here)."""

    request: ProofRequest
    place: ProofTask | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any], **decided: Any) -> Made:
        """The proof that a resource's inputs describe, with the runner that they name; `decided` goes before them."""
        place = ProofTask.from_json(str(given["task"])) if given.get("runner") == TASK else None
        return cls(ProofRequest.of(given, **decided), place)


def make(made: Made, endpoints: Endpoints, progress: Progress) -> Proof:
    """Make one proof by its runner; a record comes back whatever happens. Raises `EndpointRefused`."""
    if made.place is None:
        return prove(made.request, endpoints, progress=progress, unreached=UNREACHED)
    return prove_in_task(made.request, made.place, endpoints, progress=progress, environment=os.environ)


def make_all(each: Sequence[Made], endpoints: Endpoints) -> tuple[Proof, ...]:
    """Make several at once, in their order."""
    with ThreadPoolExecutor(max_workers=max(1, min(len(each), MAX_CONCURRENT))) as pool:
        return tuple(pool.map(lambda one: make(one, endpoints, lambda _: None), each))


def settle(project: str, cluster: str, endpoints: Endpoints, left: Callable[[], float]) -> bool:
    """Wait until Atlas has applied a project's changes to a cluster, while `left()` (seconds) is positive.

    False when it has not said so in time, or there are no credentials to ask with: the login then decides.
    """
    try:
        sign_in = sign_in_from(os.environ)
    except CredentialsMissing:
        return False
    return await_applied(project, cluster, sign_in, endpoints, left)
