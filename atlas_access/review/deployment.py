"""What one deployment did, as a record: its steps, its proofs, the revision it moved the service to.

Values arrive masked by the engine, and messages redacted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from atlas_access.base import Finding, Status
from atlas_access.manifest import Manifest
from atlas_access.proof import Standing, declared_proven
from atlas_access.review.matrix import Observation

QUIET = frozenset({"same", "read"})
"""Steps that change nothing."""

_PROOF = "pulumi-python:dynamic/probe:PrivilegeProof"
PAST = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "import": "adopted",
}
_FUTURE = {
    "create": "to create",
    "update": "to update",
    "replace": "to replace",
    "delete": "to delete",
    "import": "to adopt",
}


class Operation(StrEnum):
    """What was asked of the engine."""

    PREVIEW = "preview"
    UP = "up"
    DESTROY = "destroy"


class Moment(StrEnum):
    """What a progress line shows of a step."""

    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    SAID = "said"
    PASSING = "passing"


@dataclass(frozen=True)
class Change:
    """One property of a step: its path, and its value before and after as masked text; None where it is not there."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Step:
    """One resource's step: `operation` in Pulumi's words (create, update, replace, delete, import, same)."""

    operation: str
    type: str
    name: str
    changes: tuple[Change, ...] = ()
    seconds: float | None = None
    failed: bool = False

    @property
    def kind(self) -> str:
        """The type as a person says it: `mongodbatlas DatabaseUser`."""
        package, _, rest = self.type.partition(":")
        short = rest.rpartition(":")[2] or rest
        return short if package in {"pulumi-python", "atlas-access"} else f"{package} {short}"

    @property
    def changing(self) -> bool:
        """Whether the step changes anything."""
        return self.operation not in QUIET


@dataclass(frozen=True)
class Progress:
    """One thing that just happened, for a live display. `text` is a message's, empty otherwise."""

    moment: Moment
    step: Step | None = None
    text: str = ""


@dataclass(frozen=True)
class Proof:
    """A proof's outcome as the stack recorded it; `name` is the proof's own, after its secret.

    `environment` is whose tasks receive the credential, `cluster` the environment whose cluster it opens; `live` says
    whether the server's own list of privileges is the declared one. `reason` has a line for each finding.
    """

    name: str
    user: str
    environment: str
    cluster: str
    verdict: str
    reason: str
    attempts: int
    inconclusive: int
    residue: int
    proven_at: str
    live: Standing = Standing.UNASKED

    @property
    def standing(self) -> Standing:
        """The verdict as the access matrix shows it; anything that is not proven or refuted is unclear."""
        return {"proven": Standing.YES, "refuted": Standing.NO}.get(self.verdict, Standing.UNCLEAR)

    @property
    def findings(self) -> tuple[str, ...]:
        """What refutes it or leaves it in doubt, one finding each."""
        return tuple(self.reason.splitlines())

    @property
    def observation(self) -> Observation:
        """What the access matrix shows of this proof, on the cluster that it was made against."""
        return Observation(
            user=self.user,
            environment=self.cluster,
            live=self.live,
            proven=self.standing,
            attempts=self.attempts,
            reason="; ".join(self.findings),
            proven_at=self.proven_at,
            credential=f"{self.environment}/{self.name}",
        )


@dataclass(frozen=True)
class Swap:
    """Where the service was moved: the revisions as `family:7`, and how many tasks run of how many wanted."""

    before: str
    after: str
    running: int | None = None
    desired: int | None = None

    def __str__(self) -> str:
        moved = (
            f"{self.before} → :{self.after.rpartition(':')[2]}" if self.before != self.after else self.after
        )
        return moved if self.running is None else f"{moved} running {self.running}/{self.desired}"


@dataclass(frozen=True)
class Deployment:
    """One run of the engine over one stack. `seconds` is wall time; `failure` is empty when it succeeded.

    `proofs` are those that the state records after the run, `declared` the users of access.yaml, which is `manifest`.
    """

    stack: str
    phase: str
    operation: Operation
    engine: str
    seconds: float
    steps: tuple[Step, ...]
    proofs: tuple[Proof, ...] = ()
    swap: Swap | None = None
    failure: str = ""
    keeps_running: str = ""
    policies: tuple[Finding, ...] = ()
    declared: tuple[str, ...] = ()
    manifest: Manifest | None = None

    @property
    def changes(self) -> int:
        """How many resources were, or would be, changed."""
        return sum(1 for step in self.steps if step.changing)

    @property
    def counted(self) -> str:
        """`11 created`, `2 created, 1 updated`, or `no changes`; what would be, for a preview."""
        words = _FUTURE if self.operation is Operation.PREVIEW else PAST
        counts = Counter(step.operation for step in self.steps if step.changing and not step.failed)
        parts = [f"{counts[each]} {words[each]}" for each in words if counts[each]]
        parts += [f"{count} {each}" for each, count in sorted(counts.items()) if each not in words]
        return ", ".join(parts) or "no changes"

    @property
    def proof_line(self) -> str:
        """`proofs 4/4 proven, 4 of 4 declared users (212 attempts, …)`, and what is only on record; or ""."""
        if not self.proofs:
            return ""
        proven = sum(1 for each in self.proofs if each.verdict == "proven")
        attempts = sum(each.attempts for each in self.proofs)
        unclear = sum(each.inconclusive for each in self.proofs)
        residue = sum(each.residue for each in self.proofs)
        return (
            f"proofs {proven}/{len(self.proofs)} proven, {declared_proven(self.proofs, self.declared)} "
            f"({attempts} attempts, {unclear} inconclusive, residue {residue}){self._on_record}"
        )

    @property
    def _on_record(self) -> str:
        """Since when the proofs are on record that this run did not make; a rollout makes all of them again."""
        taken = () if self.operation is Operation.PREVIEW else self.steps
        made = {each.name for each in taken if each.type == _PROOF and each.changing and not each.failed}
        old = [each.proven_at for each in self.proofs if each.name not in made]
        if not old or (self.swapped and not self.failure):
            return ""
        which = "" if len(old) == len(self.proofs) else f"{len(old)} "
        return f", {which}on record since {min(old)[:16].replace('T', ' ')} UTC, not asked now"

    @property
    def refused(self) -> bool:
        """Whether the policy pack stopped it."""
        return any(each.status is Status.BAD for each in self.policies)

    @property
    def swapped(self) -> bool:
        """Whether the run moved the service, or tried to; a preview never does."""
        return self.operation is not Operation.PREVIEW and any(
            step.type.endswith(":Rollout") and step.changing for step in self.steps
        )

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed, refused or refuted, 3 when a proof stayed inconclusive and none was refuted."""
        verdicts = {each.verdict for each in self.proofs}
        if self.failure and not self.refused and "refuted" not in verdicts and verdicts - {"proven"}:
            return 3
        return 1 if self.failure else 0
