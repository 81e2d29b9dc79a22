"""The loop that a rollout and a retirement share: observe, decide, act, learn, until a step ends it.

The world is observed anew before every decision, and every act can be repeated: a run that dies at any boundary leaves
what the next run finishes or undoes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from atlas_access.clients import ServiceError

S = TypeVar("S")
"""What was observed."""
E = TypeVar("E")
"""A step: what to do next, or how the run ends."""
R = TypeVar("R")
"""What a run that reached its goal returns."""


class StepLoop(ABC, Generic[S, E, R]):
    """One run. `ends` are the types of the steps that end it."""

    ends: tuple[type, ...]

    def to_end(self) -> R:
        """Carry the run to its end. Raises what `finish`, `unanswered` and `give_up` raise."""
        while self.may_go_on():
            try:
                seen = self.observe()
                step = self.decide(seen)
                if isinstance(step, self.ends):
                    return self.finish(step, seen)
                self.act(step, seen)
                self.answered()
            except ServiceError as error:
                self.unanswered(error)
        raise self.give_up()

    @abstractmethod
    def may_go_on(self) -> bool:
        """Whether the run is within its deadline and its number of steps."""

    @abstractmethod
    def observe(self) -> S:
        """Read the state of the world. Raises ServiceError."""

    @abstractmethod
    def decide(self, seen: S) -> E:
        """Choose the next step; pure."""

    @abstractmethod
    def act(self, step: E, seen: S) -> None:
        """Carry one step out and keep what was learnt from it. Raises ServiceError."""

    @abstractmethod
    def finish(self, step: E, seen: S) -> R:
        """Report the end: return at the goal, raise elsewhere."""

    @abstractmethod
    def answered(self) -> None:
        """Forget that services did not answer before."""

    @abstractmethod
    def unanswered(self, error: ServiceError) -> None:
        """Pause before the step is tried again, or raise when it has failed for too long."""

    @abstractmethod
    def give_up(self) -> Exception:
        """The error of a run that came to no end."""
