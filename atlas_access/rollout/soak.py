"""Whether the environment before this one has run on its new credentials long enough, without an error spike.

Asked live of that environment's service and logs, never of stored outputs. Three answers each: clear, spike, unknown;
unknown refuses. The decision is pure; `atlas_access.rollout.observe_soak` observes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from atlas_access.base import secret_references
from atlas_access.clients import Alarm
from atlas_access.rollout.model import ServiceState, short
from atlas_access.rollout.service_tags import ServiceTags

TOLERATED = 3
"""Errors within the soak that are no spike whatever came before."""


_DAY = 86400.0
"""A soak that lasts longer is judged by its last day: logs and access history are kept and read for days only."""


class Errors(StrEnum):
    """What a source of errors says of the soak."""

    CLEAR = "clear"
    SPIKE = "spike"
    ALARM = "in alarm"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Source:
    """One source: its name, its answer, and the numbers or the reason behind it."""

    name: str
    answer: Errors
    why: str


@dataclass(frozen=True)
class ObservedSoak:
    """What a inspect the environment before showed. `wall` is Unix seconds."""

    stack: str
    service: ServiceState
    service_tags: ServiceTags
    wall: float
    sources: tuple[Source, ...] = ()

    @property
    def bound_since(self) -> float | None:
        """Since when the revision that runs has been bound and green; None when it is not."""
        bound = self.service_tags.bound
        if bound is None or not self.service.runs(bound.revision):
            return None
        primary = self.service.primary
        return max(bound.since, primary.began if primary else 0.0)

    @property
    def minutes(self) -> float:
        """How long it has soaked."""
        since = self.bound_since
        return 0.0 if since is None else max(0.0, self.wall - since) / 60


def released(
    service_tags: ServiceTags, running: str, was_bound: Mapping[str, Any], runs: Mapping[str, Any]
) -> ServiceTags:
    """The tags after a routine release: a revision that binds the very same secrets is as bound as the recorded one.

    `was_bound` and `runs` are the definitions of the recorded revision and of the one that runs.
    """
    if service_tags.bound is None or secret_references(was_bound) != secret_references(runs):
        return service_tags
    return replace(service_tags, bound=replace(service_tags.bound, revision=running))


def spike(name: str, before: int, during: int) -> Source:
    """Compare two windows of the same length: more than three errors, and more than twice those before, is a spike."""
    answer = Errors.SPIKE if during > max(TOLERATED, 2 * before) else Errors.CLEAR
    return Source(name, answer, f"{during} errors in the soak, {before} in as long a time before it")


def windows(since: float, wall: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """The two times of the same length that are compared: before the soak, and its last day at most."""
    span = min(wall - since, _DAY)
    return (since - span, since), (wall - span, wall)


def alarmed(alarm: Alarm) -> Source:
    """One CloudWatch alarm, as it is now."""
    answer = {None: Errors.UNKNOWN, True: Errors.CLEAR, False: Errors.ALARM}[alarm.ok]
    return Source(f"alarm {alarm.name}", answer, alarm.why)


def unknown(name: str, why: str) -> Source:
    """A source that gave no answer."""
    return Source(name, Errors.UNKNOWN, why)


def refusals(observed: ObservedSoak, needed_minutes: int) -> tuple[str, ...]:
    """Every reason why the next environment must not follow yet."""
    reasons = []
    if observed.service_tags.broken:
        return (
            f"{observed.stack}: the service_tags on its service make no sense ({observed.service_tags.broken})",
        )
    if observed.service_tags.lease is not None:
        reasons.append(
            f"{observed.stack} is being moved by run {observed.service_tags.lease.run}; wait for its end"
        )
    if observed.service_tags.held is not None:
        reasons.append(f"{observed.stack} was rolled back and is held; it goes first")
    if observed.bound_since is None:
        reasons.append(
            f"{observed.stack} is not bound: {short(observed.service.revision)} runs ({observed.service.counted}) "
            f"but was not deployed by a successful rollout; bind {observed.stack} first"
        )
    elif observed.minutes < needed_minutes:
        reasons.append(
            f"{observed.stack} has soaked {observed.minutes:.0f} of {needed_minutes} minutes; "
            f"update again in {needed_minutes - observed.minutes:.0f} minutes"
        )
    reasons += [
        f"{observed.stack}: {source.name}: {source.answer.value}: {source.why}"
        for source in observed.sources
        if source.answer is not Errors.CLEAR
    ]
    return tuple(reasons)


def line(observed: ObservedSoak, needed_minutes: int) -> str:
    """One line for a status: how the soak stands."""
    against = refusals(observed, needed_minutes)
    if against:
        return f"{observed.stack}: {against[0]}"
    return f"{observed.stack}: soaked {observed.minutes:.0f} minutes, {named(observed.sources)}"


def named(sources: Iterable[Source]) -> str:
    """The sources and their numbers, in one line."""
    return "; ".join(f"{each.name}: {each.why}" for each in sources) or "no source of errors was asked"
