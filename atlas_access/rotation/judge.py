"""The conditions under which the other generation of a credential goes: each met, unmet or unknown. Pure.

What uses a generation: a running, pending or stopping task; a schedule; the recorded way back; another stack; a login
by its name since the service was moved off it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from atlas_access.base import Unread
from atlas_access.retirement import Condition, ObservedAccount, SoakLogins, met, unknown, unmet

WAY_BACK = "way_back_of_{}"


@dataclass(frozen=True)
class ReadBy:
    """One environment that reads the credential, as it was found.

    `account` holds the revisions that name another version than the wanted generation's, `followed` whether the current
    version of each of its secrets is the wanted one, `recorded` the way back where it is bound to another one, "" where
    it is not.
    """

    environment: str
    account: ObservedAccount | Unread
    followed: bool | Unread
    recorded: str | Unread


@dataclass(frozen=True)
class ObservedEnd:
    """What was asked before a generation goes. `login` is its login name, `wanted` the one that stays.

    `soak` are the reasons why the soak of the stack's own service is not over. `no_history` is when a person has stated
    that Atlas keeps no access history there, and `since` (Unix seconds) when the last service was moved.
    """

    stack: str
    user: str
    login: str
    wanted: str
    readers: tuple[ReadBy, ...]
    soak: tuple[str, ...] | Unread
    logins: SoakLogins | Unread
    since: float
    no_history: datetime | None = None


def conditions(observed: ObservedEnd) -> tuple[Condition, ...]:
    """Every condition, in the order in which a person reads them."""
    return (*_readers(observed), *_ways_back(observed), _soaked(observed), _logins(observed))


def followed(observed: ObservedEnd) -> tuple[Condition, ...]:
    """The conditions under which a leaked credential loses its roles: every reading stack runs the wanted one."""
    return tuple(_readers(observed))


def in_use(observed: ObservedEnd) -> tuple[Condition, ...]:
    """The conditions that say what uses the generation now."""
    return (*_readers(observed), *_ways_back(observed))


def of_this_update(observed: ObservedEnd, each: Condition) -> bool:
    """Whether this very update makes the condition met: the stack's own way back, and its idle revisions."""
    return each.subject == WAY_BACK.format(observed.stack)


def _readers(observed: ObservedEnd) -> Iterator[Condition]:
    for each in observed.readers:
        name = f"unused_in_{each.environment}"
        remedy = (
            f"Update {each.environment}; what is not the service's own, move by hand to {observed.wanted}"
        )
        unread = next((part for part in (each.account, each.followed) if isinstance(part, Unread)), None)
        if unread is not None or isinstance(each.account, Unread):
            remedy = f"Let this stack's observerRole list and describe in {each.environment}"
            yield unknown(name, str(unread), remedy)
            continue
        used = [f"{one.short} ({', '.join(one.used_by)})" for one in each.account.bound if one.used_by]
        if not each.followed:
            what = f"the current version of its secret is not {observed.wanted}'s"
            yield unmet(name, what, f"Update {each.environment}: it takes what {observed.stack} hands over")
        elif used:
            yield unmet(name, f"{observed.login} is used by {', '.join(used[:5])}", remedy)
        else:
            yield met(name, f"none of {each.account.inspected} revisions that runs or is scheduled names it")


def _ways_back(observed: ObservedEnd) -> Iterator[Condition]:
    for each in observed.readers:
        name = WAY_BACK.format(each.environment)
        if isinstance(each.recorded, Unread):
            yield unknown(
                name, str(each.recorded), f"Let this stack's observerRole describe {each.environment}"
            )
        elif each.recorded:
            remedy = f"Update {each.environment}: it registers the way back again with {observed.wanted}"
            yield unmet(name, f"{each.recorded} is bound to {observed.login}", remedy)
        else:
            yield met(name, f"it is not bound to {observed.login}")


def _soaked(observed: ObservedEnd) -> Condition:
    if isinstance(observed.soak, Unread):
        return unknown("soaked", str(observed.soak), "Let this stack read its service and its log")
    if observed.soak:
        return unmet(
            "soaked", "; ".join(observed.soak), "Wait for the end of the soak, or repair what it shows"
        )
    return met("soaked", f"{observed.stack} has run on {observed.wanted} without an error spike")


def _logins(observed: ObservedEnd) -> Condition:
    name, found = "no_login", observed.logins
    if isinstance(found, Unread):
        stated = observed.no_history
        if stated is None or stated.timestamp() < observed.since:
            way = "Where the tier keeps none (M0, Flex), state no-login-history in acknowledged, after the last swap"
            return unknown(name, str(found), way)
        return met(name, f"no access history ({found}), acknowledged {stated:%Y-%m-%d %H:%M} UTC")
    span = f"between {found.start:%Y-%m-%d %H:%M:%S} and {found.end:%Y-%m-%d %H:%M:%S} UTC"
    who: Sequence[str] = [
        f"{each.user} {each.count} times, last {each.last:%H:%M:%S} UTC" for each in found.legacy
    ]
    if who:
        return unmet(name, f"{', '.join(who)} {span}", "Find who uses it (a laptop, a job) and move it")
    return met(name, f"none by {observed.login} among {found.asked} logins {span}")
