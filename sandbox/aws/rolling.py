"""How many tasks a rolling deployment starts and stops next. Pure.

Rules: ECS developer guide, "Deploy Amazon ECS services by replacing tasks": at least minimumHealthyPercent of the
desired tasks stay healthy (rounded up), at most maximumPercent run or start (rounded down).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """What a service allows during a deployment, in tasks."""

    desired: int
    least: int
    most: int

    @classmethod
    def of(cls, desired: int, minimum_healthy_percent: int, maximum_percent: int) -> "Bounds":
        """Return the bounds of a desired count."""
        return cls(desired, -(-desired * minimum_healthy_percent // 100), desired * maximum_percent // 100)


@dataclass(frozen=True)
class Tasks:
    """Tasks that are not stopping: how many there are, and how many of them are healthy."""

    count: int
    healthy: int


@dataclass(frozen=True)
class Move:
    """How many tasks to start, and how many healthy old ones to stop. Unhealthy old ones stop anyway."""

    start: int
    stop: int


def next_move(bounds: Bounds, new: Tasks, old: Tasks) -> Move:
    """Decide the next move of a deployment whose tasks are `new`, and every other of the service `old`."""
    missing = max(0, bounds.desired - new.count)
    room = max(0, bounds.most - new.count - old.count)
    start = min(missing, room)
    healthy = new.healthy + old.healthy
    # Old tasks stop as new ones have become healthy, or, where there is no room to start one, down to the minimum.
    replaced = healthy - max(bounds.desired, bounds.least)
    make_room = min(missing - start, healthy - bounds.least)
    return Move(start, max(0, min(old.healthy, max(replaced, make_room))))
