"""Plays replays one after another in one sandbox, restored to a known state between them."""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
from botocore.exceptions import BotoCoreError, ClientError
from pymongo.errors import PyMongoError

from atlas_access.rollout import short
from sandbox import lifecycle
from sandbox.baselines import capture_baseline
from sandbox.refusals import REFUSALS
from sandbox.replays.model import Caught, Claim, Replay, Result, Start
from sandbox.replays.product import UNGATED, started
from sandbox.replays.stage import Stage
from sandbox.world import Options, World

_BREAKS: tuple[type[Exception], ...] = (
    *(*REFUSALS, ClientError, BotoCoreError, PyMongoError, requests.RequestException),
    *(KeyError, subprocess.SubprocessError),
)
OPTIONS = Options(service=True, propagation_seconds=0.2, ecs_step_seconds=0.05)


@dataclass(frozen=True)
class Audience:
    """Receives progress lines, and each replay's result."""

    say: Callable[[str], None]
    ended: Callable[[Result], None]


@dataclass(frozen=True)
class Played:
    """What all came to, in order."""

    results: tuple[Result, ...]
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 only when every replay was shown and caught by exactly what it promises."""
        return 0 if self.results and all(each.passed for each in self.results) else 1


def play(directory: Path, program_dir: Path, replays: Sequence[Replay], audience: Audience) -> Played:
    """Play replays in a temporary sandbox in `directory`. Raises `SandboxError` when a baseline cannot be captured."""
    began = time.monotonic()
    world = lifecycle.up(directory, OPTIONS)
    try:
        results = tuple(_Troupe(world, program_dir, audience).play(replays))
    finally:
        lifecycle.down(directory, keep=False)
    return Played(results, time.monotonic() - began)


class _Troupe:
    """One sandbox in which replays are played in turn."""

    def __init__(self, world: World, program_dir: Path, audience: Audience) -> None:
        self._world, self._audience = world, audience
        self._stage = Stage(world, program_dir, audience.say)
        self._at = Start.LEGACY
        self._state = b""

    def play(self, replays: Sequence[Replay]) -> list[Result]:
        self._audience.say(f"{self._stage.stack} runs {short(self._stage.home)}, which replays come back to")
        if any(each.gated for each in replays):
            capture_baseline(self._world, self._stage.stack, self._stage.program_dir)
            self._audience.say("baseline captured, all eight gates green, before the first change")
        done = []
        for replay in replays:
            self._reach(replay.start)
            self._audience.say(f"{replay.name}: {replay.title}")
            done.append(self._one(replay))
            self._audience.ended(done[-1])
        return done

    def _one(self, replay: Replay) -> Result:
        began = time.monotonic()
        self._stage.begin()
        shown: list[Claim] = []
        caught: list[Caught] = []
        afterwards: list[Claim] = []
        broke = ""
        try:
            shown += replay.happens(self._stage)
            caught += replay.catches(self._stage)
            afterwards += replay.afterwards(self._stage)
        except _BREAKS as error:
            broke = f"{type(error).__name__}: {error}"
        seconds = time.monotonic() - began
        try:
            self._come_back(replay, broke=bool(broke))
        except _BREAKS as error:
            broke = broke or f"the sandbox could not be brought back: {type(error).__name__}: {error}"
        return Result(replay, tuple(shown), tuple(caught), tuple(afterwards), seconds, broke)

    def _reach(self, start: Start) -> None:
        """Bring the stack on to a state; it never goes back."""
        if self._at is start:
            return
        bound = start is Start.BOUND
        phase = "bind" if bound else "provision"
        self._audience.say(f"bringing {self._stage.stack} to phase {phase}, without gates, for speed")
        started(self._stage, phase, UNGATED)
        self._know(start)

    def _come_back(self, replay: Replay, *, broke: bool) -> None:
        """Restore the service and the stack's state from before; a stopped deployment leaves only revisions."""
        self._stage.clear_up()
        if self._at is Start.PROVISIONED:
            self._world.state_file(self._stage.stack).write_bytes(self._state)
        if replay.ends is not self._at and not broke:
            self._know(replay.ends)
        if self._at is not Start.BOUND:
            self._stage.put_back()
        self._stage.settled()

    def _know(self, at: Start) -> None:
        self._at = at
        self._state = self._world.state_file(self._stage.stack).read_bytes()
