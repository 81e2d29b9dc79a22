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
    PROOF = "proof before the swap"
    PREFLIGHT = "pre-flight, right before the swap"
    GATE = "gate after the swap, rolled back"
    DRIFT = "drift, the same night"
    NIGHT_GUARD = "guard of the stored secrets, the same night"
    NIGHT_PROOF = "proof of the stored secrets, the same night"
    OTHER = "something else, which is no catch"


class Start(StrEnum):
    """What a replay starts from, in the order in which a stack passes through."""

    LEGACY = "legacy: as made by hand, nothing deployed"
    PROVISIONED = "provisioned: users, secrets and proofs exist, the service is untouched"
    BOUND = "bound: the service runs on the new credentials"


@dataclass(frozen=True, order=True)
class Catch:
    """A catcher and what it names: a rule, a guard, a gate's number, a proof's user, a kind of drift."""

    catcher: Catcher
    name: str

    def __str__(self) -> str:
        return f"{self.catcher.value}: {self.name}"


@dataclass(frozen=True)
class Undone:
    """A rollback's duration in seconds, from the swap and the first bad answer, and requests that failed meanwhile."""

    after_swap: float
    after_bad_answer: float | None = None
    failed_requests: int | None = None

    def __str__(self) -> str:
        parts = [f"rolled back {self.after_swap:.0f} s after the swap"]
        if self.after_bad_answer is not None:
            parts.append(f"{self.after_bad_answer:.0f} s after the first bad answer")
        if self.failed_requests is not None:
            parts.append(f"{self.failed_requests} requests failed meanwhile")
        return ", ".join(parts)


@dataclass(frozen=True)
class Caught:
    """One catch: its message, the seconds until it was reported, and the rollback if there was one."""

    catch: Catch
    said: str
    seconds: float
    undone: Undone | None = None


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
    """A mistake: `happens` shows it without our gates, `catches` gives it to the product, `afterwards` what runs then.

    The stage begins in `start` and finishes in `ends`. `expected` is exactly what has to catch it. `gated` means that
    smoke gates judge the rollout, which needs a baseline; `unasked` says which gates were left out, and why.
    """

    name: str
    title: str
    happens: Callable[[Stage], Iterable[Claim]]
    catches: Callable[[Stage], Iterable[Caught]]
    expected: tuple[Catch, ...]
    afterwards: Callable[[Stage], Iterable[Claim]]
    start: Start = Start.PROVISIONED
    ends: Start = Start.PROVISIONED
    gated: bool = False
    unasked: str = ""


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
