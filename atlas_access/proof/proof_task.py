"""By which runner a proof is made, and where a task that makes one has its place.

It must stay light: the program declares proofs with it, without the driver that makes them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

HERE, TASK = "here", "task"
RUNNERS = (HERE, TASK)


@dataclass(frozen=True)
class ProofTask:
    """Where a proof's task runs: the family whose image holds this project, and the service whose place it takes.

    `execution_role` is the role that the credential's own tasks have. `subnets` and `security_groups` () mean those of
    the service.
    """

    cluster: str
    service: str
    family: str
    execution_role: str
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ProofTask:
        """Read what `to_json` wrote; raises `ValueError` for anything else."""
        try:
            record = json.loads(text)
            record |= {name: tuple(record[name]) for name in ("subnets", "security_groups")}
            return cls(**record)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not the place of a proof's task") from error
