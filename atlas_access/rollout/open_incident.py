"""Stops the line where people look: one GitHub issue a stack, opened by a failed rollout, closed by the next green one.

What was decided and done is over when this runs. It changes no outcome and does not raise: a tracker that cannot be
reached is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from atlas_access.base import Endpoints
from atlas_access.clients import GitHub, Retry
from atlas_access.rollout.incident_issue import LABEL, Outcome, decide
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.steps import Done

TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
_SECONDS = 20.0


@dataclass(frozen=True)
class StopLine:
    """The tracker of one stack; without a `repository` nothing is reported."""

    stack: str
    repository: str
    endpoints: Endpoints
    environment: Mapping[str, str]
    say: Callable[[str], None]
    seconds: float = _SECONDS

    @contextmanager
    def watching(self, stops: Callable[[RolloutFailed], bool]) -> Iterator[Callable[[Done], Done]]:
        """Yield what to hand a green end to; a `RolloutFailed` that `stops` is reported and raised."""
        try:
            yield self._green
        except RolloutFailed as failure:
            if stops(failure):
                self._tell(Outcome(self.stack, str(failure), datetime.now(UTC)))
            raise

    def _green(self, done: Done) -> Done:
        family = done.revision.rsplit("/", 1)[-1]
        self._tell(Outcome(self.stack, f"{family} runs, green", datetime.now(UTC), green=True))
        return done

    def _tell(self, outcome: Outcome) -> None:
        if not self.repository:
            return
        token = next((self.environment[each].strip() for each in TOKENS if self.environment.get(each)), "")
        if not token:
            self.say(f"{self.repository}: the stop-the-line issue was not written: {TOKENS[0]} is not set")
            return
        try:
            with GitHub(self.repository, token, self.endpoints, Retry(self.seconds)) as tracker:
                made = tracker.sync(LABEL, lambda issues: decide(outcome, issues))
        except Exception as error:  # noqa: BLE001 - whatever the tracker does, the rollout's outcome stands
            self.say(f"{self.repository}: the stop-the-line issue was not written: {error}")
            return
        for change in made:
            self.say(f"{self.repository}: stop-the-line issue: {change}")
