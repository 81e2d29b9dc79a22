"""One stack's legacy systems in memory with a fake clock, and runs of the retirement that can be made to die anywhere.

The systems itself refuses what must never happen: a user deleted early, roles lost, a secret gone before its user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rollout_world import FakeClock

from atlas_access.base.acknowledged import Acknowledgement, What
from atlas_access.base.observed import HeldRole
from atlas_access.base.phases import Step
from atlas_access.base.settings import Settings
from atlas_access.drift.finding import Drift
from atlas_access.retirement.journal import STAGE, read_journal
from atlas_access.retirement.judge import conditions
from atlas_access.retirement.model import TOMBSTONE_ROLE, TOMBSTONED
from atlas_access.retirement.observed import (
    BoundRevision,
    ObservedAccount,
    ObservedGate,
    ObservedService,
    SoakLogins,
)
from atlas_access.retirement.run import Parts, carry_out
from atlas_access.retirement.steps import (
    Done,
    Examined,
    Goal,
    LiveState,
    LiveUser,
    RoleInUse,
    SecretState,
    Target,
    Way,
)

DAY = 86_400.0
STACK = "staging"
LEGACY = {
    "app_writer_plans": frozenset({HeldRole("role_writer_plans", "admin")}),
    "audit_reader": frozenset({HeldRole("role_audit_reader", "admin")}),
    "app_read_staging": frozenset(
        {HeldRole("read", "askflorence"), HeldRole("role_reader_reference", "admin")}
    ),
}
KEPT = {
    "app_admin_schema": frozenset({HeldRole("role_admin_schema", "admin")}),
    "app_read": frozenset({HeldRole("read", "askflorence")}),
}
ROLES = ("role_writer_plans", "role_audit_reader", "role_reader_reference")
SECRETS = ("staging/mongodb/audit-read", "staging/mongodb/plans-write", "staging/mongodb/reference-uri")
IDLE = tuple(f"arn:aws:ecs:r:111111111111:task-definition/app:{number}" for number in (6, 7))


@dataclass
class FakeSystems:
    """Everything that a retirement inspects and changes. `at_boundary` is called before and after every change."""

    clock: FakeClock = field(default_factory=FakeClock)
    tags: dict[str, str] = field(default_factory=dict)
    users: dict[str, LiveUser] = field(default_factory=dict)
    roles: set[str] = field(default_factory=lambda: {*ROLES, "role_admin_schema"})
    secrets: dict[str, SecretState] = field(
        default_factory=lambda: dict.fromkeys(SECRETS, SecretState.PRESENT)
    )
    active: set[str] = field(default_factory=lambda: set(IDLE))
    role_sound: bool = True
    lagging: int = 0
    at_boundary: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        if not self.users:
            self.users = {name: LiveUser(roles) for name, roles in (LEGACY | KEPT).items()}

    def observe(self, goal: Goal) -> LiveState:
        self.at_boundary("live")
        wanted = goal.secrets if goal.way is Way.DELETE else ()
        sound = self.role_sound if TOMBSTONE_ROLE in self.roles else None
        secrets = {name: self.secrets.get(name, SecretState.ABSENT) for name in wanted}
        journal, users, roles = read_journal(self.tags), dict(self.users), frozenset(self.roles)
        return LiveState(journal, users, roles, sound, secrets, self.clock.wall())

    def write(self, tags: Mapping[str, str]) -> None:
        self._change("write", lambda: self.tags.update(tags))

    def erase(self, keys: tuple[str, ...]) -> None:
        self._change("erase", lambda: [self.tags.pop(key, None) for key in keys])

    def deregister(self, revision: str) -> None:
        self._change("deregister", lambda: self.active.discard(revision))

    def make_role(self) -> None:
        self._change("make role", lambda: self.roles.add(TOMBSTONE_ROLE))

    def strip(self, user: str, at: float) -> None:
        assert not self.active, "roles taken away while a revision is bound"
        assert TOMBSTONE_ROLE in self.roles
        before = self.users[user].roles - {TOMBSTONED}
        assert before <= read_journal(self.tags).was[user], "roles taken away that nobody recorded"
        self._change("strip", lambda: self._put(user, LiveUser(frozenset({TOMBSTONED}), at)))

    def restore_roles(self, user: str, roles: frozenset[HeldRole]) -> None:
        self._change("give back", lambda: self._put(user, LiveUser(roles)))

    def remove_user(self, user: str) -> None:
        assert user not in KEPT, "a user deleted that stays"
        stamp = self.users[user].stamp
        assert self.users[user].tombstoned
        assert stamp is not None
        assert self.clock.wall() - stamp >= DAY, "deleted early"
        self._change("remove user", lambda: self.users.pop(user, None))

    def remove_role(self, role: str) -> None:
        assert role != "role_admin_schema"
        if self.lagging or any(role in {held.name for held in user.roles} for user in self.users.values()):
            self.lagging = max(0, self.lagging - 1)
            raise RoleInUse(role)
        self._change("remove role", lambda: self.roles.discard(role))

    def schedule(self, secret: str) -> None:
        assert not set(LEGACY) & set(self.users), "a secret gone before its user"

        def go() -> None:
            self.secrets[secret] = SecretState.SCHEDULED

        self._change("schedule", go)

    def applied(self) -> bool:
        return True

    def _put(self, user: str, live: LiveUser) -> None:
        self.users[user] = live

    def _change(self, name: str, do: Callable[[], object]) -> None:
        self.at_boundary(f"before {name}")
        do()
        self.at_boundary(f"after {name}")


def goal(way: Way, since: float | None = None) -> Goal:
    """Everything legacy of the fake stack."""
    return Goal(STACK, way, tuple(Target(n, r) for n, r in LEGACY.items()), ROLES, SECRETS, since)


def observed(step: Step, wall: float = 10 * DAY, **changes: Any) -> ObservedGate:
    """A inspect a gate of which every condition is met."""
    verified = datetime.fromtimestamp(wall - 2 * DAY, UTC)
    moment = datetime.fromtimestamp(wall, UTC)
    good = {
        "stack": STACK,
        "wall": wall,
        "skew": 0.4,
        "accounts": (ObservedAccount(STACK, 9), ObservedAccount("prod", 14)),
        "services": (
            ObservedService(STACK, "app:9", wall - 2 * DAY, 3),
            ObservedService("prod", "app:14", wall - DAY, 0),
        ),
        "drift": Drift(STACK, moment, (), checked=(("users", 13),)),
        "smoke": (),
        "logins": SoakLogins(verified, moment, 40),
        "terraform": (),
        "tombstoned": None if step is Step.TOMBSTONE else wall - DAY,
    }
    stated = changes.pop("acknowledged", {What.LOCAL_VERIFIED: verified, What.CODE_VERIFIED: verified})
    settings = Settings.model_construct(
        retirement=step,
        retire_confirmation=changes.pop("confirmation", f"retire {STACK}"),
        acknowledgements=[
            Acknowledgement(what=what, by="someone", at=at, why="it was observed")
            for what, at in stated.items()
        ],
    )
    return ObservedGate(settings=settings, **{**good, **changes})  # type: ignore[arg-type]


@dataclass
class Run:
    """How one run goes: what breaks the gate, and what the smoke gates say once everything is done.

    `rounds` are what they say first, `red` what they say from then on.
    """

    broken: Mapping[str, object] = field(default_factory=dict)
    red: tuple[str, ...] = ()
    said: list[str] = field(default_factory=list)
    rounds: Iterator[tuple[str, ...]] = field(default_factory=lambda: iter(()))

    def go(self, systems: FakeSystems, way: Way, since: float | None = None) -> Done:
        """One run in this process, to its end or its crash."""

        def examine(live: LiveState, strict: bool) -> Examined:
            systems.at_boundary("examine")
            bound = tuple(BoundRevision(arn, True, ("plans-write",)) for arn in sorted(systems.active))
            step = Step.DELETE if way is Way.DELETE else Step.TOMBSTONE
            changes = {"accounts": (ObservedAccount(STACK, 9, bound),), "tombstoned": live.journal.since}
            found = observed(step, live.wall, **{**changes, **self.broken})
            return Examined(conditions(found, strict=strict), tuple(sorted(systems.active)))

        def gates() -> tuple[str, ...]:
            systems.at_boundary("gates")
            return next(self.rounds, self.red)

        parts = Parts(systems, systems.clock, self.said.append, examine, gates)
        return carry_out(goal(way, since), parts)


def held(systems: FakeSystems) -> dict[str, frozenset[HeldRole]]:
    """Who holds what."""
    return {name: user.roles for name, user in systems.users.items()}


def untouched(systems: FakeSystems) -> bool:
    """Every user as it was, nothing of ours left behind."""
    roles = {*ROLES, "role_admin_schema"}
    return held(systems) == LEGACY | KEPT and systems.roles == roles and STAGE not in systems.tags


def gone(systems: FakeSystems) -> bool:
    """Nothing legacy is left, and everything else is as it was."""
    scheduled = set(systems.secrets.values()) == {SecretState.SCHEDULED}
    return held(systems) == KEPT and systems.roles == {"role_admin_schema"} and scheduled
