"""Plays replays one after another in one sandbox; the revision from before each runs again after it."""

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
from sandbox.refusals import REFUSALS
from sandbox.replays.model import Caught, Claim, Replay, Result
from sandbox.replays.product import UNGATED, started
from sandbox.replays.stage import Stage
from sandbox.world import Options

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
    """Play replays in a temporary sandbox in `directory`. Raises `SandboxError` when it cannot be provisioned."""
    began = time.monotonic()
    world, results = lifecycle.up(directory, OPTIONS), []
    try:
        stage = Stage(world, program_dir)
        audience.say(f"{stage.stack} runs {short(stage.home)}, which replays come back to")
        audience.say(f"bringing {stage.stack} to phase provision")
        started(stage, "provision", UNGATED)
        for replay in replays:
            audience.say(f"{replay.name}: {replay.title}")
            results.append(_one(stage, replay))
            audience.ended(results[-1])
    finally:
        lifecycle.down(directory, keep=False)
    return Played(tuple(results), time.monotonic() - began)


def _one(stage: Stage, replay: Replay) -> Result:
    began = time.monotonic()
    stage.begin()
    shown: list[Claim] = []
    caught: list[Caught] = []
    afterwards: list[Claim] = []
    broke = ""
    try:
        shown += replay.happens(stage)
        stage.put_back()
        caught += replay.catches(stage)
        stage.settled()
        afterwards.append(Claim("runs afterwards", f"{short(stage.home)} 2/2", stage.runs()))
    except _BREAKS as error:
        broke = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - began
    return Result(replay, tuple(shown), tuple(caught), tuple(afterwards), seconds, broke)
