"""Where a stack's migration stands, phase by phase: done, next, blocked by what, or unknown; and the next command.

Pure: it judges facts that others have read. A phase is done only when it was
observed, and next only when its predecessors are done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """The phases in their order, by their letters."""

    BASELINE = "A"
    USERS = "B"
    SECRETS = "C"
    PROOFS = "D.0"
    SWAP = "D.1"
    GATES = "D.2"
    SOAK = "D.3"
    LOCAL = "E"
    CODE = "F"
    RETIREMENT = "G"
    DOCUMENTS = "H"


NAMES: Mapping[Step, str] = {
    Step.BASELINE: "baseline captured",
    Step.USERS: "users and roles",
    Step.SECRETS: "secrets",
    Step.PROOFS: "proofs",
    Step.SWAP: "swap",
    Step.GATES: "smoke gates",
    Step.SOAK: "soak",
    Step.LOCAL: "local file",
    Step.CODE: "code",
    Step.RETIREMENT: "legacy inventory retired",
    Step.DOCUMENTS: "documents",
}

NEEDS: Mapping[Step, tuple[Step, ...]] = {
    Step.BASELINE: (),
    Step.USERS: (Step.BASELINE,),
    Step.SECRETS: (Step.USERS,),
    Step.PROOFS: (Step.USERS, Step.SECRETS),
    Step.SWAP: (Step.BASELINE, Step.PROOFS),
    Step.GATES: (Step.SWAP,),
    Step.SOAK: (Step.SWAP, Step.GATES),
    Step.LOCAL: (Step.SECRETS, Step.PROOFS),
    Step.CODE: (Step.SOAK,),
    Step.RETIREMENT: (Step.BASELINE, Step.SOAK, Step.LOCAL, Step.CODE),
    Step.DOCUMENTS: (),
}
"""What must be done before: additive first, the swap on proofs alone, the retirement last."""


class State(StrEnum):
    """How a phase stands."""

    DONE = "done"
    NEXT = "next"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Fact:
    """What was observed of a phase: whether it holds (None: nobody knows), and what shows it.

    `against` are reasons of its own why it cannot be done now, besides its predecessors.
    """

    holds: bool | None
    evidence: str
    against: tuple[str, ...] = ()


@dataclass(frozen=True)
class Standing:
    """One phase: its state in the order of phases, evidence, what blocks it, and the next command ("" when done)."""

    step: Step
    state: State
    evidence: str
    blocked_by: tuple[str, ...] = ()
    command: str = ""

    @property
    def name(self) -> str:
        """What the phase is called."""
        return NAMES[self.step]


@dataclass(frozen=True)
class Migration:
    """Every phase of one stack, in order."""

    stack: str
    phases: tuple[Standing, ...]

    def count(self, state: State) -> int:
        """How many phases stand so."""
        return sum(each.state is state for each in self.phases)

    @property
    def done(self) -> bool:
        """Whether every phase is."""
        return self.count(State.DONE) == len(self.phases)

    @property
    def next(self) -> Standing | None:
        """The first phase that can be gone on with; one that is unknown must be inspected before any later one."""
        open_ones = (State.NEXT, State.UNKNOWN)
        return next((each for each in self.phases if each.state in open_ones), None)


def migration(stack: str, facts: Mapping[Step, Fact], commands: Mapping[Step, str]) -> Migration:
    """Judge every phase; one without a fact is unknown."""
    states: dict[Step, State] = {}
    found = []
    for step in Step:
        fact = facts.get(step, Fact(None, "nobody observed"))
        waits = [need for need in NEEDS[step] if states[need] is not State.DONE]
        state, blocked = _state(fact, waits, states)
        states[step] = state
        command = "" if state is State.DONE else commands.get(step, "")
        found.append(Standing(step, state, fact.evidence, blocked, command))
    return Migration(stack, tuple(found))


def _state(fact: Fact, waits: Iterable[Step], states: Mapping[Step, State]) -> tuple[State, tuple[str, ...]]:
    if fact.holds:
        return State.DONE, ()
    if fact.holds is None:
        return State.UNKNOWN, fact.against
    blocked = tuple(f"{need.value} {NAMES[need]} ({states[need].value})" for need in waits)
    if blocked:
        return State.BLOCKED, (*blocked, *fact.against)
    return (State.BLOCKED, fact.against) if fact.against else (State.NEXT, ())
