"""A load's report: requests served, failed and answered wrongly, and latencies.

A failure is a request without an answer or with an unexpected status; a wrong answer has the status, not the content.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from math import ceil

from pydantic import BaseModel, ConfigDict


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(StrEnum):
    """What is the matter with a request."""

    FAILED = "failed"
    WRONG = "wrong"


class Fault(_Record):
    """One request that was not served well. `at` is seconds since the load began, `revision` who answered, if known."""

    at: float
    environment: str
    question: str
    revision: str
    kind: Kind
    what: str

    def __str__(self) -> str:
        who = f" by {self.revision}" if self.revision else ""
        return f"{self.at:7.2f} s  {self.environment} {self.question}: {self.kind.value}{who}: {self.what}"


class Tally(_Record, frozen=False):
    """How one question of one environment fared."""

    environment: str
    question: str
    asked: int = 0
    failed: int = 0
    wrong: int = 0


class Served(_Record, frozen=False):
    """The time in which one revision answered, in seconds since the load began, and its first bad answer if any."""

    environment: str
    revision: str
    answers: int = 0
    first: float
    last: float
    first_bad: float | None = None


class Latency(_Record):
    """How long requests took, in milliseconds, from the moment at which each was due."""

    p50: float
    p95: float
    p99: float
    most: float

    def __str__(self) -> str:
        return (
            f"p50 {self.p50:.0f} ms, p95 {self.p95:.0f} ms, p99 {self.p99:.0f} ms, longest {self.most:.0f} ms"
        )


class Mark(_Record):
    """A named moment, and the counts until then."""

    name: str
    at: float
    asked: int
    failed: int
    wrong: int


class LoadReport(_Record):
    """One load from its begin to its end.

    `rate` is what was due a second for each environment, `began` Unix seconds, `cpu_seconds` what the load itself took
    of a processor. `faults` holds the first ones, every one of them is counted in `tallies`.
    """

    began: float
    seconds: float
    rate: float
    cpu_seconds: float
    tallies: tuple[Tally, ...]
    faults: tuple[Fault, ...]
    served: tuple[Served, ...]
    marks: tuple[Mark, ...]
    latency: Latency

    @property
    def asked(self) -> int:
        """Every request that was due."""
        return sum(each.asked for each in self.tallies)

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(each.failed for each in self.tallies)

    @property
    def wrong(self) -> int:
        """How many were answered wrongly."""
        return sum(each.wrong for each in self.tallies)

    @property
    def clean(self) -> bool:
        """Whether something was asked, and every request was served well."""
        return self.asked > 0 and not self.failed and not self.wrong

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The endpoints that were asked."""
        return tuple(sorted({each.question for each in self.tallies}))

    def achieved(self, environment: str) -> float:
        """Requests a second that an environment was sent."""
        asked = sum(each.asked for each in self.tallies if each.environment == environment)
        return asked / self.seconds if self.seconds else 0.0

    def bad_outside(self, environment: str, question: str, revision: str) -> int:
        """How many requests were not served well, but for a revision's own answers to one question."""
        own = sum(
            each.failed + each.wrong
            for each in self.tallies
            if (each.environment, each.question) == (environment, question)
        )
        others = sum(
            1
            for each in self.faults
            if (each.environment, each.question) == (environment, question) and each.revision != revision
        )
        return self.failed + self.wrong - own + others

    def exposed(self, environment: str, revision: str) -> float | None:
        """Seconds from a revision's first bad answer to its last answer of any kind; None when it gave no bad one."""
        found = next((s for s in self.served if (s.environment, s.revision) == (environment, revision)), None)
        return None if found is None or found.first_bad is None else found.last - found.first_bad

    def __str__(self) -> str:
        return (
            f"{self.asked:,} requests to {len(self.endpoints)} endpoints, {self.failed} failed, "
            f"{self.wrong} wrong ({self.latency})"
        )


def latency(seconds: Iterable[float]) -> Latency:
    """The percentiles of some durations in seconds, by the nearest rank; all 0 for none."""
    ordered = sorted(seconds)
    return Latency(
        p50=percentile(ordered, 50) * 1000,
        p95=percentile(ordered, 95) * 1000,
        p99=percentile(ordered, 99) * 1000,
        most=(ordered[-1] if ordered else 0.0) * 1000,
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` percent of `ordered` values do not exceed; 0 for none."""
    if not ordered:
        return 0.0
    return ordered[max(0, ceil(len(ordered) * share / 100) - 1)]
