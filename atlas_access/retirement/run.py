"""Carries a retirement to its end: looks, lets `decide` choose, does that one step, looks again.

Each change is written into the journal before and after. It must never go on without an answer: what AWS or Atlas does
not say is asked a few times and then ends the run, whose journal the next one continues.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from atlas_access.base import Clock, HeldRole
from atlas_access.clients import ServiceError
from atlas_access.retirement.decide import decide, learn
from atlas_access.retirement.journal import Stage, doing_tags, done_tags, stage_tags, was_tags
from atlas_access.retirement.model import TOMBSTONE_ROLE
from atlas_access.retirement.report import RetirementRefused, end_message, unanswered
from atlas_access.retirement.steps import (
    CHANGES,
    ENDS,
    Change,
    Deregister,
    Done,
    Effect,
    Enter,
    Erase,
    Examine,
    Examined,
    GiveBack,
    Goal,
    Judge,
    Learnt,
    Look,
    MakeRole,
    Refused,
    Remember,
    RemoveRole,
    RemoveUser,
    Schedule,
    Strip,
    Undo,
)
from atlas_access.rollout import MarkUnwritable, StepLoop

TRIES = 5
"""How often in a row AWS or Atlas may fail to answer."""
PAUSE_SECONDS = 2.0
MOST_STEPS = 1000
IN_USE_TRIES = 5
"""How often a role that nobody seems to hold may still be in use: Atlas may be a moment behind itself."""


class RoleInUse(Exception):
    """Atlas does not remove a role that somebody holds or inherits (409)."""


class Estate(Protocol):
    """The live systems of one stack: one look, the journal, and each change. Every change can be repeated."""

    def look(self, goal: Goal) -> Look:
        """Look at the journal, the users, the roles and, for a deletion, the secrets."""

    def write(self, tags: Mapping[str, str]) -> None:
        """Write tags of the journal."""

    def erase(self, keys: tuple[str, ...]) -> None:
        """Take tags of the journal off."""

    def deregister(self, revision: str) -> None:
        """Deregister a task-definition revision."""

    def make_role(self) -> None:
        """Make the tombstone role; one that is there is fine."""

    def strip(self, user: str, at: float) -> None:
        """Replace a user's roles by the tombstone role, labelled with the time; a user that is gone is fine."""

    def give_back(self, user: str, roles: frozenset[HeldRole]) -> None:
        """Give a user roles and take our label off; a user that is gone is fine."""

    def remove_user(self, user: str) -> None:
        """Delete a user; one that is gone is fine."""

    def remove_role(self, role: str) -> None:
        """Delete a custom role; one that is gone is fine. Raises `RoleInUse`."""

    def schedule(self, secret: str) -> None:
        """Delete a secret with the recovery window; one that is gone or scheduled is fine."""

    def applied(self) -> bool:
        """Whether every change has reached the cluster."""


@dataclass(frozen=True)
class Parts:
    """What a run works with. `gates` gives the failures of one round of smoke gates, none where none are run."""

    estate: Estate
    clock: Clock
    say: Callable[[str], None]
    examine: Callable[[Look, bool], Examined]
    gates: Callable[[], tuple[str, ...]]
    apply_seconds: float = 120.0
    pause_seconds: float = PAUSE_SECONDS


