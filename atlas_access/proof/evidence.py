"""What a proof leaves behind: who was proven where, every attempt with its answer, and what was found.

Records without secrets: codes and milliseconds, never a server's message, a document or a connection string.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from atlas_access.base import Finding, Status
from atlas_access.proof.verdict import Outcome, Verdict

_WORDS = ("operation", "namespace", "expected", "outcome", "code_name", "why")
_COLUMNS = (*_WORDS, "code", "ms", "tried")
_SHOWN = 3


class Subject(StrEnum):
    """What a finding is about, from what decides first to what decides last."""

    SECRET = "secret"  # noqa: S105 - the name of a subject
    RUNNER = "runner"
    LOGIN = "login"
    ROLES = "roles"
    EXCESS = "excess"
    MISSING = "missing"
    AUDIT = "audit log"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One operation on one namespace: what was expected, what the server answered, and how long it took.

    One that was not `tried` was decided by the server's own list of privileges, or not at all.
    """

    operation: str
    namespace: str
    expected: Outcome
    outcome: Outcome
    code: int | None = None
    code_name: str = ""
    ms: float = 0.0
    why: str = ""
    tried: bool = True

    @property
    def verdict(self) -> Verdict:
        """Proven when the outcome is the expected one; inconclusive is never proven."""
        if self.outcome is Outcome.INCONCLUSIVE:
            return Verdict.INCONCLUSIVE
        return Verdict.PROVEN if self.outcome is self.expected else Verdict.REFUTED

    def __str__(self) -> str:
        answer = "" if self.code is None else f" ({self.code} {self.code_name}".rstrip() + ")"
        doubt = f": {self.why}" if self.why else ""
        return (
            f"{self.operation} on {self.namespace}: expected {self.expected}, {self.outcome}{answer}{doubt}"
        )


def refuted(subject: Subject, text: str, remedy: str = "") -> Finding:
    """Something besides a single attempt that refutes a proof."""
    return Finding(Status.BAD, "", text, remedy, code=str(subject))


def doubtful(subject: Subject, text: str, remedy: str = "") -> Finding:
    """Something besides a single attempt that leaves a proof in doubt."""
    return Finding(Status.UNKNOWN, "", text, remedy, code=str(subject))


def noted(subject: Subject, text: str) -> Finding:
    """Something that a reader should know although it speaks against nothing."""
    return Finding(Status.GOOD, "", text, code=str(subject))


