"""What `atlas-access rotate` changes in a stack's file, and what it says of it. Pure: nothing is contacted or written.

A rotation is reviewed as any other change: the program does the work, and only its preview knows what runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from atlas_access.base import Generations, Phase, RotationStep, Settings, login_of
from atlas_access.manifest import Manifest


class Verb(StrEnum):
    """What is asked of a rotation."""

    START = "start"
    FINISH = "finish"
    ABORT = "abort"
    COMPROMISED = "compromised"
    COMPROMISED_NOW = "compromised now"
    IN_PLACE = "in place"


class RotationRefused(ValueError):
    """The change cannot be written; the message says why and what to do instead."""


@dataclass(frozen=True)
class Change:
    """The settings to write, by bare name (None: take it out), and what a person reads."""

    settings: Mapping[str, Any]
    lines: tuple[str, ...] = field(default=())


def plan(stack: str, settings: Settings, manifest: Manifest, users: Sequence[str], verb: Verb) -> Change:
    """Decide the change for these users, one but for an exchange in place.

    Raises:
        RotationRefused: with the reason and the remedy.
    """
    names = [user.name for user in manifest.users]
    for user in users:
        if user not in names:
            raise RotationRefused(f"{user} is no user of access.yaml. It declares {', '.join(names)}.")
    if settings.phase is not Phase.BIND:
        raise RotationRefused(
            f"{stack} is in phase {settings.phase}: a rotation needs phase bind. "
            "Before it no service has a credential; a retirement is finished first."
        )
    if verb is Verb.IN_PLACE:
        return _in_place(stack, settings, manifest, users)
    if len(users) != 1:
        raise RotationRefused("One user rotates at a time. Several at once change only with --in-place.")
    step = {Verb.FINISH: _finish, Verb.ABORT: _abort}.get(verb)
    if step is not None:
        return step(stack, settings, manifest, users[0])
    return _start(stack, settings, manifest, users[0], verb)


def _start(stack: str, settings: Settings, manifest: Manifest, user: str, verb: Verb) -> Change:
    asked = settings.users
    steps = {Verb.COMPROMISED: RotationStep.REVOKE, Verb.COMPROMISED_NOW: RotationStep.REVOKE_NOW}
    step = steps.get(verb, RotationStep.MOVE)
    if asked.rotating and not asked.ends:
        if (asked.rotating, step) == (user, RotationStep.REVOKE_NOW) and asked.revokes:
            return _written(stack, settings, manifest, asked.generation(user), user, step)
        raise RotationRefused(
            f"{asked.rotating} rotates already ({asked.step}). End it first: "
            f"atlas-access rotate {stack} {asked.rotating} --finish, or --abort."
            " Where neither can be, --in-place changes the password with an outage."
        )
    if len(manifest.users) >= manifest.user_cap:
        raise RotationRefused(
            f"{len(manifest.users)} users are declared, and a rotation needs one more of the {manifest.user_cap} "
            "that a cluster may have. Either raise user_cap in access.yaml by a decision (with rotationHeadroom in "
            f"policy/policy-config.json), or: atlas-access rotate {stack} {user} --in-place, which has an outage."
        )
    return _written(stack, settings, manifest, asked.generation(user) + 1, user, step)


def _finish(stack: str, settings: Settings, manifest: Manifest, user: str) -> Change:
    asked = settings.users
    if asked.rotating != user or asked.ends:
        raise RotationRefused(_not_rotating(stack, asked, user, "finish"))
    return _written(stack, settings, manifest, asked.generation(user), user, RotationStep.FINISH)


def _abort(stack: str, settings: Settings, manifest: Manifest, user: str) -> Change:
    asked = settings.users
    if asked.rotating != user or asked.ends:
        raise RotationRefused(_not_rotating(stack, asked, user, "abort"))
    if asked.revokes:
        raise RotationRefused(
            f"{user} leaked, so that there is no way back to it: atlas-access rotate {stack} {user} --finish."
        )
    return _written(stack, settings, manifest, asked.generation(user) - 1, user, RotationStep.ABORT)


def _not_rotating(stack: str, asked: Generations, user: str, what: str) -> str:
    if asked.rotating == user:
        return f"{user}: {asked.step} is in the file already. Run pulumi preview --stack {stack}: it says what is open."
    now = f"{asked.rotating} does" if asked.rotating else "nobody does"
    return f"{user} does not rotate ({now}): there is nothing to {what}. Start with atlas-access rotate {stack} {user}."


def _in_place(stack: str, settings: Settings, manifest: Manifest, users: Sequence[str]) -> Change:
    asked, counted = settings.users, dict(settings.passwords)
    for user in users:
        if manifest.user(user).adopted and asked.generation(user) == 1:
            raise RotationRefused(
                f"{user} is adopted with a password that is not ours, and a rotation brings it here: "
                f"atlas-access rotate {stack} {user}."
            )
        login = asked.login(user)
        counted[login] = counted.get(login, 0) + 1
    logins = ", ".join(asked.login(user) for user in users)
    readers = _readers(stack, manifest, users)
    lines = (
        f"Pulumi.{stack}.yaml: the password of {logins} is replaced in place     (commit this; nothing was contacted)",
        "",
        f"OUTAGE: from the new password until the rollout ends, running tasks open no new connection as {logins}.",
        "The gates before the swap are reported only (repair), those after it count as ever.",
        *(f"{reader} reads it too, and is out until its own update: run it at once." for reader in readers),
        f"Next: pulumi preview --stack {stack}, pulumi up --stack {stack}; then remove atlas-access:repair.",
    )
    # The reason counts with the passwords: a repair is spent by one revision.
    reason = ", ".join(f"password {counted[asked.login(user)]} of {asked.login(user)}" for user in users)
    return Change({"passwords": counted, "repair": f"{reason}, replaced in place"[:200]}, lines)


def _readers(stack: str, manifest: Manifest, users: Sequence[str]) -> tuple[str, ...]:
    found = (where for user in users for where, _ in manifest.carriers(user, stack) if where != stack)
    return tuple(dict.fromkeys(found))


def _written(
    stack: str, settings: Settings, manifest: Manifest, generation: int, user: str, step: RotationStep
) -> Change:
    before = settings.users
    counted = {**settings.generations, user: generation}
    wanted = {name: number for name, number in counted.items() if number > 1}
    after = Generations(wanted, user, step)
    change = {
        "generations": wanted or None,
        "rotating": user,
        "rotationStep": None if step is RotationStep.MOVE else step.value,
    }
    return Change(change, tuple(_lines(stack, manifest, before, after)))


def _lines(stack: str, manifest: Manifest, before: Generations, after: Generations) -> Iterator[str]:
    user, step = after.rotating, after.step
    was, now, leaving = before.generation(user), after.generation(user), after.leaving(user) or 1
    moved = f"generations.{user} {was} → {now}, " if was != now else ""
    named = "" if step is RotationStep.MOVE else f", rotationStep: {step}"
    yield (f"Pulumi.{stack}.yaml: {moved}rotating: {user}{named}     (commit this; nothing was contacted)")
    yield ""
    own = next(names for where, names in manifest.carriers(user, stack) if where == stack)
    new, old = login_of(user, now), login_of(user, leaving)
    meanwhile = f"{len(manifest.users) + 1} of {manifest.user_cap} users meanwhile"
    made = f"create {new} · a new version of {', '.join(own)} · proof · move · gates; {meanwhile}."
    if step is RotationStep.MOVE:
        yield f"From the file:  {made}"
    elif after.revokes:
        which = (
            "without waiting for other stacks"
            if step is RotationStep.REVOKE_NOW
            else "in every reading stack"
        )
        yield f"From the file:  {made if was != now else ''}"
        yield f"                {old} loses its roles once the gates are green, {which}. There is no way back."
    elif step is RotationStep.FINISH:
        yield f"From the file:  the way back is remade with {new} · revisions of {old} are deregistered · {old} goes."
    else:
        yield f"From the file:  back to {new} · proof · move · gates · {old} goes."
    if after.ends:
        yield f"Known only to the preview: whether anything still uses {old}. While it does, both stay."
    else:
        yield "Known only to the preview: revisions, what runs, what Atlas has. Both users work until the finish."
    yield from _next(stack, manifest, after)


def _next(stack: str, manifest: Manifest, after: Generations) -> Iterator[str]:
    user, readers = after.rotating, _readers(stack, manifest, [after.rotating])
    if readers:
        others = " and ".join(readers)
        if after.step is RotationStep.MOVE:
            yield f"{others} reads it too: update {stack}, then {others} without an edit, before the finish."
        else:
            yield f"Three updates: {stack} (keeps both), {others} without an edit, {stack} again."
    if after.ends:
        yield f"Next: pulumi preview --stack {stack}, pulumi up --stack {stack}; docs/runbooks/rotate.md"
        return
    yield (
        f"After the soak: atlas-access rotate {stack} {user} --finish     "
        f"Developers: atlas-access env {stack} --write .env.local"
    )
