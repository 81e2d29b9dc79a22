"""The effects of a retirement and of a restore, one for each step that `decide` chooses.

Each change is written into the journal, the tags of the service, before and after. What AWS or Atlas does not answer
ends the run, and the next one continues from the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from atlas_access.base import Clock
from atlas_access.clients import ServiceError
from atlas_access.retirement.decide import decide, learn
from atlas_access.retirement.journal import Stage, doing_tags, done_tags, stage_tags, was_tags
from atlas_access.retirement.live import LiveEstate
from atlas_access.retirement.model import TOMBSTONE_ROLE
from atlas_access.retirement.report import RetirementRefused, end_message, unknown
from atlas_access.retirement.steps import (
    CHANGES,
    ENDS,
    Change,
    Deregister,
    Done,
    Effect,
    End,
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
    RoleInUse,
    Schedule,
    Step,
    Strip,
    Undo,
)
from atlas_access.rollout import SILENT_SECONDS, MarkUnwritable, StepLoop

PAUSE_SECONDS = 2.0
RUN_SECONDS = 3600.0
"""The deadline of a run: a change takes seconds, the gates minutes."""
IN_USE_TRIES = 5
"""How often a role that nobody seems to hold may still be in use: Atlas may be a moment behind itself."""


@dataclass(frozen=True)
class Parts:
    """What a run works with. `gates` gives the failures of one round of smoke gates, none where none are run."""

    estate: LiveEstate
    clock: Clock
    say: Callable[[str], None]
    examine: Callable[[Look, bool], Examined]
    gates: Callable[[], tuple[str, ...]]
    apply_seconds: float = 120.0
    pause_seconds: float = PAUSE_SECONDS


class _Run(StepLoop[Look, Step, End, Learnt, Done]):
    ends = ENDS

    def __init__(self, goal: Goal, parts: Parts) -> None:
        super().__init__(
            Learnt(), parts.clock, parts.say, seconds=RUN_SECONDS, pause_seconds=parts.pause_seconds
        )
        self._goal, self._parts = goal, parts
        self._in_use: dict[str, int] = {}

    def observe(self) -> Look:
        return self._parts.estate.look(self._goal)

    def decide(self, observed: Look) -> Effect:
        return decide(self._goal, observed, self.learnt)

    def act(self, step: Effect, observed: Look) -> Learnt:
        try:
            return learn(self._perform(step, observed), step)
        except MarkUnwritable as error:
            raise RetirementRefused(end_message(self._goal, Refused((str(error),)))) from None

    def finish(self, end: End, observed: Look) -> Done:
        del observed
        text = end_message(self._goal, end)
        if not isinstance(end, Done):
            raise RetirementRefused(text)
        self.say(text)
        return end

    def unanswered(self, error: ServiceError, silent: float) -> None:
        if error.final or silent > SILENT_SECONDS:
            raise self.unknown(str(error)) from None

    def unknown(self, why: str) -> RetirementRefused:
        return RetirementRefused(unknown(self._goal, why), 3)

    def _perform(self, effect: Effect, look: Look) -> Learnt:
        estate = self._parts.estate
        match effect:
            case Examine(strict):
                found = self._parts.examine(look, strict)
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
                self.say(f"giving the recorded roles back: {cause}")
                estate.write(stage_tags(Stage.RESTORING, look.journal.since))
            case Erase():
                estate.erase(look.journal.keys)
            case _ if isinstance(effect, CHANGES):
                return self._change(effect, look)
        return self.learnt

    def _change(self, change: Change, look: Look) -> Learnt:
        self.say(str(change))
        self._parts.estate.write(doing_tags(str(change)))
        try:
            self._do(change, look)
        except RoleInUse:
            return self._held(change, look)
        self._parts.estate.write(done_tags(str(change)))
        return self.learnt

    def _do(self, change: Change, look: Look) -> None:
        estate = self._parts.estate
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
        tried = self._in_use[role] = self._in_use.get(role, 0) + 1
        if not holders and tried < IN_USE_TRIES:
            self.pause()
            return self.learnt
        why = f"{', '.join(holders)} holds it" if holders else "Atlas says that it is in use"
        return replace(self.learnt, kept={**self.learnt.kept, role: why})

    def _judged(self) -> tuple[str, ...]:
        """What the gates say once Atlas has applied everything; a role that is missing fails twice, a hiccup once."""
        last = self.clock.tick() + self._parts.apply_seconds
        while not self._parts.estate.applied():
            if self.clock.tick() > last:
                return (f"Atlas had not applied the changes within {self._parts.apply_seconds:.0f} s",)
            self.pause()
        red = self._parts.gates()
        if not red:
            return ()
        self.say(f"the gates are asked once more: {'; '.join(red)}")
        self.pause()
        return self._parts.gates()


def carry_out(goal: Goal, parts: Parts) -> Done:
    """Reach the goal.

    Raises:
        RetirementRefused: it was refused, or undone, or it is not known what AWS or Atlas did.
    """
    return _Run(goal, parts).to_end()
