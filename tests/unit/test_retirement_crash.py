"""A retirement may die before or after any effect: the next run ends the story, nothing early, nothing orphaned."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from retirement_world import DAY, Crash, FakeEstate, Run, gone, untouched

from atlas_access.retirement.journal import Stage, read_journal
from atlas_access.retirement.report import RetirementRefused
from atlas_access.retirement.steps import Way


def _fresh() -> FakeEstate:
    return FakeEstate()


def _tombstoned() -> FakeEstate:
    estate = FakeEstate()
    Run().go(estate, Way.TOMBSTONE)
    return estate


def _soaked() -> FakeEstate:
    estate = _tombstoned()
    estate.clock.now += DAY
    return estate


def _half_deleted() -> FakeEstate:
    estate = _soaked()

    def die(where: str) -> None:
        if where == "after remove user":
            raise Crash

    estate.at_boundary = die
    with pytest.raises(Crash):
        Run().go(estate, Way.DELETE)
    estate.at_boundary = lambda _: None
    return estate


def _is_tombstoned(estate: FakeEstate) -> bool:
    journal = read_journal(estate.tags)
    return journal.stage is Stage.TOMBSTONED and not estate.active


@dataclass(frozen=True)
class Story:
    """A start, a way, how the gates are, and what must be true in the end."""

    start: Callable[[], FakeEstate]
    way: Way
    ends: Callable[[FakeEstate], bool]
    red: tuple[str, ...] = ()


STORIES = {
    "tombstone": Story(_fresh, Way.TOMBSTONE, _is_tombstoned),
    "tombstone, gates red without the roles": Story(_fresh, Way.TOMBSTONE, untouched, ("gate 2",)),
    "tombstone again": Story(_tombstoned, Way.TOMBSTONE, _is_tombstoned),
    "delete": Story(_soaked, Way.DELETE, gone),
    "delete, after a dead run": Story(_half_deleted, Way.DELETE, gone),
    "delete too early": Story(_tombstoned, Way.DELETE, _is_tombstoned),
    "restore": Story(_tombstoned, Way.RESTORE, untouched),
    "restore of nothing": Story(_fresh, Way.RESTORE, untouched),
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


def attempt(story: Story, estate: FakeEstate, fuse: Fuse) -> bool:
    """One run; whether it came to an end of its own. Its refusals are ends, too."""
    estate.at_boundary = fuse
    try:
        Run(red=story.red).go(estate, story.way)
    except Crash:
        return False
    except RetirementRefused as refused:
        return refused.exit_code == 1
    return True


def boundaries(story: Story) -> int:
    fuse = Fuse()
    assert attempt(story, story.start(), fuse)
    return fuse.count


@pytest.mark.parametrize("name", STORIES)
def test_each_story_ends_where_it_must(name: str) -> None:
    estate = STORIES[name].start()
    assert attempt(STORIES[name], estate, Fuse())
    assert STORIES[name].ends(estate)


def test_the_next_run_converges_after_a_crash_at_every_boundary(record_property: Any) -> None:
    tried = 0
    total = sum(boundaries(story) for story in STORIES.values())
    for name, story in STORIES.items():
        for number in range(1, boundaries(story) + 1):
            estate = story.start()
            assert not attempt(story, estate, Fuse(number)), (name, number)
            assert attempt(story, estate, Fuse()), (name, number)
            assert story.ends(estate), (name, number)
            tried += 1
    record_property(
        "says",
        f"retirement: converged after a crash at {tried} of {total} boundaries, {len(STORIES)} stories",
    )
    assert total == tried


def test_the_whole_retirement_converges_with_a_crash_in_each_step(record_property: Any) -> None:
    """Tombstone, a day, deletion: each step dies once, at every boundary, and the next run goes on."""
    first, second = STORIES["tombstone"], STORIES["delete"]
    pairs = [(number, number) for number in range(1, max(boundaries(first), boundaries(second)) + 1)]
    for one, other in pairs:
        estate = FakeEstate()
        attempt(first, estate, Fuse(one))
        assert attempt(first, estate, Fuse())
        estate.clock.now += DAY
        attempt(second, estate, Fuse(other))
        assert attempt(second, estate, Fuse())
        assert gone(estate), (one, other)
    record_property(
        "says", f"retirement: whole with a crash in each step: {len(pairs)} of {len(pairs)} converged"
    )


def test_a_tombstone_that_died_anywhere_can_be_restored() -> None:
    """Whatever was taken away is recorded first."""
    story = STORIES["tombstone"]
    for number in range(1, boundaries(story) + 1):
        estate = story.start()
        attempt(story, estate, Fuse(number))
        assert attempt(STORIES["restore"], estate, Fuse())
        assert untouched(estate), number


@settings(max_examples=150, deadline=None)
@given(
    ways=st.lists(st.sampled_from([Way.TOMBSTONE, Way.DELETE, Way.RESTORE]), min_size=1, max_size=6),
    crashes=st.lists(st.integers(1, 90), min_size=6, max_size=6),
    pauses=st.lists(st.floats(0.0, 2 * DAY), min_size=6, max_size=6),
)
def test_any_row_of_runs_and_crashes_loses_nothing(
    ways: list[Way], crashes: list[int], pauses: list[float]
) -> None:
    """The estate itself refuses an early deletion and lost roles; a last row of runs ends with everything gone."""
    estate = FakeEstate()
    for number, way in enumerate(ways):
        attempt(Story(_fresh, way, gone), estate, Fuse(crashes[number]))
        estate.clock.now += pauses[number]
    for way in (Way.TOMBSTONE, Way.TOMBSTONE, Way.DELETE):
        attempt(Story(_fresh, way, gone), estate, Fuse())
        estate.clock.now += DAY
    assert gone(estate)
