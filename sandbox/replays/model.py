"""A replay, its result, and whether the result is the promised one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.replays.stage import Stage


class Catcher(StrEnum):
    """What catches a mistake, and when; in the order in which a change meets them."""

    GUARD = "guard in CI"
    ENV_CHECK = "env --check, before a local file is used"
    MANIFEST = "the manifest, before anything is contacted"
    POLICY = "policy at preview"
    OTHER = "something else, which is no catch"


@dataclass(frozen=True, order=True)
class Catch:
    """A catcher and what it names: a rule, a guard, a place in the manifest."""

    catcher: Catcher
    name: str

    def __str__(self) -> str:
        return f"{self.catcher.value}: {self.name}"


@dataclass(frozen=True)
class Caught:
    """One catch: its message, and the seconds until it was reported."""

    catch: Catch
    said: str
    seconds: float


@dataclass(frozen=True)
class Claim:
    """One observation: its expected and its actual value."""

    what: str
    expected: str
    actual: str

    @property
    def held(self) -> bool:
        """Whether both values are equal."""
        return self.expected == self.actual

    def __str__(self) -> str:
        text = f"{self.what}: {self.actual}"
        return text if self.held else f"{text}, expected {self.expected}"


@dataclass(frozen=True)
class Replay:
    """A mistake: `happens` shows it without our gates, `catches` gives it to the product.

    `expected` is exactly what has to catch it; `unasked` says why no smoke gate has to.
    """

    name: str
    title: str
    happens: Callable[[Stage], Iterable[Claim]]
    catches: Callable[[Stage], Iterable[Caught]]
    expected: tuple[Catch, ...]
    unasked: str


@dataclass(frozen=True)
class Result:
    """What one replay came to. `broke` says why it could not be played to its end; "" when it was."""

    replay: Replay
    shown: tuple[Claim, ...] = ()
    caught: tuple[Caught, ...] = ()
    afterwards: tuple[Claim, ...] = ()
    seconds: float = 0.0
    broke: str = ""

    @property
    def differences(self) -> tuple[str, ...]:
        """Everything that was not as promised; none is a pass."""
        found = {each.catch for each in self.caught}
        promised = set(self.replay.expected)
        if self.broke:
            return (f"could not be played to its end: {self.broke}",)
        return (
            *([] if self.shown else ["nothing was shown to happen"]),
            *(f"not shown: {claim}" for claim in self.shown if not claim.held),
            *(f"not caught by {catch}" for catch in self.replay.expected if catch not in found),
            *(f"caught by {catch}, which was not expected" for catch in sorted(found - promised)),
            *([] if self.afterwards else ["it is unknown what runs afterwards"]),
            *(f"afterwards: {claim}" for claim in self.afterwards if not claim.held),
        )

    @property
    def passed(self) -> bool:
        """Whether it was shown happening and was caught by exactly what is promised."""
        return not self.differences
