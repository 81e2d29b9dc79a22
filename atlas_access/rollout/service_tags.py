"""What a rollout writes on the service itself, as tags: its lease, a hold after a rollback, and what is bound.

The live service, not a state, says who moves it and what may move it. Pure: words to tags and back. A tag is no lock:
whoever takes a lease writes it, reads it back, and looks again before each move; the stack's own lock comes first.
Tag values: at most 256 characters of letters, digits, spaces and `+ - = . _ : / @` (AWS ECS API, Tag).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

PREFIX = "atlas-access/"
RUN, PRIOR, WANTED = f"{PREFIX}lease-run", f"{PREFIX}lease-prior", f"{PREFIX}lease-wanted"
HEARTBEAT, RELEASE, WISH = f"{PREFIX}lease-heartbeat", f"{PREFIX}lease-release", f"{PREFIX}lease-undo"
BACK = f"{PREFIX}lease-back"
LEASE_KEYS = (RUN, PRIOR, WANTED, HEARTBEAT, RELEASE, WISH, BACK)
HELD = f"{PREFIX}held"
BOUND, BOUND_PRIOR = f"{PREFIX}bound", f"{PREFIX}bound-prior"
BOUND_SINCE, BOUND_RELEASE = f"{PREFIX}bound-since", f"{PREFIX}bound-release"
BOUND_KEYS = (BOUND, BOUND_PRIOR, BOUND_SINCE, BOUND_RELEASE)

LONGEST = 256
MOST_TAGS = 50
"""How many tags AWS allows on a resource, those of AWS itself apart."""
_FOREIGN = re.compile(r"[^\w\s+\-=.:/@]", re.ASCII)


class TagUnwritable(ValueError):
    """A revision's ARN does not fit into a tag; nothing was written."""


@dataclass(frozen=True)
class Lease:
    """Who moves the service: from `prior` to `wanted`, or, once `wish` says why, back to `target`.

    `back` is the revision that takes the place of `prior` on the way back, "" where `prior` itself can run again.
    `heartbeat` is Unix seconds, `release` the setting `rolloutRelease` that the run started with.
    """

    run: str
    prior: str
    wanted: str
    heartbeat: float
    release: int = 0
    wish: str = ""
    back: str = ""

    @property
    def target(self) -> str:
        """The revision to go back to."""
        return self.back or self.prior

    def tags(self) -> dict[str, str]:
        """The lease as tags. Raises `TagUnwritable`."""
        return {
            RUN: _value(self.run),
            PRIOR: _value(self.prior),
            WANTED: _value(self.wanted),
            HEARTBEAT: f"{self.heartbeat:.3f}",
            RELEASE: str(self.release),
            WISH: clean(self.wish),
        } | ({BACK: _value(self.back)} if self.back else {})


@dataclass(frozen=True)
class Bound:
    """The revision that a rollout ended on, green; what ran before it; since when (Unix seconds)."""

    revision: str
    prior: str
    since: float
    release: int = 0

    def tags(self) -> dict[str, str]:
        """The record as tags. Raises `TagUnwritable`."""
        return {
            BOUND: _value(self.revision),
            BOUND_PRIOR: _value(self.prior),
            BOUND_SINCE: f"{self.since:.3f}",
            BOUND_RELEASE: str(self.release),
        }


@dataclass(frozen=True)
class ServiceTags:
    """Everything of ours on a service, and how many tags `others` have there.

    `broken` names tags that make no sense; nothing may be decided on them.
    """

    lease: Lease | None = None
    held: int | None = None
    bound: Bound | None = None
    broken: str = ""
    others: int = field(default=0, compare=False)


def read_service_tags(tags: Mapping[str, str]) -> ServiceTags:
    """Read a service's tags; those of others are none of ours."""
    broken = []
    lease = bound = held = None
    if RUN in tags or PRIOR in tags or WANTED in tags:
        try:
            lease = Lease(
                _full(tags, RUN),
                _full(tags, PRIOR),
                _full(tags, WANTED),
                float(tags[HEARTBEAT]),
                int(tags[RELEASE]),
                tags.get(WISH, "").strip(),
                tags.get(BACK, ""),
            )
        except (KeyError, ValueError):
            broken.append("the lease")
    if BOUND in tags:
        try:
            bound = Bound(
                _full(tags, BOUND),
                _full(tags, BOUND_PRIOR),
                float(tags[BOUND_SINCE]),
                int(tags[BOUND_RELEASE]),
            )
        except (KeyError, ValueError):
            broken.append("the record of what is bound")
    if HELD in tags:
        try:
            held = int(tags[HELD])
        except ValueError:
            broken.append("the hold")
    others = sum(not key.startswith((PREFIX, "aws:")) for key in tags)
    return ServiceTags(lease, held, bound, " and ".join(broken), others)


def untaggable(arn: str, tags: ServiceTags) -> str:
    """Why a rollout could not write all its tags on a service; "" when it can."""
    if "/" not in arn.rpartition(":service/")[2]:
        return (
            f"the service has the old short ARN ({arn}), which AWS lets nobody tag: create it anew (its ARN then names "
            "the cluster), and set atlas-access:ecsService to it"
        )
    free, wanted = MOST_TAGS - tags.others, len((*LEASE_KEYS, HELD, *BOUND_KEYS))
    if free >= wanted:
        return ""
    return (
        f"the service has {tags.others} tags beside ours, and AWS allows {MOST_TAGS}: remove {wanted - free}, "
        f"because a rollout writes up to {wanted}"
    )


def clean(text: str) -> str:
    """A sentence as a tag may hold it: other characters become spaces, and it is cut to fit."""
    return " ".join(_FOREIGN.sub(" ", text).split())[:LONGEST].strip()


def _value(text: str) -> str:
    if not text or len(text) > LONGEST or _FOREIGN.search(text):
        raise TagUnwritable(
            f"{text[:80]!r} does not fit into a tag of the service (1 to {LONGEST} characters)"
        )
    return text


def _full(tags: Mapping[str, str], key: str) -> str:
    if not tags[key]:
        raise ValueError(key)
    return tags[key]
