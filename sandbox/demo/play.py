"""Runs the demo's acts in a sandbox, lanes in parallel, and records each step's result. Stops after a failed step."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from atlas_access.base import What, advance, advanced, check_settings
from atlas_access.manifest import load_manifest
from atlas_access.review import Deployment, Moment, Operation, Progress
from atlas_access.rotation import Verb, plan
from components.settings import read_files
from sandbox.demo.baselines import capture_baseline
from sandbox.demo.receipt import Chapter, GateRun, Release, reported_rounds
from sandbox.demo.story import DELETE, Act, Capture, Pass, Record, Releases, Retire, Rotate, Step
from sandbox.deploy import Engine, Order, deploy
from sandbox.ecs.releases import Pipeline
from sandbox.load.process import LoadProcess
from sandbox.world import SandboxError, World

_COMPANION_SECONDS = 120.0


@dataclass(frozen=True)
class Audience:
    """Receives the sandbox's own line, each act's title, each progress, each deployment and any other line."""

    up: Callable[[str], None]
    begins: Callable[[str], None]
    progress: Callable[[str, Progress], None]
    ended: Callable[[Deployment], None]
    line: Callable[[str], None]


@dataclass
class Notes:
    """What is collected while the story is played; lanes write side by side."""

    deployments: list[Deployment] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    gates: list[GateRun] = field(default_factory=list)
    chapters: list[Chapter] = field(default_factory=list)
    failure: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Stopped(Exception):
    """A step failed, so nothing follows; the message is the first line of why."""


@dataclass
class Player:
    """Plays acts in one sandbox."""

    _world: World
    _directory: Path
    _program: Path
    _engine: Engine
    _audience: Audience
    _notes: Notes
    _load: LoadProcess
    _verified_at: str = ""
    _given: dict[str, dict[str, Any]] = field(
        default_factory=dict
    )  # the settings that a rotation has written

    def acts(self, acts: Sequence[Act]) -> None:
        """Play every act, or all until one fails."""
        for act in acts:
            self._audience.begins(act.title)
            began = time.monotonic()
            try:
                self._act(act)
            except Stopped as stopped:
                self._notes.failure = f"{act.title}: {stopped}"
                return
            finally:
                self._notes.chapters.append(Chapter(act.title, time.monotonic() - began))
            mark = self._load.mark(act.title)
            self._audience.line(
                f"  load so far: {mark.asked:,} requests, {mark.failed} failed, {mark.wrong} wrong"
            )

    def _act(self, act: Act) -> None:
        """Play the lanes side by side, the first one here; the others have ended when this returns."""
        first, *others = act.lanes
        failures: list[BaseException] = []

        def beside(lane: Sequence[Step]) -> None:
            try:
                self._lane(lane)
            except BaseException as error:  # noqa: BLE001 - raised again by the lane that waits
                failures.append(error)

        threads = [threading.Thread(target=beside, args=(lane,), daemon=True) for lane in others]
        for thread in threads:
            thread.start()
        try:
            self._lane(first)
        finally:
            deadline = time.monotonic() + _COMPANION_SECONDS
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            raise Stopped("a step did not come to its end")
        for error in failures:
            raise error

    def _lane(self, lane: Sequence[Step]) -> None:
        for step in lane:
            match step:
                case Order():
                    self._deployed(step)
                case Capture(stack):
                    self._captured(stack)
                case Pass(seconds):
                    advance(self._directory, seconds)
                case Record():
                    self._verified_at = _moment(self._directory)
                case Retire(stack, way):
                    self._deployed(self._retirement(stack, way), way)
                case Rotate():
                    self._rotated(step)
                case Releases():
                    self._released(step)

    def _retirement(self, stack: str, way: str) -> Order:
        """The reviewed change that a person makes for one step: the phase, the step, what was typed and recorded."""
        settings = {
            "retirement": way,
            "retireConfirmation": f"retire {stack}",
            "acknowledged": verified(self._verified_at),
        }
        return Order(stack, Operation.UP, "retire", settings=settings)

    def _rotated(self, step: Rotate) -> None:
        """Write what `atlas-access rotate` writes, and update the stack."""
        given = self._given.get(step.stack, {})
        own = {"phase": "bind", **given}
        settings = check_settings(step.stack, read_files(self._program), sandbox=True, overrides=own)
        manifest = load_manifest((self._program / "access.yaml").read_text(encoding="utf-8"))
        written = {**given, **plan(step.stack, settings, manifest, [step.user], step.verb).settings}
        self._given[step.stack] = {key: value for key, value in written.items() if value is not None}
        self._deployed(Order(step.stack, Operation.UP, "bind"), f"rotate {step.user}: {step.verb.value}")
        if step.verb is Verb.FINISH:  # what is left of a finished rotation; a retirement refuses the rest
            self._given[step.stack] = {"generations": self._given[step.stack]["generations"]}

    def _deployed(self, order: Order, named: str = "") -> None:
        """Deploy; `named` is what the receipt calls it, when the phase alone does not say it."""
        said: list[str] = []

        def note(progress: Progress) -> None:
            if progress.moment is Moment.SAID:
                said.append(progress.text)
            self._audience.progress(order.stack, progress)

        given = {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in self._given.get(order.stack, {}).items()
        }
        settings = {**given, **order.settings}
        asked = replace(order, engine=self._engine, program_dir=self._program, settings=settings)
        done = deploy(self._world, asked, note)
        if named and not done.failure:
            # A deletion moves no service: the move that its stack records was the tombstones'.
            done = replace(done, phase=named, swap=None if named == DELETE else done.swap)
        gates = [
            GateRun(done.stack, _when(done.phase, revision, rounds), revision, rounds, green, summary)
            for revision, rounds, green, summary in reported_rounds(said)
        ]
        with self._notes.lock:
            self._notes.deployments.append(done)
            self._notes.gates.extend(gates)
        self._audience.ended(done)
        if done.failure:
            raise Stopped(done.failure.splitlines()[0])

    def _captured(self, stack: str) -> None:
        try:
            found = capture_baseline(self._world, stack, self._program)
        except SandboxError as error:
            raise Stopped(str(error)) from None
        run = GateRun(
            stack, "before any change", found.revision, 2, green=True, summary=f"{found.contract} plans"
        )
        with self._notes.lock:
            self._notes.gates.append(run)
        self._audience.line(
            f"  {stack}: gates green, 2 rounds; {found.contract} plans, {len(found.answers)} answers kept"
        )

    def _released(self, step: Releases) -> None:
        pipeline = Pipeline(self._world, step.stack)
        done = [pipeline.again() if turn else pipeline.build(step.build) for turn in range(step.times)]
        what = f"build {step.build}, {step.times} deployments"
        seconds = sum(each.seconds for each in done)
        with self._notes.lock:
            place = len(self._notes.deployments)
            release = Release(step.stack, what, done[0].before, done[-1].after, seconds, place)
            self._notes.releases.append(release)
        each = ", ".join(f"{one.seconds:.1f} s" for one in done)
        self._audience.line(f"  {step.stack}: {release.before} → {release.after}: {what} ({each})")


def verified(at: str) -> str:
    """The setting `acknowledged` of a stack whose local file and code were verified at that time."""
    stated = {
        What.TERRAFORM_RELEASED: "Terraform ignores the task definition of the service",
        What.TERRAFORM_SECRETS_RELEASED: "Terraform declares no secret of the inventory",
        What.LOCAL_VERIFIED: "the local file binds the four variables",
        What.CODE_VERIFIED: "the deployed code names no deprecated variable",
    }
    return json.dumps(
        [{"what": what, "by": "platform", "at": at, "why": why} for what, why in stated.items()]
    )


def _moment(directory: Path) -> str:
    """Now, by the sandbox's clock."""
    ahead = timedelta(seconds=advanced(directory))
    return (datetime.now(UTC) + ahead).isoformat(timespec="seconds")


def _when(phase: str, revision: str, rounds: int) -> str:
    """When gates were run; a rollout reports them by the revision that answered."""
    return f"{phase}, after the swap" if revision and rounds > 1 else phase