@dataclass(frozen=True, slots=True)
class Proof:
    """The whole proof of one credential.

    `environment` is whose consumer receives it, `cluster` the environment whose cluster it opens. `residue` says what
    attempts may have left behind and how to remove it; anything refutes. `audit_uuid` is the UUID of the audit log's
    collection as found, "" when this user may not see it. `address_proven` says that the login went by the secret's own
    address, and not by the public one in its stead. Times are milliseconds, `proven_at` is ISO 8601 in UTC.
    """

    user: str
    environment: str
    cluster: str
    address: str
    secret_version: str
    expectations_digest: str
    server_version: str
    attempts: tuple[Attempt, ...]
    findings: tuple[Finding, ...]
    residue: tuple[str, ...]
    audit_uuid: str
    proven_at: str
    ms: float
    address_proven: bool = True

    @property
    def verdict(self) -> Verdict:
        """Refuted by any contradiction, else inconclusive by any doubt, else proven; without attempts never proven."""
        verdicts = {each.verdict for each in self.attempts} | {
            _VERDICTS[each.status] for each in self.findings
        }
        if Verdict.REFUTED in verdicts or self.residue:
            return Verdict.REFUTED
        if Verdict.INCONCLUSIVE in verdicts or not self.attempts:
            return Verdict.INCONCLUSIVE
        return Verdict.PROVEN

    @property
    def by_list(self) -> int:
        """How many operations were not tried: the server's own list of privileges decided them."""
        return sum(not each.tried and each.outcome is not Outcome.INCONCLUSIVE for each in self.attempts)

    @property
    def inconclusive(self) -> int:
        """How many attempts showed nothing."""
        return sum(each.verdict is Verdict.INCONCLUSIVE for each in self.attempts)

    @property
    def refuted(self) -> tuple[Attempt, ...]:
        """The attempts whose outcome contradicts the expectation."""
        return tuple(each for each in self.attempts if each.verdict is Verdict.REFUTED)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the proof is not proven, three lines at most and a count of the others; () when it is."""
        verdict = self.verdict
        if verdict is Verdict.PROVEN:
            return ()
        texts = [*_texts(self.findings, verdict), *_summaries(self.attempts, verdict)]
        if verdict is Verdict.REFUTED:
            texts = [*self.residue, *texts]
        if not texts:
            texts = ["nothing was attempted"]
        more = (f"and {len(texts) - _SHOWN} more",) if len(texts) > _SHOWN else ()
        return (*texts[:_SHOWN], *more)

    @property
    def reason(self) -> str:
        """The reasons in one line."""
        return "; ".join(self.reasons)

    def to_json(self) -> str:
        """Return the evidence as canonical JSON: attempts are rows under `columns`, words by their place in `words`."""
        words: dict[str, int] = {}
        record = {name: getattr(self, name) for name in _PLAIN}
        record["verdict"] = self.verdict
        record["reason"] = self.reason
        record["findings"] = [[each.code, each.status, each.message, each.remedy] for each in self.findings]
        record["columns"] = list(_COLUMNS)
        record["attempts"] = [
            [
                *(words.setdefault(getattr(each, name), len(words)) for name in _WORDS),
                each.code,
                each.ms,
                each.tried,
            ]
            for each in self.attempts
        ]
        record["words"] = list(words)
        return json.dumps(record, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Proof":
        """Read what `to_json` wrote; raises `ValueError` for anything else."""
        try:
            record = json.loads(text)
            if record["columns"] != list(_COLUMNS):
                raise ValueError("evidence of another format: prove again with this version")
            attempts = tuple(_attempt(record["words"], row) for row in record["attempts"])
            findings = tuple(
                Finding(Status(status), "", text, remedy, code=str(Subject(subject)))
                for subject, status, text, remedy in record["findings"]
            )
            plain = {name: record[name] for name in _PLAIN} | {"residue": tuple(map(str, record["residue"]))}
            return cls(**plain, attempts=attempts, findings=findings)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError("not the evidence of a proof") from error


_PLAIN = (
    *("user", "environment", "cluster", "address", "secret_version", "expectations_digest", "server_version"),
    *("residue", "audit_uuid", "proven_at", "ms", "address_proven"),
)


def _attempt(words: list[str], row: list[Any]) -> Attempt:
    *numbers, code, ms, tried = row
    name, namespace, expected, outcome, code_name, why = (words[number] for number in numbers)
    return Attempt(
        name, namespace, Outcome(expected), Outcome(outcome), code, code_name, ms, why, bool(tried)
    )


_VERDICTS = {
    Status.GOOD: Verdict.PROVEN,
    Status.BAD: Verdict.REFUTED,
    Status.UNKNOWN: Verdict.INCONCLUSIVE,
}


def _texts(findings: Iterable[Finding], verdict: Verdict) -> list[str]:
    order = list(Subject)
    decisive = [each for each in findings if _VERDICTS[each.status] is verdict]
    return [
        f"{each.message}. {each.remedy}" if each.remedy else each.message
        for each in sorted(decisive, key=lambda each: order.index(Subject(each.code)))
    ]


def _summaries(attempts: Iterable[Attempt], verdict: Verdict) -> list[str]:
    """Say each kind of contradiction once, with the first namespace and the number of others."""
    by_kind: dict[tuple[str, str], list[Attempt]] = {}
    for each in attempts:
        if each.verdict is verdict:
            what = each.operation if each.tried or verdict is Verdict.REFUTED else ""
            by_kind.setdefault((what, each.why), []).append(each)
    lines = []
    for (what, _), same in by_kind.items():
        others = f" and {len(same) - 1} more {'namespaces' if what else 'attempts'}" if len(same) > 1 else ""
        lines.append(f"{same[0]}{others}")
    return lines
