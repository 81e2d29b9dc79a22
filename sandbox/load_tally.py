"""Counts a load's results and builds its report; keeps the first faults by name and counts all. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from sandbox.load_report import Fault, Kind, LoadReport, Mark, Served, Tally, latency

FAULTS_KEPT = 1000


@dataclass
class _Span:
    first: float
    last: float
    answers: int = 0
    first_bad: float | None = None


@dataclass
class Tallies:
    """The counts of one load. Times are seconds since it began."""

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: Counter[tuple[str, str, Kind]] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
    _spans: dict[tuple[str, str], _Span] = field(default_factory=dict)

    def note(self, environment: str, question: str, *, at: float, seconds: float, revision: str = "") -> None:
        """Count a request by its due time, duration and answering revision ("" for none)."""
        self.asked[environment, question] += 1
        self.durations.append(seconds)
        if revision:
            ended = at + seconds
            span = self._spans.setdefault((environment, revision), _Span(ended, ended))
            span.first, span.last = min(span.first, ended), max(span.last, ended)
            span.answers += 1

    def fault(self, fault: Fault) -> None:
        """Count what was the matter with a request that was noted."""
        self.bad[fault.environment, fault.question, fault.kind] += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(fault)
        span = self._spans.get((fault.environment, fault.revision))
        if span is not None:
            span.first_bad = fault.at if span.first_bad is None else min(span.first_bad, fault.at)

    def mark(self, name: str, at: float) -> Mark:
        """Name a moment and return the counts until then."""
        total: Counter[Kind] = Counter()
        for (_, _, kind), count in self.bad.items():
            total[kind] += count
        made = Mark(
            name=name,
            at=at,
            asked=sum(self.asked.values()),
            failed=total[Kind.FAILED],
            wrong=total[Kind.WRONG],
        )
        self.marks.append(made)
        return made

    def report(self, *, began: float, seconds: float, rate: float, cpu_seconds: float) -> LoadReport:
        """Everything, as a record."""
        return LoadReport(
            began=began,
            seconds=seconds,
            rate=rate,
            cpu_seconds=cpu_seconds,
            tallies=tuple(
                Tally(
                    environment=environment,
                    question=question,
                    asked=count,
                    failed=self.bad[environment, question, Kind.FAILED],
                    wrong=self.bad[environment, question, Kind.WRONG],
                )
                for (environment, question), count in sorted(self.asked.items())
            ),
            faults=tuple(self.faults),
            served=tuple(
                Served(
                    environment=environment,
                    revision=revision,
                    answers=span.answers,
                    first=span.first,
                    last=span.last,
                    first_bad=span.first_bad,
                )
                for (environment, revision), span in sorted(self._spans.items())
            ),
            marks=tuple(self.marks),
            latency=latency(self.durations),
        )
