"""The retirement's journal, as tags on the stack's own service: how far it is, and the roles that users held before.

The tags outlive the state and the process: a run that died is continued by them. Pure: words to tags and back. Values
follow the same rules as those of `atlas_access.rollout.service_tags`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from atlas_access.base import HeldRole
from atlas_access.rollout import LONGEST, PREFIX, TagUnwritable, clean

STAGE, SINCE = f"{PREFIX}retire", f"{PREFIX}retire-since"
DOING, LAST = f"{PREFIX}retire-doing", f"{PREFIX}retire-done"
WAS = f"{PREFIX}retire-was/"
STAMP = f"{PREFIX}tombstoned"
"""The label on a tombstoned user in Atlas: when its roles were taken away, Unix seconds."""


class Stage(StrEnum):
    """How far a retirement is. TOMBSTONED is the only one in which nothing is going on and something is to come."""

    NONE = ""
    TOMBSTONING = "tombstoning"
    TOMBSTONED = "tombstoned"
    RESTORING = "restoring"
    DELETING = "deleting"
    DELETED = "deleted"


@dataclass(frozen=True)
class Journal:
    """What stands on the service. `since` is when the last role was taken away, gates green (Unix seconds).

    `doing` is the step that was begun last, `done` the one that was finished last; `was` the roles of each user before
    its tombstone. `broken` names tags that make no sense; nothing may be decided on them.
    """

    stage: Stage = Stage.NONE
    since: float | None = None
    doing: str = ""
    done: str = ""
    was: Mapping[str, frozenset[HeldRole]] = field(default_factory=dict)
    broken: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The tags that take it off again."""
        return (STAGE, SINCE, DOING, LAST, *(f"{WAS}{name}" for name in self.was))


def read_journal(tags: Mapping[str, str]) -> Journal:
    """Read a service's tags; those of others are none of ours."""
    broken = []
    stage, since = Stage.NONE, None
    try:
        stage = Stage(tags.get(STAGE, "").strip())
    except ValueError:
        broken.append(STAGE)
    try:
        since = float(tags[SINCE]) if tags.get(SINCE, "").strip() else None
    except ValueError:
        broken.append(SINCE)
    was = {}
    for key in sorted(tags):
        if key.startswith(WAS):
            try:
                was[key.removeprefix(WAS)] = read_roles(tags[key])
            except ValueError:
                broken.append(key)
    finished = stage in (Stage.TOMBSTONED, Stage.DELETING, Stage.DELETED)
    if finished and since is None and SINCE not in broken:
        broken.append(SINCE)
    doing, done = tags.get(DOING, "").strip(), tags.get(LAST, "").strip()
    return Journal(stage, since, doing, done, was, " and ".join(broken))


def stage_tags(stage: Stage, since: float | None) -> dict[str, str]:
    """The tags of a stage."""
    return {STAGE: stage.value, SINCE: "" if since is None else f"{since:.3f}"}


def was_tags(user: str, roles: Iterable[HeldRole]) -> dict[str, str]:
    """The tag that keeps a user's roles. Raises `TagUnwritable` when they do not fit."""
    key, value = f"{WAS}{user}", " ".join(str(role) for role in sorted(roles))
    if len(key) > LONGEST // 2 or clean(key) != key:
        raise TagUnwritable(f"the user {user!r} cannot be named by a tag of the service")
    if len(value) > LONGEST or clean(value) != value:
        raise TagUnwritable(f"the roles of {user} do not fit into a tag of the service")
    return {key: value}


def doing_tags(what: str) -> dict[str, str]:
    """The tag written before a step."""
    return {DOING: clean(what)}


def done_tags(what: str) -> dict[str, str]:
    """The tags written after a step."""
    return {DOING: "", LAST: clean(what)}


def read_roles(text: str) -> frozenset[HeldRole]:
    """Roles as `role@database` or `role@database.collection`, apart by spaces. Raises ValueError."""
    roles = set()
    for word in text.split():
        name, at, place = word.partition("@")
        database, _, collection = place.partition(".")
        if not (name and at and database):
            raise ValueError(word)
        roles.add(HeldRole(name, database, collection))
    if not roles:
        raise ValueError(text)
    return frozenset(roles)
