"""The loop that a rollout and a retirement share: observe, decide, act and learn, until a step ends the run.

The world is observed anew before every decision, and every act can be repeated and is recorded on the service first: a
run that dies at any boundary leaves what the next run finishes or undoes. The loop owns what both need around that: the
deadline, the retry when a service does not answer, and the redaction of every line.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from atlas_access.base import Clock, redact
from atlas_access.clients import ServiceError

SILENT_SECONDS = 60.0
"""How long a service may give no answer, each call having been retried, before a run ends or undoes what it began."""

O = TypeVar("O")  # noqa: E741 - what was observed
A = TypeVar("A")
"""A step that the run continues after."""
E = TypeVar("E")
"""A step that ends the run."""
L = TypeVar("L")
"""What the run has learnt that the world does not show."""
R = TypeVar("R")
"""What a run that reached its goal returns."""


class StepLoop(ABC, Generic[O, A, E, L, R]):
    """One run. `ends` are the types of the steps that end it; `seconds` is its deadline."""

    ends: tuple[type[E], ...]

    def __init__(
        self, learnt: L, clock: Clock, write: Callable[[str], None], *, seconds: float, pause_seconds: float
    ) -> None:
        self.learnt, self.clock, self.pause_seconds = learnt, clock, pause_seconds
        self._write, self._last = write, clock.tick() + seconds
        self._silent_since: float | None = None

    def to_end(self) -> R:
        """Carry the run to its end. Raises what `finish`, `unanswered` and `unknown` raise."""
        while self.clock.tick() < self._last:
            try:
                observed = self.observe()
                step = self.decide(observed)
                if isinstance(step, self.ends):
                    return self.finish(step, observed)
                self.learnt = self.act(step, observed)
                self._silent_since = None
            except ServiceError as error:
                tick = self.clock.tick()
                self._silent_since = tick if self._silent_since is None else self._silent_since
                self.unanswered(error, tick - self._silent_since)
                self.pause()
        raise self.unknown("the run came to no end within its deadline")

    def say(self, line: str) -> None:
        """Report one line of progress, redacted: it may quote what a system wrote."""
        self._write(redact(line))

    def pause(self) -> None:
        """Wait before the world is observed again."""
        self.clock.pause(self.pause_seconds)

    @abstractmethod
    def observe(self) -> O:
        """Read the state of the world. Raises ServiceError."""

    @abstractmethod
    def decide(self, observed: O) -> A | E:
        """Choose the next step; pure."""

    @abstractmethod
    def act(self, step: A | E, observed: O) -> L:
        """Carry one step out and return what is known afterwards. Raises ServiceError."""

    @abstractmethod
    def finish(self, end: E, observed: O) -> R:
        """Report the end: return at the goal, raise elsewhere."""

    @abstractmethod
    def unanswered(self, error: ServiceError, silent: float) -> None:
        """Raise when a service has not answered for too many seconds; else the step is tried again."""

    @abstractmethod
    def unknown(self, why: str) -> Exception:
        """The error of a run of which nobody knows how far it came."""
