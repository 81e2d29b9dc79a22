"""Slow, lost and refused answers at random, from a seed: as any network gives them, and any API under load."""

import random
import threading
from enum import StrEnum
from typing import NamedTuple

_SHARE = 0.02
_SLOWEST_SECONDS = 0.4


class Kind(StrEnum):
    """What happens to a request."""

    SLOW = "slow"
    DROPPED = "dropped"
    REFUSED = "refused"


class Trouble(NamedTuple):
    """One request's trouble; every one of them takes some time."""

    kind: Kind
    seconds: float


class Chance:
    """Draws from one seed; any thread may ask. One request of fifty has trouble."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def draw(self) -> Trouble | None:
        """Return the next request's trouble, None for most of them."""
        with self._lock:
            if self._random.random() >= _SHARE:
                return None
            return Trouble(self._random.choice(list(Kind)), self._random.uniform(0, _SLOWEST_SECONDS))
