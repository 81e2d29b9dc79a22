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
from atlas_access.retirement.live import LiveSystems
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
    Goal,
    Judge,
    Learnt,
    LiveState,
    MakeRole,
    Refused,
    Remember,
    RemoveRole,
    RemoveUser,
    RestoreRoles,
    RevokeRoles,
    RoleInUse,
    Schedule,
    Step,
    Undo,
)
from atlas_access.rollout import SILENT_SECONDS, StepLoop, TagUnwritable

PAUSE_SECONDS = 2.0
RUN_SECONDS = 3600.0
"""The deadline of a run: a change takes seconds, the gates minutes."""
IN_USE_TRIES = 5
"""How often a role that nobody seems to hold may still be in use: Atlas may be a moment behind itself."""


@dataclass(frozen=True)
class Parts:
    """What a run works with. `gates` gives the failures of one round of smoke gates, none where none are run."""

    systems: LiveSystems
    clock: Clock
    say: Callable[[str], None]
    examine: Callable[[LiveState, bool], Examined]
    gates: Callable[[], tuple[str, ...]]
    apply_seconds: float = 120.0
    pause_seconds: float = PAUSE_SECONDS


class _Run(StepLoop[LiveState, Step, End, Learnt, Done]):
    ends = ENDS

    def __init__(self, goal: Goal, parts: Parts) -> None:
        super().__init__(
            Learnt(), parts.clock, parts.say, seconds=RUN_SECONDS, pause_seconds=parts.pause_seconds
        )
        self._goal, self._parts = goal, parts
        self._in_use: dict[str, int] = {}

    def observe(self) -> LiveState:
        return self._parts.systems.observe(self._goal)

    def decide(self, observed: LiveState) -> Effect:
        return decide(self._goal, observed, self.learnt)

    def act(self, step: Effect, observed: LiveState) -> Learnt:
        try:
            return learn(self._perform(step, observed), step)
        except TagUnwritable as error:
            raise RetirementRefused(end_message(self._goal, Refused((str(error),)))) from None

    def finish(self, end: End, observed: LiveState) -> Done:
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

    def _perform(self, effect: Effect, live: LiveState) -> Learnt:
        systems = self._parts.systems
        match effect:
            case Examine(strict):
                found = self._parts.examine(live, strict)
                return (
                    replace(self.learnt, strictly=found) if strict else replace(self.learnt, examined=found)
                )
            case Enter(stage, since):
                systems.write(stage_tags(stage, since))
            case Remember(user, roles):
                systems.write(was_tags(user, roles))
            case Judge():
                return replace(self.learnt, after=self._judged())
            case Undo(cause):
                self.say(f"giving the recorded roles back: {cause}")
                systems.write(stage_tags(Stage.RESTORING, live.journal.since))
            case Erase():
                systems.erase(live.journal.keys)
            case _ if isinstance(effect, CHANGES):
                return self._change(effect, live)
        return self.learnt

    def _change(self, change: Change, live: LiveState) -> Learnt:
        self.say(str(change))
        self._parts.systems.write(doing_tags(str(change)))
        try:
            self._do(change, live)
        except RoleInUse:
            return self._held(change, live)
        self._parts.systems.write(done_tags(str(change)))
        return self.learnt

    def _do(self, change: Change, live: LiveState) -> None:
        systems = self._parts.systems
        match change:
            case Deregister(revision):
                systems.deregister(revision)
            case MakeRole():
                systems.make_role()
            case RevokeRoles(user):
                systems.strip(user, live.wall)
            case RestoreRoles(user, roles):
                systems.restore_roles(user, roles)
            case RemoveUser(user):
                systems.remove_user(user)
            case RemoveRole(role):
                systems.remove_role(role)
            case Schedule(secret):
                systems.schedule(secret)

    def _held(self, change: Change, live: LiveState) -> Learnt:
        """A role in use: held by somebody else it stays and is reported; by nobody, Atlas has not caught up."""
        role = change.role if isinstance(change, RemoveRole) else TOMBSTONE_ROLE
        holders = live.holders(role)
        tried = self._in_use[role] = self._in_use.get(role, 0) + 1
        if not holders and tried < IN_USE_TRIES:
            self.pause()
            return self.learnt
        why = f"{', '.join(holders)} holds it" if holders else "Atlas says that it is in use"
        return replace(self.learnt, kept={**self.learnt.kept, role: why})

    def _judged(self) -> tuple[str, ...]:
        """What the gates say once Atlas has applied everything; a role that is missing fails twice, a hiccup once."""
        last = self.clock.tick() + self._parts.apply_seconds
        while not self._parts.systems.applied():
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
