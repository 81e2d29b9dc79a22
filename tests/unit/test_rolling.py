"""How a rolling deployment continues, decided from counts alone."""

import pytest

from sandbox.aws.rolling import Bounds, Move, Tasks, next_move

NONE = Tasks(0, 0)


@pytest.mark.parametrize(
    ("bounds", "new", "old", "wanted"),
    [
        (Bounds.of(2, 100, 200), NONE, NONE, Move(2, 0)),
        (Bounds.of(2, 100, 200), NONE, Tasks(2, 2), Move(2, 0)),
        (Bounds.of(2, 100, 200), Tasks(2, 0), Tasks(2, 2), Move(0, 0)),
        (Bounds.of(2, 100, 200), Tasks(2, 1), Tasks(2, 2), Move(0, 1)),
        (Bounds.of(2, 100, 200), Tasks(2, 2), Tasks(2, 2), Move(0, 2)),
        (Bounds.of(2, 100, 200), Tasks(2, 2), NONE, Move(0, 0)),
        (Bounds.of(2, 100, 150), NONE, Tasks(2, 2), Move(1, 0)),
        (Bounds.of(2, 100, 150), Tasks(1, 1), Tasks(2, 2), Move(0, 1)),
        (Bounds.of(2, 100, 150), Tasks(1, 1), Tasks(1, 1), Move(1, 0)),
        (Bounds.of(2, 50, 100), NONE, Tasks(2, 2), Move(0, 1)),
        (Bounds.of(2, 50, 100), NONE, Tasks(1, 1), Move(1, 0)),
        (Bounds.of(2, 50, 100), Tasks(1, 0), Tasks(1, 1), Move(0, 0)),
        (Bounds.of(2, 100, 100), NONE, Tasks(2, 2), Move(0, 0)),
        (Bounds.of(0, 100, 200), NONE, Tasks(2, 2), Move(0, 2)),
    ],
)
def test_a_deployment_moves_within_its_bounds(bounds: Bounds, new: Tasks, old: Tasks, wanted: Move) -> None:
    assert wanted == next_move(bounds, new, old)


def test_the_minimum_is_rounded_up_and_the_maximum_down() -> None:
    assert Bounds(3, 2, 4) == Bounds.of(3, 50, 150)


@pytest.mark.parametrize("minimum", [0, 50, 100])
@pytest.mark.parametrize("maximum", [100, 134, 150, 200])
@pytest.mark.parametrize("desired", [1, 2, 3, 5, 8])
def test_every_deployment_ends_within_bounds_or_cannot_move(desired: int, minimum: int, maximum: int) -> None:
    bounds = Bounds.of(desired, minimum, maximum)
    new, old = 0, desired
    for _ in range(4 * desired):
        move = next_move(bounds, Tasks(new, new), Tasks(old, old))
        new, old = new + move.start, old - move.stop
        assert bounds.least <= new + old <= max(bounds.most, desired)
    stuck = bounds.most <= desired and bounds.least >= desired
    assert ((0, desired) if stuck else (desired, 0)) == (new, old)
