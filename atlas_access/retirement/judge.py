"""The retirement's gate: each condition judged met, unmet or unknown, with its evidence.

A user that a task-definition revision is bound to is not deleted. Pure. It must
never stop at the first condition that fails: a person sees all of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from atlas_access.base import VERIFIED_HOURS, Status, Step, Unread, What, confirmation_for
from atlas_access.drift import Drift, listed, moment
from atlas_access.retirement.model import (
    CLOCK_TOLERANCE_SECONDS,
    DEPLOYMENTS,
    SOAKED,
    TERRAFORM,
    Condition,
    lasted,
    met,
    unknown,
    unmet,
)
from atlas_access.retirement.observed import BoundRevision, ObservedAccount, ObservedGate, ObservedService

_SHOWN = 4
_HOUR = 3600.0


def conditions(observed: ObservedGate, *, strict: bool = True) -> tuple[Condition, ...]:
    """Judge every condition.

    With `strict` no legacy-bound revision may be left; without it, idle ones of the stack's own account may, because
    the retirement deregisters them before anything else and then judges strictly.
    """
    judged = (
        bindings(observed, strict=strict),
        deployments(observed),
        drift(observed),
        smoke(observed),
        phases(observed),
        logins(observed),
        confirmation(observed),
    )
    if observed.settings.retirement is Step.TOMBSTONE:
        return judged
    return (*judged, soaked(observed), terraform(observed))


def bindings(observed: ObservedGate, *, strict: bool) -> Condition:
    """No revision that is ACTIVE, or INACTIVE and in use, names a legacy secret, wherever the cluster is read from."""
    name = "no_legacy_bound_revision"
    unread = [each for each in observed.accounts if isinstance(each, Unread)]
    if unread:
        return unknown(
            name, listed(map(str, unread), _SHOWN), "Let this stack's observerRole list and describe there"
        )
    read = [each for each in observed.accounts if isinstance(each, ObservedAccount)]
    if not any(each.environment == observed.stack for each in read):
        return unknown(
            name,
            f"{observed.stack}'s own account was not inspected",
            "Run it with that account's credentials",
        )
    waits: list[str] = []
    problems: list[str] = []
    for account in read:
        idle = [each for each in account.bound if each.idle]
        if account.environment == observed.stack and not strict:
            waits += [each.short for each in idle]
        elif idle:
            problems.append(_idle(account, idle))
        problems += [_binding(account, each) for each in account.bound if each.used_by]
    if problems:
        return unmet(name, listed(problems, _SHOWN), _unbind(observed, read))
    inspected = " and ".join(f"{each.inspected} revisions in {each.environment}" for each in read)
    first = f"; {len(waits)} idle ones ({listed(waits, 2)}) are deregistered first" if waits else ""
    return met(name, f"none of {inspected} names a legacy secret or user and is in use{first}")


def deployments(observed: ObservedGate) -> Condition:
    """At least three deployments have completed since the binding."""
    name = "three_completed_deployments"
    own = _service(observed, observed.stack)
    if isinstance(own, Unread):
        return unknown(name, str(own), "Let these credentials list the service's deployments")
    if own.since is None:
        return unmet(
            name, f"{own.running} is not bound to the new secrets", f"Bind {observed.stack} first: phase bind"
        )
    shown = f"{own.completed} of {DEPLOYMENTS} completed since {moment(own.since)}"
    if own.completed < DEPLOYMENTS:
        return unmet(
            name, shown, f"Deploy {DEPLOYMENTS - own.completed} more times: a routine release counts"
        )
    return met(name, shown)


def drift(observed: ObservedGate) -> Condition:
    """The drift check finds nothing but what the retirement itself has done so far."""
    name = "drift_clean"
    found = observed.drift
    if isinstance(found, Unread):
        return unknown(name, str(found), f"See: atlas-access drift {observed.stack}")
    if found.findings:
        shown = listed((finding.what for finding in found.findings), _SHOWN)
        return unmet(
            name, f"{len(found.findings)} differences: {shown}", f"See: atlas-access drift {observed.stack}"
        )
    if found.status is not Status.GOOD:
        return unknown(name, listed(map(str, found.unread), _SHOWN), "Let these credentials read it")
    also = f"; {observed.explained} differences are the retirement's own" if observed.explained else ""
    also += "".join(f"; not inspected: {each}" for each in found.not_reached)
    return met(name, f"clean: {_counted(found)}{also}")


def smoke(observed: ObservedGate) -> Condition:
    """Every smoke gate is green on what runs now."""
    name, found = "smoke_gates_green", observed.smoke
    if isinstance(found, Unread):
        return unknown(
            name, str(found), f"Capture a baseline: atlas-access baseline capture {observed.stack}"
        )
    if found is None:
        return met(name, "not run: allowUngatedRollout, which only a sandbox's own tests may set")
    if found:
        return unmet(name, listed(found, _SHOWN), f"See: atlas-access smoke {observed.stack}")
    return met(name, "every gate green on what runs now")


def phases(observed: ObservedGate) -> Condition:
    """Every phase before has held for 24 h: bound in every environment, local file and code free of old variables."""
    name = "phases_verified_24h"
    if isinstance(observed.skew, Unread):
        return unknown(name, str(observed.skew), "The clock cannot be compared with AWS's; try again")
    if abs(observed.skew) > CLOCK_TOLERANCE_SECONDS:
        ahead = "ahead of" if observed.skew > 0 else "behind"
        off = f"this machine's clock is {abs(observed.skew):.0f} s {ahead} AWS's"
        return unknown(name, off, "Set the clock: no span of time can be measured with it")
    young: list[str] = []
    good: list[str] = []
    for each in observed.services:
        if isinstance(each, Unread):
            return unknown(name, str(each), "Let this stack's observerRole inspect that service")
        shown = _verified(each, observed.wall)
        (good if shown is None else young).append(shown or _bound(each, observed.wall))
    for what, stated in (("local file", What.LOCAL_VERIFIED), ("code", What.CODE_VERIFIED)):
        at = observed.settings.acknowledged_at(stated)
        shown = _acknowledged(what, at, stated, observed.wall)
        (good if shown is None else young).append(shown or f"{what} verified {at:%Y-%m-%d %H:%M} UTC")
    if young:
        return unmet(name, listed(young, 8), f"Wait until each has held for {VERIFIED_HOURS} h, or record it")
    return met(name, listed(good, 8))


def logins(observed: ObservedGate) -> Condition:
    """No legacy user has logged in during the soak, or a person has recorded that the tier keeps no history."""
    name, found = "no_legacy_login", observed.logins
    if isinstance(found, Unread):
        given = observed.settings.acknowledged_at(What.NO_LOGIN_HISTORY)
        since = max(
            (s.since or 0.0 for s in observed.services if isinstance(s, ObservedService)), default=0.0
        )
        if given is None:
            way = f"Where the tier keeps none (M0, Flex), state {What.NO_LOGIN_HISTORY} in acknowledged"
            return unknown(name, str(found), way)
        at = given.timestamp()
        if not since <= at <= observed.wall:
            way = "Record it anew, after the last binding and not in the future"
            return unmet(
                name, f"{What.NO_LOGIN_HISTORY} was stated {given:%Y-%m-%d %H:%M} UTC, outside the soak", way
            )
        return met(name, f"no access history ({found}), acknowledged {given:%Y-%m-%d %H:%M} UTC")
    span = f"between {found.start:%Y-%m-%d %H:%M} and {found.end:%Y-%m-%d %H:%M} UTC"
    if found.legacy:
        who = listed(
            (f"{e.user} {e.count} times, last {e.last:%Y-%m-%d %H:%M} UTC" for e in found.legacy), _SHOWN
        )
        return unmet(
            name, f"{who}", "Find who uses it (a laptop, a job, a dashboard) and move it to the successor"
        )
    return met(name, f"none by a legacy user among {found.asked} logins {span}")


def confirmation(observed: ObservedGate) -> Condition:
    """A person has typed which stack is to be retired."""
    name, wanted = "typed_confirmation", confirmation_for(observed.stack)
    typed = observed.settings.retire_confirmation
    if typed != wanted:
        shown = "nothing was typed" if not typed else "what was typed names another stack"
        return unmet(name, shown, f'Set atlas-access:retireConfirmation to "{wanted}"')
    return met(name, f'"{wanted}" stands in the configuration')


def soaked(observed: ObservedGate) -> Condition:
    """The tombstones have stood long enough: reversible for that time, and nobody missed the roles."""
    since, hours = observed.tombstoned, observed.settings.tombstone_hours
    if since is None:
        way = "Run the step tombstone first; after a restore, set phase bind and update before that"
        return unmet(SOAKED, "no completed tombstone is recorded", way)
    age = observed.wall - since
    if age < 0:
        return unmet(
            SOAKED, f"tombstoned {moment(since)}, which lies in the future", "A clock was shifted: set it"
        )
    shown = f"{lasted(age)} of {hours} h since {moment(since)}"
    if age < hours * _HOUR:
        return unmet(SOAKED, shown, f"Run it again after {moment(since + hours * _HOUR)}")
    return met(SOAKED, shown)


def terraform(observed: ObservedGate) -> Condition:
    """Terraform declares none of the stack's secrets: an apply after the deletion would make a legacy one again.

    A statement counts where the files say nothing; what they declare is never overruled.
    """
    found = observed.terraform
    declared = [] if isinstance(found, Unread) else [each for each in found if each.status is Status.BAD]
    if declared:
        return unmet(TERRAFORM, listed((each.text for each in declared), _SHOWN), declared[0].remedy)
    unclear = (
        [str(found)]
        if isinstance(found, Unread)
        else [each.text for each in found if each.status is not Status.GOOD]
    )
    stated = observed.settings.acknowledged_at(What.TERRAFORM_SECRETS_RELEASED)
    if unclear and stated is None:
        way = f"Name the folder in terraformDirectory, or state {What.TERRAFORM_SECRETS_RELEASED} in acknowledged"
        return unknown(TERRAFORM, listed(unclear, _SHOWN), way)
    if unclear and stated is not None:
        return met(TERRAFORM, f"acknowledged {stated:%Y-%m-%d %H:%M} UTC")
    return met(TERRAFORM, "no Terraform file declares a secret of this stack")


def _binding(account: ObservedAccount, each: BoundRevision) -> str:
    state = "" if each.active else " (INACTIVE)"
    named = listed(each.names, 2)
    return f"{account.environment}: {each.short}{state} names {named}, used by {listed(each.used_by, 2)}"


def _idle(account: ObservedAccount, idle: Sequence[BoundRevision]) -> str:
    named = listed(sorted({name for each in idle for name in each.names}), 3)
    revisions = listed((each.short for each in sorted(idle, key=_number)), 2)
    return f"{account.environment}: {len(idle)} idle revisions ({revisions}) name {named}"


def _number(each: BoundRevision) -> tuple[str, int]:
    family, _, number = each.short.partition(":")
    return family, int(number) if number.isdigit() else 0


def _unbind(observed: ObservedGate, read: Sequence[ObservedAccount]) -> str:
    foreign = [
        each.environment
        for each in read
        if each.environment != observed.stack and any(bound.active or bound.used_by for bound in each.bound)
    ]
    if foreign:
        also = " and ".join(foreign)
        return f"Bind {also}, let it soak, and retire it first: its own retirement deregisters its revisions"
    return "Move what runs or schedules them onto the new revision; idle ones the retirement deregisters"


def _service(observed: ObservedGate, environment: str) -> ObservedService | Unread:
    for each in observed.services:
        if isinstance(each, ObservedService) and each.environment == environment:
            return each
    unread = [each for each in observed.services if isinstance(each, Unread)]
    return unread[0] if unread else Unread(f"{environment}'s service", "it was not inspected")


def _verified(each: ObservedService, wall: float) -> str | None:
    """Why an environment's binding is not yet verified for long enough, or None."""
    if each.troubles:
        return f"{each.environment}: {listed(each.troubles, 2)}"
    if each.since is None:
        return f"{each.environment} runs {each.running}, which is bound to legacy secrets"
    age = wall - each.since
    if age < 0:
        return f"{each.environment} is bound since {moment(each.since)}, which lies in the future"
    if age < VERIFIED_HOURS * _HOUR:
        return f"{each.environment} is bound for {lasted(age)} of {VERIFIED_HOURS} h"
    return None


def _bound(each: ObservedService, wall: float) -> str:
    return f"{each.environment} bound for {lasted(wall - (each.since or wall))}"


def _acknowledged(what: str, at: datetime | None, stated: What, wall: float) -> str | None:
    if at is None:
        return f"{what}: not acknowledged ({stated})"
    age = wall - at.timestamp()
    if age < 0:
        return f"{what}: {stated} lies in the future"
    if age < VERIFIED_HOURS * _HOUR:
        return f"{what} is verified for {lasted(age)} of {VERIFIED_HOURS} h"
    return None


def _counted(found: Drift) -> str:
    return ", ".join(f"{count} {what}" for what, count in found.checked if count) or "everything compared"
