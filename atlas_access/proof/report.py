"""The outcome of proofs: what each credential came to, and the whole. proof_report.py shows it.

It holds what evidence does: no secret, no server's message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from atlas_access.base import Status
from atlas_access.manifest import AUDIT_ACTIONS
from atlas_access.privileges import mongo_actions
from atlas_access.proof.catalogue import operation
from atlas_access.proof.evidence import Attempt, Proof, Subject
from atlas_access.proof.verdict import Outcome, Verdict

_LISTED = frozenset(
    {Subject.SECRET, Subject.RUNNER, Subject.LOGIN, Subject.ROLES, Subject.EXCESS, Subject.MISSING}
)

_OF_ROLES = frozenset({Subject.ROLES, Subject.EXCESS, Subject.MISSING})
_SUMMED = attrgetter("user", "environment", "cluster", "verdict")
_BREAKING = frozenset(action for name in AUDIT_ACTIONS for action in mongo_actions(name))


class Standing(StrEnum):
    """How far a declaration is known to hold. A status has three answers; nobody having asked is a fourth."""

    UNASKED = "unasked"
    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


def declared_proven(proofs: Iterable[object], declared: Iterable[str]) -> str:
    """Say how many declared users are proven on the stack's own cluster, all their versions: `7 of 8 declared users`.

    A proof is any record with `user`, `environment`, `cluster` and `verdict`.
    """
    own = [(user, verdict) for user, *where, verdict in map(_SUMMED, proofs) if len(set(where)) == 1]
    unproven = {user for user, verdict in own if verdict != Verdict.PROVEN}
    users = set(declared)
    return f"{len(users & {user for user, _ in own} - unproven)} of {len(users)} declared users"


@dataclass(frozen=True)
class Proven:
    """One credential's proof, the secret it came from, the variables that receive it, and whether tasks hold it now.

    `declared` says where the manifest declares what the user may do, "" where it does not; `audit` is the audit log.
    """

    proof: Proof
    secret: str
    variables: tuple[str, ...] = ()
    held: bool = False
    declared: str = ""
    audit: str = ""

    @property
    def name(self) -> str:
        """The last part of the secret's name, as the program names the proof."""
        return self.secret.rsplit("/", 1)[-1]

    @property
    def where(self) -> str:
        """Whose credential on which cluster, from where: `app_read on staging (prod, private address)`."""
        proof = self.proof
        if not proof.environment:
            return f"{proof.user} on {proof.cluster}"
        consumer = f"{proof.environment}, " if proof.environment != proof.cluster else ""
        return f"{proof.user} on {proof.cluster} ({consumer}{proof.address} address)"

    @property
    def against_the_role(self) -> bool:
        """Whether what refutes it is what the user may do, by the server's list or by an attempt."""
        refuted = {each.code for each in self.proof.findings if each.status is Status.BAD}
        return bool(refuted & _OF_ROLES or self.proof.refuted)

    @property
    def breaks_the_audit_log(self) -> bool:
        """Whether it was allowed to change, erase or forge the audit log although that was to be denied."""
        return any(
            each.namespace == self.audit
            and each.expected is Outcome.DENIED
            and _BREAKING & {need.action for need in operation(each.operation).needs}
            for each in self.proof.refuted
        )

    @property
    def live(self) -> Standing:
        """Whether the server's own list equals the declaration; not asked when nobody logged in."""
        found = {each.status for each in self.proof.findings if each.code in _LISTED}
        if Status.BAD in found:
            return Standing.NO
        if not self.proof.attempts:
            return Standing.UNASKED
        return Standing.UNCLEAR if Status.UNKNOWN in found else Standing.YES

    @property
    def doubtful(self) -> tuple[Attempt, ...]:
        """The attempts that are not as expected, refuted ones first."""
        bad = [each for each in self.proof.attempts if each.verdict is not Verdict.PROVEN]
        return tuple(sorted(bad, key=lambda each: each.verdict is not Verdict.REFUTED))


@dataclass(frozen=True)
class ProofReport:
    """Every proof of one run. `title` names what was proven; `notes` are plain lines besides.

    `declared` are the users of access.yaml, () where whole users were not asked for.
    """

    title: str
    proven: tuple[Proven, ...]
    seconds: float
    notes: tuple[str, ...] = ()
    complete: bool = True
    """Whether whole users were proven, and not named actions only."""
    declared: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """What no service could say: it leaves the whole inconclusive."""

    @property
    def verdict(self) -> Verdict:
        """Refuted by any, else inconclusive by any, by nothing to prove or by what is unknown, else proven."""
        verdicts = {each.proof.verdict for each in self.proven}
        if Verdict.REFUTED in verdicts:
            return Verdict.REFUTED
        return Verdict.PROVEN if verdicts == {Verdict.PROVEN} and not self.unknown else Verdict.INCONCLUSIVE

    @property
    def summary(self) -> str:
        """How many were proven, by how many attempts, in what time."""
        proofs = [each.proof for each in self.proven]
        good = sum(each.verdict is Verdict.PROVEN for each in proofs)
        by_list = sum(each.by_list for each in proofs)
        counts = (
            f"{sum(len(each.attempts) for each in proofs) - by_list} attempted, {by_list} by the server's list, "
            f"{sum(each.inconclusive for each in proofs)} inconclusive, "
            f"residue {sum(len(each.residue) for each in proofs)}"
        )
        users = f", {declared_proven(proofs, self.declared)}" if self.declared else ""
        unknown = f"; unknown: {'; '.join(self.unknown)}" if self.unknown else ""
        return f"{self.title}: {good}/{len(proofs)} proven{users} ({counts}) in {self.seconds:.1f} s{unknown}"
