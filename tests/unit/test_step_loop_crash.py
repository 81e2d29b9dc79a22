"""A run of the shared step loop may die before or after any effect: the next run of a rollout or retirement ends it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from retirement_world import DAY, FakeSystems, Run, gone, untouched
from rollout_world import NEW, OLD, REMADE, Crash, FakeEcs, FakeGates, back, forward, go, settled

from atlas_access.retirement.journal import Stage, read_journal
from atlas_access.retirement.report import RetirementRefused
from atlas_access.retirement.steps import Way
from atlas_access.rollout.decide import STALE_SECONDS
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.service_tags import HELD, RUN, WISH, Lease
from atlas_access.rollout.steps import Chosen, Goal

GATE = "gate 3 providers/covered: not covered"


@dataclass
class Fuse:
    """Dies at the boundary with this number; counts them all."""

    blows_at: int = -1
    count: int = 0

    def __call__(self, _: str) -> None:
        self.count += 1
        if self.count == self.blows_at:
            raise Crash


@dataclass(frozen=True)
class Story:
    """A start, one run on it, and whether it ended where it must; `wait` is when the next run may begin."""

    start: Callable[[], Any]
    run: Callable[[Any, str], object]
    ended: Callable[[Any], bool]
    wait: float = 0.0


def rollout(
    goal: Callable[[str], Goal],
    start: Callable[[], FakeEcs] = FakeEcs.running,
    red: dict[str, str] | None = None,
    refusals: tuple[str, ...] = (),
    ends: tuple[str, str] = (NEW, NEW),
    back_to: str = OLD,
) -> Story:
    """`ends`: the revision that serves alone, without a lease, and what is recorded as bound."""

    def run(ecs: FakeEcs, name: str) -> None:
        gates = FakeGates(dict(red or {}), during=lambda: ecs.at_boundary("gates"))
        go(ecs, goal(name), gates, refusals=lambda: refusals, way_back=registered(ecs, back_to))

    def ended(ecs: FakeEcs) -> bool:
        revision, deployments, leased, bound = settled(ecs)
        return ((revision, bound), deployments, leased) == (ends, 1, False)

    return Story(start, run, ended, STALE_SECONDS + 1)


def registered(ecs: FakeEcs, back_to: str) -> Callable[[str], Chosen]:
    """The way back to OLD is `back_to`, registered again in case it is another revision."""

    def way_back(revision: str) -> Chosen:
        ecs.at_boundary("register")
        return Chosen(back_to if revision == OLD else revision)

    return way_back


def retirement(
    way: Way,
    start: Callable[[], FakeSystems] = FakeSystems,
    ended: Callable[[FakeSystems], bool] = gone,
    red: tuple[str, ...] = (),
) -> Story:
    return Story(start, lambda systems, _: Run(red=red).go(systems, way), ended)


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

    ecs.on_observe = wish
    return ecs


def _left_by_a_dead_run() -> FakeEcs:
    ecs = FakeEcs.running(NEW)
    ecs.tags = Lease("run-0", OLD, NEW, ecs.clock.now - 1000).tags()
    return ecs


def _tombstoned() -> FakeSystems:
    systems = FakeSystems()
    Run().go(systems, Way.TOMBSTONE)
    return systems


def _soaked() -> FakeSystems:
    systems = _tombstoned()
    systems.clock.now += DAY
    return systems


def _half_deleted() -> FakeSystems:
    systems = _soaked()

    def die(where: str) -> None:
        if where == "after remove user":
            raise Crash

    systems.at_boundary = die
    with pytest.raises(Crash):
        Run().go(systems, Way.DELETE)
    systems.at_boundary = lambda _: None
    return systems


def _is_tombstoned(systems: FakeSystems) -> bool:
    return read_journal(systems.tags).stage is Stage.TOMBSTONED and not systems.active


ON_OLD = (OLD, "")
STORIES = {
    "rollout": {
        "forward, green": rollout(forward),
        "forward, a gate is red": rollout(forward, red={NEW: GATE}, ends=ON_OLD),
        "forward, the deployment fails": rollout(
            forward, lambda: FakeEcs.running(new="failing"), ends=ON_OLD
        ),
        "forward, the breaker returns": rollout(forward, lambda: FakeEcs.running(new="breaker"), ends=ON_OLD),
        "forward, never stable": rollout(forward, lambda: FakeEcs.running(new="stuck"), ends=ON_OLD),
        "forward, refused": rollout(forward, refusals=("REFUTED",), ends=ON_OLD),
        "forward, undone from elsewhere": rollout(forward, _wished, ends=ON_OLD),
        "forward, after a dead run": rollout(forward, _left_by_a_dead_run),
        "forward, green, its credentials dead before": rollout(forward, back_to=REMADE),
        "forward, red, the credentials before dead": rollout(
            forward, red={NEW: GATE}, ends=(REMADE, ""), back_to=REMADE
        ),
        "back by rollback": rollout(back, _bound, ends=ON_OLD),
        "back by rollback, the credentials dead": rollout(back, _bound, ends=(REMADE, ""), back_to=REMADE),
        "back by phase": rollout(lambda run: back(run, leaving=NEW, hold=False), _bound, ends=ON_OLD),
        "back, after a dead run": rollout(back, _left_by_a_dead_run, ends=ON_OLD),
    },
    "retirement": {
        "tombstone": retirement(Way.TOMBSTONE, ended=_is_tombstoned),
        "tombstone, gates red without the roles": retirement(Way.TOMBSTONE, ended=untouched, red=("gate 2",)),
        "tombstone again": retirement(Way.TOMBSTONE, _tombstoned, _is_tombstoned),
        "delete": retirement(Way.DELETE, _soaked),
        "delete, after a dead run": retirement(Way.DELETE, _half_deleted),
        "delete too early": retirement(Way.DELETE, _tombstoned, _is_tombstoned),
        "restore": retirement(Way.RESTORE, _tombstoned, untouched),
        "restore of nothing": retirement(Way.RESTORE, ended=untouched),
    },
}
TOMBSTONE, DELETE, RESTORE = (STORIES["retirement"][name] for name in ("tombstone", "delete", "restore"))


def attempt(story: Story, world: Any, fuse: Fuse, run: str = "run-1") -> bool:
    """One run; whether it came to an end of its own. Its failures and refusals are ends, too."""
    world.at_boundary = fuse
    try:
        story.run(world, run)
    except Crash:
        return False
    except RolloutFailed:
        return True
    except RetirementRefused as refused:
        return refused.exit_code == 1
    return True


def boundaries(story: Story) -> int:
    fuse = Fuse()
    assert attempt(story, story.start(), fuse)
    return fuse.count


def row(world: Any, stories: Iterable[Story], crashes: list[int], pauses: list[float]) -> None:
    """Runs that may die, one after another."""
    for number, (story, crash, pause) in enumerate(zip(stories, crashes, pauses, strict=False)):
        attempt(story, world, Fuse(crash), f"again-{number}")
        world.clock.now += pause


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in STORIES for name in STORIES[kind]])
def test_each_story_ends_where_it_must(kind: str, name: str) -> None:
    story = STORIES[kind][name]
    world = story.start()
    assert attempt(story, world, Fuse())
    assert story.ended(world)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", STORIES)
def test_the_next_run_converges_after_a_crash_at_every_boundary(record_property: Any, kind: str) -> None:
    tried, total = 0, sum(map(boundaries, STORIES[kind].values()))
    for name, story in STORIES[kind].items():
        for number in range(1, boundaries(story) + 1):
            world = story.start()
            assert not attempt(story, world, Fuse(number)), (name, number)
            world.clock.now += story.wait
            assert attempt(story, world, Fuse(), "run-2"), (name, number)
            assert story.ended(world), (name, number)
            tried += 1
    record_property(
        "says",
        f"{kind}: converged after a crash at {tried} of {total} boundaries, {len(STORIES[kind])} stories",
    )
    assert total == tried


@pytest.mark.thorough
@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(STORIES["rollout"])),
    crashes=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    pauses=st.lists(st.floats(0.0, 200.0), min_size=5, max_size=5),
)
def test_any_row_of_crashed_rollouts_converges(name: str, crashes: list[int], pauses: list[float]) -> None:
    """Also when the next run comes too early: it is refused, and a later one ends the story."""
    story = STORIES["rollout"][name]
    ecs = story.start()
    row(ecs, [story] * len(crashes), crashes, pauses)
    ecs.clock.now += story.wait
    assert attempt(story, ecs, Fuse(), "run-last")
    assert story.ended(ecs)


@settings(max_examples=150, deadline=None)
@given(
    stories=st.lists(st.sampled_from([TOMBSTONE, DELETE, RESTORE]), min_size=1, max_size=6),
    crashes=st.lists(st.integers(1, 90), min_size=6, max_size=6),
    pauses=st.lists(st.floats(0.0, 2 * DAY), min_size=6, max_size=6),
)
def test_any_row_of_crashed_retirements_loses_nothing(
    stories: list[Story], crashes: list[int], pauses: list[float]
) -> None:
    """The fake itself refuses an early deletion and lost roles; a last row of runs ends with everything gone."""
    systems = FakeSystems()
    row(systems, stories, crashes, pauses)
    row(systems, [TOMBSTONE, TOMBSTONE, DELETE], [-1] * 3, [DAY] * 3)
    assert gone(systems)


def test_a_crash_in_the_undoing_does_not_forget_the_hold() -> None:
    story = STORIES["rollout"]["forward, a gate is red"]
    for number in range(1, boundaries(story) + 1):
        ecs = story.start()
        attempt(story, ecs, Fuse(number))
        undone = HELD in ecs.tags
        ecs.clock.now += story.wait
        attempt(story, ecs, Fuse(), "run-2")
        assert not undone or HELD in ecs.tags, number


def test_the_whole_retirement_converges_with_a_crash_in_each_step(record_property: Any) -> None:
    """Tombstone, a day, deletion: each step dies once, at every boundary, and the next run finishes it."""
    numbers = range(1, max(boundaries(TOMBSTONE), boundaries(DELETE)) + 1)
    for number in numbers:
        systems = FakeSystems()
        attempt(TOMBSTONE, systems, Fuse(number))
        assert attempt(TOMBSTONE, systems, Fuse())
        systems.clock.now += DAY
        attempt(DELETE, systems, Fuse(number))
        assert attempt(DELETE, systems, Fuse())
        assert gone(systems), number
    record_property(
        "says", f"retirement: whole with a crash in each step: {len(numbers)} of {len(numbers)} converged"
    )


def test_a_tombstone_that_died_anywhere_can_be_restored() -> None:
    """Whatever was taken away is recorded first."""
    for number in range(1, boundaries(TOMBSTONE) + 1):
        systems = FakeSystems()
        attempt(TOMBSTONE, systems, Fuse(number))
        assert attempt(RESTORE, systems, Fuse())
        assert untouched(systems), number
