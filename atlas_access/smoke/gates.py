"""The eight smoke gates and what a round of them says: met, unmet or unknown, and why.

Pure records: judged answers in, one verdict out. Never says green when anything is unmet,
unknown or was to be asked and was not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Standing(StrEnum):
    """What a gate showed, in the words of its JSON and of the replays. Not run: only gate 6, only in a sandbox."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"
    NOT_RUN = "not run"

    @property
    def passes(self) -> bool:
        """Whether a round with it can be green."""
        return self in (Standing.MET, Standing.NOT_RUN)


class Gate(IntEnum):
    """The gates by their number."""

    ELIGIBILITY = 1
    PLANS = 2
    PROVIDER = 3
    FIRST_DRUG = 4
    SECOND_DRUG = 5
    JOURNEY = 6
    CALCULATOR = 7
    WAITLIST = 8

    @property
    def title(self) -> str:
        """What the gate asks, in a word or two."""
        return _TITLES[self]


_TITLES = {
    Gate.ELIGIBILITY: "eligibility",
    Gate.PLANS: "plans",
    Gate.PROVIDER: "providers/covered",
    Gate.FIRST_DRUG: "drugs/covered",
    Gate.SECOND_DRUG: "drugs/covered",
    Gate.JOURNEY: "browser journey",
    Gate.CALCULATOR: "calculator regression",
    Gate.WAITLIST: "waitlist sign-up",
}


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate's standing, one line that says why, the details below it, and its seconds."""

    gate: Gate
    standing: Standing
    summary: str
    details: tuple[str, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"gate {self.gate.value} {self.gate.title}: {self.summary}"


@dataclass(frozen=True, slots=True)
class Round:
    """One pass over the gates, its results in the gates' order, and the revisions that answered.

    `asked` are the gates that it was to ask: all of them, unless a person has named some.
    """

    number: int
    results: tuple[GateResult, ...]
    revisions: tuple[str, ...] = ()
    seconds: float = 0.0
    asked: frozenset[Gate] = frozenset(Gate)

    @property
    def standing(self) -> Standing:
        """Unmet by any unmet gate, else unknown by any doubt or any gate that is missing, else met."""
        return worst((each.standing for each in self.results), complete=self._complete)

    @property
    def green(self) -> bool:
        """Whether every gate passed."""
        return self.standing is Standing.MET

    @property
    def not_run(self) -> tuple[GateResult, ...]:
        """The gates that pass without having been run."""
        return tuple(each for each in self.results if each.standing is Standing.NOT_RUN)

    @property
    def failures(self) -> tuple[str, ...]:
        """One line for each gate that is not met, the unmet before the unknown, lower numbers first; none is green.

        A round that lacks a gate says so.
        """
        found = tuple(str(each) for each in most_telling(self.results))
        missing = sorted(self.asked - {each.gate for each in self.results})
        return (*found, *(f"gate {gate.value} {gate.title}: was not asked" for gate in missing))

    @property
    def _complete(self) -> bool:
        return {each.gate for each in self.results} == self.asked


@dataclass(frozen=True, slots=True)
class GateReport:
    """All rounds on one deployment.

    `required` rounds must be green one after another; the first that is not ends the run. `revision` is the one that
    had to answer, "" for any; `contract` the number of plans held to, `baseline` when the baseline compared with was
    captured, "" for none.
    """

    stack: str
    url: str
    revision: str
    required: int
    contract: int
    baseline: str
    rounds: tuple[Round, ...]

    @property
    def standing(self) -> Standing:
        """Met when as many rounds as required are all met."""
        return worst((each.standing for each in self.rounds), complete=len(self.rounds) >= self.required)

    @property
    def green(self) -> bool:
        """Whether everything was asked and met."""
        return self.standing is Standing.MET

    @property
    def failed(self) -> tuple[GateResult, ...]:
        """What kept this from being green, the unmet before the unknown."""
        return most_telling(each for one in self.rounds for each in one.results)

    @property
    def reason(self) -> str:
        """One line that says why it is not green, "" when it is: `gate 3 providers/covered: …`."""
        if self.green:
            return ""
        if not self.failed:
            return f"only {len(self.rounds)} of {self.required} rounds were run"
        first, *rest = self.failed
        others = ", ".join(
            str(number)
            for number in sorted(
                {each.gate.value for each in rest if each.standing is first.standing} - {first.gate.value}
            )
        )
        return f"{first}" + (f" (also gate {others})" if others else "")


def most_telling(results: Iterable[GateResult]) -> tuple[GateResult, ...]:
    """The results that are not met: the unmet before the unknown, lower gates first."""
    doubtful = (each for each in results if not each.standing.passes)
    return tuple(sorted(doubtful, key=lambda each: (each.standing is Standing.UNKNOWN, each.gate)))


def worst(standings: Iterable[Standing], *, complete: bool) -> Standing:
    """The standing of several together; what is not complete is never met."""
    found = set(standings)
    if Standing.UNMET in found:
        return Standing.UNMET
    if Standing.UNKNOWN in found or not complete or not found:
        return Standing.UNKNOWN
    return Standing.MET
