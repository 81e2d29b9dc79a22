"""Counts a load's results and builds its report; keeps the first faults by name and counts all. Pure."""

from dataclasses import dataclass, field

from sandbox.load.report import Fault, Kind, LoadReport, Mark, Served, Tally, latency

FAULTS_KEPT = 1000


@dataclass
class Tallies:
    """The counts of one load. Times are seconds since it began."""

    faults: list[Fault] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
    _tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    _served: dict[tuple[str, str], Served] = field(default_factory=dict)

    def note(self, environment: str, question: str, *, at: float, seconds: float, revision: str = "") -> None:
        """Count a request by its due time, duration and answering revision ("" for none)."""
        tally = self._tallies.setdefault(
            (environment, question), Tally(environment=environment, question=question)
        )
        tally.asked += 1
        self.durations.append(seconds)
        if revision:
            ended = at + seconds
            first = Served(environment=environment, revision=revision, first=ended, last=ended)
            served = self._served.setdefault((environment, revision), first)
            served.first, served.last = min(served.first, ended), max(served.last, ended)
            served.answers += 1

    def fault(self, fault: Fault) -> None:
        """Count what was the matter with a request that was noted."""
        tally = self._tallies[fault.environment, fault.question]
        if fault.kind is Kind.FAILED:
            tally.failed += 1
        else:
            tally.wrong += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(fault)
        served = self._served.get((fault.environment, fault.revision))
        if served is not None:
            served.first_bad = fault.at if served.first_bad is None else min(served.first_bad, fault.at)

    def mark(self, name: str, at: float) -> Mark:
        """Name a moment and return the counts until then."""
        known = self._tallies.values()
        made = Mark(
            name=name,
            at=at,
            asked=sum(tally.asked for tally in known),
            failed=sum(tally.failed for tally in known),
            wrong=sum(tally.wrong for tally in known),
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
            tallies=tuple(self._tallies[key] for key in sorted(self._tallies)),
            faults=tuple(self.faults),
            served=tuple(self._served[key] for key in sorted(self._served)),
            marks=tuple(self.marks),
            latency=latency(self.durations),
        )
