"""Decides the next step of a retirement from what is seen and what this run knows. Pure: no clock, no network.

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
    GiveBack,
    Goal,
    Judge,
    Look,
    MakeRole,
    NotGreen,
    Refused,
    Remember,
    RemoveRole,
    RemoveUser,
    Restored,
    Schedule,
    SecretState,
    Strip,
    Target,
    Told,
    Undo,
    Way,
)

STAMP_TOLERANCE_SECONDS = 1.0
INTERRUPTED = "a restore that was begun before is brought to its end"
NO_WAY_BACK = (
    "the deletion has begun, and a deleted user has no way back: it takes a new user with a new password, a new secret "
    "value and a new revision bound to it"
)


def decide(goal: Goal, look: Look, told: Told) -> Effect:
    """The next step of this run."""
    journal = look.journal
    if journal.broken:
        return Refused(
            (
                f"tags on {goal.stack}'s service make no sense ({journal.broken}): somebody edited them; "
                "put them back as they were, or, if nothing was deleted, run atlas-access legacy restore",
            )
        )
    if goal.way is Way.RESTORE or told.undoing or journal.stage is Stage.RESTORING:
        return _restore(goal, look, told)
    return _tombstone(goal, look, told) if goal.way is Way.TOMBSTONE else _delete(goal, look, told)


def learn(told: Told, effect: Effect) -> Told:
    """What a run knows after a step; what the gate and the smoke gates said, their runner adds."""
    match effect:
        case Deregister(revision):
            return replace(told, deregistered=told.deregistered | {revision}, moved=True)
        case Undo(cause):
            return replace(told, undoing=cause)
        case _ if isinstance(effect, CHANGES):
            return replace(told, moved=True)
        case _:
            return told


def _tombstone(goal: Goal, look: Look, told: Told) -> Effect:
    journal = look.journal
    if journal.stage is Stage.DELETED:
        return Done(Stage.DELETED, journal.since, told.moved)
    if journal.stage is Stage.DELETING:
        return Refused((f"{NO_WAY_BACK}. Go on: atlas-access:retirement: delete",))
    left = tuple(_unlike(goal, look))
    if journal.stage is Stage.TOMBSTONED and not left:
        return Done(Stage.TOMBSTONED, journal.since, told.moved)
    asked = _asked(told)
    if asked is not None:
        return asked
    if journal.stage is not Stage.TOMBSTONING:
        return Enter(Stage.TOMBSTONING)
    if look.role_sound is None:
        return MakeRole()
    if not look.role_sound:
        return Refused((f"the role {TOMBSTONE_ROLE} grants more than it should: delete it in Atlas",))
    for target in left:
        return _strip(target, look)
    if told.after is None:
        return Judge()
    if told.after:
        return Undo(f"the gates are red without the roles: {'; '.join(told.after)}")
    return Enter(Stage.TOMBSTONED, look.wall)


def _asked(told: Told) -> Effect | None:
    """The gate, then the idle revisions, then the gate with none of them left; None once all of it is passed."""
    if told.examined is None:
        return Examine(strict=False)
    refused = _refused(told.examined.conditions)
    if refused is not None:
        return refused
    for revision in told.examined.idle:
        if revision not in told.deregistered:
            return Deregister(revision)
    if not told.examined.idle:
        return None
    return Examine(strict=True) if told.strictly is None else _refused(told.strictly.conditions)


def _refused(conditions: tuple[Condition, ...]) -> Refused | None:
    unmet = open_ones(conditions)
    return Refused(tuple(str(each) for each in unmet), conditions) if unmet else None


def _strip(target: Target, look: Look) -> Effect:
    """Its roles are remembered first; one that holds the tombstone beside others keeps what was remembered before."""
    roles = look.users[target.name].roles
    known = look.journal.was.get(target.name, frozenset())
    before = roles - {TOMBSTONED} | (known if TOMBSTONED in roles else frozenset[HeldRole]())
    return Strip(target.name) if known == before else Remember(target.name, before)


def _unlike(goal: Goal, look: Look) -> Iterator[Target]:
    """The legacy users that are there and are not tombstoned."""
    for target in goal.users:
        user = look.users.get(target.name)
        if user is not None and not user.tombstoned:
            yield target


def _delete(goal: Goal, look: Look, told: Told) -> Effect:
    journal = look.journal
    finished = not any(True for _ in _remaining(goal, look, told))
    if journal.stage is Stage.DELETED and finished:
        return Done(Stage.DELETED, journal.since, told.moved, told.kept)
    if journal.stage in (Stage.NONE, Stage.TOMBSTONING):
        how = "nothing is tombstoned" if journal.stage is Stage.NONE else "the tombstones are not complete"
        way = "run the step before first (retirement: tombstone; after a restore, phase bind and an update first)"
        return Refused((f"{how}: {way}",))
    mistrusted = tuple(_mistrusted(goal, look))
    if mistrusted:
        return Refused(mistrusted)
    asked = _asked(told)
    if asked is not None:
        return asked
    if journal.stage is Stage.TOMBSTONED:
        return Enter(Stage.DELETING, journal.since)
    for effect in _remaining(goal, look, told):
        return effect
    if told.after is None:
        return Judge()
    if told.after:
        return NotGreen(told.after)
    return Enter(Stage.DELETED, journal.since)


def _mistrusted(goal: Goal, look: Look) -> Iterator[str]:
    """Why the record of the tombstones cannot be believed: three places must tell the same story."""
    since = look.journal.since or 0.0
    if goal.told_since is not None and abs(goal.told_since - since) > STAMP_TOLERANCE_SECONDS:
        yield (
            "the service's tags and the stack's state do not agree on when the tombstones were complete: tags were "
            "edited by hand, or another run tombstoned anew; run atlas-access legacy restore and begin again"
        )
    for target in goal.users:
        user = look.users.get(target.name)
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


def _remaining(goal: Goal, look: Look, told: Told) -> Iterator[Effect]:
    """What is left of the deletion, in its order: users, then roles, then secrets."""
    for target in goal.users:
        if target.name in look.users:
            yield RemoveUser(target.name)
    for role in (*goal.roles, TOMBSTONE_ROLE):
        if role in look.roles and role not in told.kept:
            yield RemoveRole(role)
    for secret in goal.secrets:
        if look.secrets.get(secret) is SecretState.PRESENT:
            yield Schedule(secret)


def _restore(goal: Goal, look: Look, told: Told) -> Effect:
    journal = look.journal
    if journal.stage in (Stage.DELETING, Stage.DELETED):
        return Refused((NO_WAY_BACK,))
    stripped = [
        target
        for target in goal.users
        if target.name in look.users and TOMBSTONED in look.users[target.name].roles
    ]
    role_left = TOMBSTONE_ROLE in look.roles and TOMBSTONE_ROLE not in told.kept
    if journal.stage is Stage.NONE and not stripped and not role_left:
        return _restored(goal, told)
    if journal.stage is not Stage.RESTORING:
        return Enter(Stage.RESTORING, journal.since)
    for target in stripped:
        beside = look.users[target.name].roles - {TOMBSTONED}
        return GiveBack(target.name, (journal.was.get(target.name) or target.declared) | beside)
    return RemoveRole(TOMBSTONE_ROLE) if role_left else Erase()


def _restored(goal: Goal, told: Told) -> Effect:
    if goal.way is Way.RESTORE:
        return Done(Stage.NONE, None, told.moved, told.kept)
    return Restored(told.undoing or INTERRUPTED)
