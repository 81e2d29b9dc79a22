"""Decides the next step of a retirement from what is observed and what this run knows. Pure: no clock, no network.

Whatever a run left when it died, the next one is decided from the live users, roles and secrets and the journal on the
service; a thing that is already as wanted asks for no step. It must never let a deletion follow anything but complete
tombstones that have stood their time, whatever the journal says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from atlas_access.base import HeldRole
from atlas_access.retirement.journal import Stage
from atlas_access.retirement.model import TOMBSTONE_ROLE, TOMBSTONED, Condition, open_ones
from atlas_access.retirement.steps import (
    CHANGES,
    Deregister,
    Done,
    Effect,
    Enter,
    Erase,
    Examine,
    Goal,
    Judge,
    Learnt,
    LiveState,
    MakeRole,
    NotGreen,
    Refused,
    Remember,
    RemoveRole,
    RemoveUser,
    Restored,
    RestoreRoles,
    RevokeRoles,
    Schedule,
    SecretState,
    Target,
    Undo,
    Way,
)

STAMP_TOLERANCE_SECONDS = 1.0
INTERRUPTED = "a restore that was begun before is brought to its end"
NO_WAY_BACK = (
    "the deletion has begun, and a deleted user has no way back: it takes a new user with a new password, a new secret "
    "value and a new revision bound to it"
)


def decide(goal: Goal, live: LiveState, learnt: Learnt) -> Effect:
    """The next step of this run."""
    journal = live.journal
    if journal.broken:
        return Refused(
            (
                f"tags on {goal.stack}'s service make no sense ({journal.broken}): somebody edited them; "
                "put them back as they were, or, if nothing was deleted, run atlas-access legacy restore",
            )
        )
    if goal.way is Way.RESTORE or learnt.undoing or journal.stage is Stage.RESTORING:
        return _restore(goal, live, learnt)
    return _tombstone(goal, live, learnt) if goal.way is Way.TOMBSTONE else _delete(goal, live, learnt)


def learn(learnt: Learnt, effect: Effect) -> Learnt:
    """What a run knows after a step; what the gate and the smoke gates said, their runner adds."""
    match effect:
        case Deregister(revision):
            return replace(learnt, deregistered=learnt.deregistered | {revision}, moved=True)
        case Undo(cause):
            return replace(learnt, undoing=cause)
        case _ if isinstance(effect, CHANGES):
            return replace(learnt, moved=True)
        case _:
            return learnt


def _tombstone(goal: Goal, live: LiveState, learnt: Learnt) -> Effect:
    journal = live.journal
    if journal.stage is Stage.DELETED:
        return Done(Stage.DELETED, journal.since, learnt.moved)
    if journal.stage is Stage.DELETING:
        return Refused((f"{NO_WAY_BACK}. Go on: atlas-access:retirement: delete",))
    left = tuple(_unlike(goal, live))
    if journal.stage is Stage.TOMBSTONED and not left:
        return Done(Stage.TOMBSTONED, journal.since, learnt.moved)
    asked = _asked(learnt)
    if asked is not None:
        return asked
    if journal.stage is not Stage.TOMBSTONING:
        return Enter(Stage.TOMBSTONING)
    if live.role_sound is None:
        return MakeRole()
    if not live.role_sound:
        return Refused((f"the role {TOMBSTONE_ROLE} grants more than it should: delete it in Atlas",))
    for target in left:
        return _strip(target, live)
    if learnt.after is None:
        return Judge()
    if learnt.after:
        return Undo(f"the gates are red without the roles: {'; '.join(learnt.after)}")
    return Enter(Stage.TOMBSTONED, live.wall)


def _asked(learnt: Learnt) -> Effect | None:
    """The gate, then the idle revisions, then the gate with none of them left; None once all of it is passed."""
    if learnt.examined is None:
        return Examine(strict=False)
    refused = _refused(learnt.examined.conditions)
    if refused is not None:
        return refused
    for revision in learnt.examined.idle:
        if revision not in learnt.deregistered:
            return Deregister(revision)
    if not learnt.examined.idle:
        return None
    return Examine(strict=True) if learnt.strictly is None else _refused(learnt.strictly.conditions)


def _refused(conditions: tuple[Condition, ...]) -> Refused | None:
    unmet = open_ones(conditions)
    return Refused(tuple(str(each) for each in unmet), conditions) if unmet else None


def _strip(target: Target, live: LiveState) -> Effect:
    """Its roles are remembered first; one that holds the tombstone beside others keeps what was remembered before."""
    roles = live.users[target.name].roles
    known = live.journal.was.get(target.name, frozenset())
    before = roles - {TOMBSTONED} | (known if TOMBSTONED in roles else frozenset[HeldRole]())
    return RevokeRoles(target.name) if known == before else Remember(target.name, before)


def _unlike(goal: Goal, live: LiveState) -> Iterator[Target]:
    """The legacy users that are there and are not tombstoned."""
    for target in goal.users:
        user = live.users.get(target.name)
        if user is not None and not user.tombstoned:
            yield target


def _delete(goal: Goal, live: LiveState, learnt: Learnt) -> Effect:
    journal = live.journal
    finished = not any(True for _ in _remaining(goal, live, learnt))
    if journal.stage is Stage.DELETED and finished:
        return Done(Stage.DELETED, journal.since, learnt.moved, learnt.kept)
    if journal.stage in (Stage.NONE, Stage.TOMBSTONING):
        how = "nothing is tombstoned" if journal.stage is Stage.NONE else "the tombstones are not complete"
        way = "run the step before first (retirement: tombstone; after a restore, phase bind and an update first)"
        return Refused((f"{how}: {way}",))
    mistrusted = tuple(_mistrusted(goal, live))
    if mistrusted:
        return Refused(mistrusted)
    asked = _asked(learnt)
    if asked is not None:
        return asked
    if journal.stage is Stage.TOMBSTONED:
        return Enter(Stage.DELETING, journal.since)
    for effect in _remaining(goal, live, learnt):
        return effect
    if learnt.after is None:
        return Judge()
    if learnt.after:
        return NotGreen(learnt.after)
    return Enter(Stage.DELETED, journal.since)


def _mistrusted(goal: Goal, live: LiveState) -> Iterator[str]:
    """Why the record of the tombstones cannot be believed: three places must tell the same story."""
    since = live.journal.since or 0.0
    if goal.recorded_since is not None and abs(goal.recorded_since - since) > STAMP_TOLERANCE_SECONDS:
        yield (
            "the service's tags and the stack's state do not agree on when the tombstones were complete: tags were "
            "edited by hand, or another run tombstoned anew; run atlas-access legacy restore and begin again"
        )
    for target in goal.users:
        user = live.users.get(target.name)
        if user is None:
            continue
        if not user.tombstoned:
            held = ", ".join(str(role) for role in sorted(user.roles)) or "no role"
            yield f"{target.name} holds {held} again: somebody needs it, or gave it back; find out who, then tombstone"
        elif user.stamp is None or user.stamp > since + STAMP_TOLERANCE_SECONDS:
            yield (
                f"{target.name} was tombstoned later than the service's tags say, or its label is gone: the tags or "
                "labels were edited by hand; run atlas-access legacy restore and begin again"
            )


def _remaining(goal: Goal, live: LiveState, learnt: Learnt) -> Iterator[Effect]:
    """What is left of the deletion, in its order: users, then roles, then secrets."""
    for target in goal.users:
        if target.name in live.users:
            yield RemoveUser(target.name)
    for role in (*goal.roles, TOMBSTONE_ROLE):
        if role in live.roles and role not in learnt.kept:
            yield RemoveRole(role)
    for secret in goal.secrets:
        if live.secrets.get(secret) is SecretState.PRESENT:
            yield Schedule(secret)


def _restore(goal: Goal, live: LiveState, learnt: Learnt) -> Effect:
    journal = live.journal
    if journal.stage in (Stage.DELETING, Stage.DELETED):
        return Refused((NO_WAY_BACK,))
    stripped = [
        target
        for target in goal.users
        if target.name in live.users and TOMBSTONED in live.users[target.name].roles
    ]
    role_left = TOMBSTONE_ROLE in live.roles and TOMBSTONE_ROLE not in learnt.kept
    if journal.stage is Stage.NONE and not stripped and not role_left:
        return _restored(goal, learnt)
    if journal.stage is not Stage.RESTORING:
        return Enter(Stage.RESTORING, journal.since)
    for target in stripped:
        beside = live.users[target.name].roles - {TOMBSTONED}
        return RestoreRoles(target.name, (journal.was.get(target.name) or target.declared) | beside)
    return RemoveRole(TOMBSTONE_ROLE) if role_left else Erase()


def _restored(goal: Goal, learnt: Learnt) -> Effect:
    if goal.way is Way.RESTORE:
        return Done(Stage.NONE, None, learnt.moved, learnt.kept)
    return Restored(learnt.undoing or INTERRUPTED)