@dataclass
class _Run(StepLoop[Look, Effect, Done]):
    goal: Goal
    parts: Parts
    learnt: Learnt = field(default_factory=Learnt)
    failed: int = 0
    steps: int = 0
    in_use: dict[str, int] = field(default_factory=dict)
    ends = ENDS

    def may_go_on(self) -> bool:
        self.steps += 1
        return self.steps <= MOST_STEPS

    def observe(self) -> Look:
        return self.parts.estate.look(self.goal)

    def decide(self, seen: Look) -> Effect:
        return decide(self.goal, seen, self.learnt)

    def act(self, step: Effect, seen: Look) -> None:
        try:
            self.learnt = learn(self._perform(step, seen), step)
        except MarkUnwritable as error:
            raise RetirementRefused(end_message(self.goal, Refused((str(error),)))) from None

    def answered(self) -> None:
        self.failed = 0

    def give_up(self) -> RetirementRefused:
        return RetirementRefused(unanswered(self.goal, "no end in sight"), 3)

    def finish(self, step: Effect, seen: Look) -> Done:  # noqa: ARG002 - the loop hands it over
        text = end_message(self.goal, step)  # type: ignore[arg-type]
        if not isinstance(step, Done):
            raise RetirementRefused(text)
        self.parts.say(text)
        return step

    def _perform(self, effect: Effect, look: Look) -> Learnt:
        estate = self.parts.estate
        match effect:
            case Examine(strict):
                found = self.parts.examine(look, strict)
                return (
                    replace(self.learnt, strictly=found) if strict else replace(self.learnt, examined=found)
                )
            case Enter(stage, since):
                estate.write(stage_tags(stage, since))
            case Remember(user, roles):
                estate.write(was_tags(user, roles))
            case Judge():
                return replace(self.learnt, after=self._judged())
            case Undo(cause):
                self.parts.say(f"giving the recorded roles back: {cause}")
                estate.write(stage_tags(Stage.RESTORING, look.journal.since))
            case Erase():
                estate.erase(look.journal.keys)
            case _ if isinstance(effect, CHANGES):
                return self._change(effect, look)
        return self.learnt

    def _change(self, change: Change, look: Look) -> Learnt:
        self.parts.say(str(change))
        self.parts.estate.write(doing_tags(str(change)))
        try:
            self._do(change, look)
        except RoleInUse:
            return self._held(change, look)
        self.parts.estate.write(done_tags(str(change)))
        return self.learnt

    def _do(self, change: Change, look: Look) -> None:
        estate = self.parts.estate
        match change:
            case Deregister(revision):
                estate.deregister(revision)
            case MakeRole():
                estate.make_role()
            case Strip(user):
                estate.strip(user, look.wall)
            case GiveBack(user, roles):
                estate.give_back(user, roles)
            case RemoveUser(user):
                estate.remove_user(user)
            case RemoveRole(role):
                estate.remove_role(role)
            case Schedule(secret):
                estate.schedule(secret)

    def _held(self, change: Change, look: Look) -> Learnt:
        """A role in use: held by somebody else it stays and is reported; by nobody, Atlas has not caught up."""
        role = change.role if isinstance(change, RemoveRole) else TOMBSTONE_ROLE
        holders = look.holders(role)
        tried = self.in_use[role] = self.in_use.get(role, 0) + 1
        if not holders and tried < IN_USE_TRIES:
            self.parts.clock.pause(self.parts.pause_seconds)
            return self.learnt
        why = f"{', '.join(holders)} holds it" if holders else "Atlas says that it is in use"
        return replace(self.learnt, kept={**self.learnt.kept, role: why})

    def _judged(self) -> tuple[str, ...]:
        """What the gates say once Atlas has applied everything; a role that is missing fails twice, a hiccup once."""
        last = self.parts.clock.tick() + self.parts.apply_seconds
        while not self.parts.estate.applied():
            if self.parts.clock.tick() > last:
                return (f"Atlas had not applied the changes within {self.parts.apply_seconds:.0f} s",)
            self.parts.clock.pause(self.parts.pause_seconds)
        red = self.parts.gates()
        if not red:
            return ()
        self.parts.say(f"the gates are asked once more: {'; '.join(red)}")
        self.parts.clock.pause(self.parts.pause_seconds)
        return self.parts.gates()

    def unanswered(self, error: ServiceError) -> None:
        self.failed += 1
        if self.failed >= TRIES:
            raise RetirementRefused(unanswered(self.goal, str(error)), 3) from None
        self.parts.clock.pause(self.parts.pause_seconds)


def carry_out(goal: Goal, parts: Parts) -> Done:
    """Reach the goal.

    Raises:
        RetirementRefused: it was refused, or undone, or it is not known what AWS or Atlas did.
    """
    return _Run(goal, parts).to_end()
