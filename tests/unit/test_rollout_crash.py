"""A run may die before or after any effect: the next run ends the story, never with two revisions left serving."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from rollout_world import NEW, OLD, Crash, FakeEcs, FakeGates, back, forward, go, settled

from atlas_access.rollout.decide import STALE_SECONDS
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.service_tags import HELD, RUN, WISH, Lease
from atlas_access.rollout.steps import Goal

GATE = "gate 3 providers/covered: not covered"


@dataclass(frozen=True)
class Story:
    """A start, a goal, and where it must end: `allowed` names the revisions, each with what is bound then."""

    start: Callable[[], FakeEcs]
    goal: Callable[[str], Goal]
    red: dict[str, str] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    allowed: frozenset[tuple[str, str]] = frozenset({(NEW, NEW)})


def _bound() -> FakeEcs:
    ecs = FakeEcs.running()
    go(ecs, forward("run-0"), FakeGates())
    ecs.deployed.clear()
    return ecs


def _wished() -> FakeEcs:
    ecs = FakeEcs.running(new="stuck")

    def wish() -> None:
        if ecs.deployed == [NEW] and RUN in ecs.tags and not ecs.tags.get(WISH):
            ecs.tags |= {WISH: "asked for", HELD: "0"}

    ecs.on_look = wish
    return ecs


def _left_by_a_dead_run() -> FakeEcs:
    ecs = FakeEcs.running(NEW)
    ecs.tags = Lease("run-0", OLD, NEW, ecs.clock.now - 1000).tags()
    return ecs


BACK_ON_OLD = frozenset({(OLD, "")})
STORIES = {
    "forward, green": Story(FakeEcs.running, forward),
    "forward, a gate is red": Story(FakeEcs.running, forward, {NEW: GATE}, allowed=BACK_ON_OLD),
    "forward, the deployment fails": Story(
        lambda: FakeEcs.running(new="failing"), forward, allowed=BACK_ON_OLD
    ),
    "forward, the breaker returns": Story(
        lambda: FakeEcs.running(new="breaker"), forward, allowed=BACK_ON_OLD
    ),
    "forward, never stable": Story(lambda: FakeEcs.running(new="stuck"), forward, allowed=BACK_ON_OLD),
    "forward, refused": Story(FakeEcs.running, forward, refusals=("REFUTED",), allowed=BACK_ON_OLD),
    "forward, undone from elsewhere": Story(_wished, forward, allowed=BACK_ON_OLD),
    "forward, after a dead run": Story(_left_by_a_dead_run, forward),
    "back by rollback": Story(_bound, back, allowed=BACK_ON_OLD),
    "back by phase": Story(_bound, lambda run: back(run, leaving=NEW, hold=False), allowed=BACK_ON_OLD),
    "back, after a dead run": Story(_left_by_a_dead_run, back, allowed=BACK_ON_OLD),
}


@dataclass
class Fuse:
    """Dies at the boundary with this number; counts them all."""

    blows_at: int = -1
    count: int = 0

    def __call__(self, _: str) -> None:
        self.count += 1
        if self.count == self.blows_at:
            raise Crash


def attempt(story: Story, ecs: FakeEcs, run: str, fuse: Fuse) -> bool:
    """One run; whether it came to an end of its own. Its failures are ends, too."""
    ecs.at_boundary = fuse
    gates = FakeGates(dict(story.red), during=lambda: fuse("gates"))
    try:
        go(ecs, story.goal(run), gates, refusals=lambda: story.refusals)
    except Crash:
        return False
    except RolloutFailed:
        return True
    return True


def boundaries(story: Story) -> int:
    fuse = Fuse()
    assert attempt(story, story.start(), "run-1", fuse)
    return fuse.count


def ended(story: Story, ecs: FakeEcs) -> None:
    revision, deployments, leased, bound = settled(ecs)
    assert (1, False) == (deployments, leased)
    assert (revision, bound) in story.allowed


@pytest.mark.thorough
def test_the_next_run_converges_after_a_crash_at_every_boundary(record_property: Any) -> None:
    tried = 0
    total = sum(boundaries(story) for story in STORIES.values())
    for name, story in STORIES.items():
        for number in range(1, boundaries(story) + 1):
            ecs = story.start()
            assert not attempt(story, ecs, "run-1", Fuse(number)), name
            ecs.clock.now += STALE_SECONDS + 1
            assert attempt(story, ecs, "run-2", Fuse()), (name, number)
            ended(story, ecs)
            tried += 1
    record_property(
        "says", f"rollout: converged after a crash at {tried} of {total} boundaries, {len(STORIES)} stories"
    )
    assert total == tried


@pytest.mark.parametrize("name", STORIES)
def test_each_story_ends_where_it_must(name: str) -> None:
    story = STORIES[name]
    ecs = story.start()
    assert attempt(story, ecs, "run-1", Fuse())
    ended(story, ecs)


@pytest.mark.thorough
@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(STORIES)),
    crashes=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    pauses=st.lists(st.floats(0.0, 200.0), min_size=5, max_size=5),
)
def test_any_row_of_crashes_converges_in_the_end(name: str, crashes: list[int], pauses: list[float]) -> None:
    """Also when the next run comes too early: it is refused, and a later one ends the story."""
    story, ecs = STORIES[name], STORIES[name].start()
    for number, at in enumerate(crashes):
        attempt(story, ecs, f"again-{number}", Fuse(at))
        ecs.clock.now += pauses[number]
    ecs.clock.now += STALE_SECONDS + 1
    assert attempt(story, ecs, "run-last", Fuse())
    ended(story, ecs)


def test_a_crash_in_the_undoing_does_not_forget_the_hold() -> None:
    story = STORIES["forward, a gate is red"]
    for number in range(1, boundaries(story) + 1):
        ecs = story.start()
        attempt(story, ecs, "run-1", Fuse(number))
        undone = HELD in ecs.tags
        ecs.clock.now += STALE_SECONDS + 1
        attempt(story, ecs, "run-2", Fuse())
        assert not undone or HELD in ecs.tags, number
