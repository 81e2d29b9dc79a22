"""The whole migration in one go: a sandbox from nothing, both stacks moved under constant load, all torn down again.

It must always tear down what it started, however it ends, and never go on after a step that failed.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from access.endpoints import Endpoints
from access.manifest import load_manifest
from access.redaction import redact
from probes.atlas import Atlas
from probes.atlas_sign_in import SignIn
from probes.browser_found import MISSING, find_chromium
from reports import matrix_html
from reports.deployment import Deployment, Moment, Operation, Progress
from reports.load import LoadReport
from reports.matrix import Matrix, build
from reports.receipt import Chapter, DatabaseUser, GateRun, Receipt, Release, rounds_told
from reports.receipt_pages import render_html, render_markdown
from rollout.clock import advance, advanced
from sandbox import lifecycle
from sandbox.baselines import capture_baseline
from sandbox.demo_story import Act, Capture, Pass, Record, Releases, Retire, Step, Story, story
from sandbox.deploy import Engine, Order, choose, deploy
from sandbox.load_process import LoadProcess
from sandbox.mongod import MongodError, find_mongod
from sandbox.releases import Pipeline
from sandbox.world import Options, SandboxError, World

RATE = 51.0
"""Requests a second on each environment's service."""
_COMPANION_SECONDS = 120.0


@dataclass(frozen=True)
class Audience:
    """Whom the demo tells: the sandbox's own line, each act's title, each progress, each deployment, any other line."""

    up: Callable[[str], None]
    begins: Callable[[str], None]
    goes_on: Callable[[str, Progress], None]
    ended: Callable[[Deployment], None]
    told: Callable[[str], None]


@dataclass(frozen=True)
class Played:
    """What the demo came to: its receipt with the pages' files, and the access matrix with what was proven."""

    receipt: Receipt
    matrix: Matrix
    page: Path

    @property
    def exit_code(self) -> int:
        """0 only when the story came to its end and every request was served well; else the worst of the codes."""
        worst = max((each.exit_code for each in self.receipt.deployments), default=0)
        return worst or int(not self.receipt.done)


@dataclass
class _Notes:
    """What is collected while the story is played; lanes write side by side."""

    deployments: list[Deployment] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    gates: list[GateRun] = field(default_factory=list)
    chapters: list[Chapter] = field(default_factory=list)
    failure: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Stopped(Exception):
    """A step failed, so nothing follows; the message is the first line of why."""


def play(directory: Path, program_dir: Path, engine: Engine, audience: Audience) -> Played:
    """Play the demo in `directory` and leave nothing but its receipt there.

    Raises what `sandbox.lifecycle.up` and `sandbox.deploy.deploy` raise.
    """
    gated = bool(find_chromium())
    tale = story(gated=gated, why_not="" if gated else MISSING)
    notes, began = _Notes(), time.monotonic()
    world = lifecycle.up(directory, Options(service=True))
    try:
        told = describe(world, engine)
        audience.up(told)
        before = users(world)
        notes.chapters.append(Chapter("sandbox up", time.monotonic() - began))
        with LoadProcess.of(world, RATE, scenarios=program_dir / "smoke.yaml") as load:
            _Play(world, directory, program_dir, engine, audience, notes, load).acts(tale)
            after = users(world)
            report = load.end()
        receipt = _receipt(told, before, after, tale, notes, report, program_dir)
        return _written(receipt, directory, program_dir, world.secrets())
    finally:
        lifecycle.down(directory, keep=False)


def describe(world: World, engine: Engine) -> str:
    """What runs, in one line: `Sandbox: 2 mongod 6.0.5 · Atlas emulator · moto · engine: embedded (…)`."""
    count = len(world.environments)
    return (
        f"Sandbox: {count} mongod {mongod_version()} · Atlas emulator · moto · engine: {choose(engine).name}"
    )


def mongod_version() -> str:
    """The version of the `mongod` that sandboxes run. Raises `SandboxError` when there is none."""
    try:
        path = find_mongod()
    except MongodError as error:
        raise SandboxError(str(error)) from None
    told = subprocess.run(  # noqa: S603 - the mongod that the sandbox itself runs
        [str(path), "--version"], capture_output=True, text=True, check=False, timeout=30
    )
    first, *_ = told.stdout.splitlines() or ["of an unknown version"]
    return first.removeprefix("db version v")


def users(world: World) -> tuple[DatabaseUser, ...]:
    """Every database user of every cluster, as the Atlas Admin API lists them."""
    found = []
    for name, here in world.environments.items():
        endpoints = Endpoints.from_environment(world.environment(name))
        with Atlas(here.project_id, SignIn(here.atlas.public, here.atlas.private), endpoints) as atlas:
            for user in atlas.users():
                roles = ", ".join(sorted(f"{role.name}@{role.database}" for role in user.roles))
                found.append(DatabaseUser(name, user.name, roles))
    return tuple(found)


class _Play:
    """Plays acts in one sandbox."""

    def __init__(
        self,
        world: World,
        directory: Path,
        program_dir: Path,
        engine: Engine,
        audience: Audience,
        notes: _Notes,
        load: LoadProcess,
    ) -> None:
        self._world, self._directory, self._program = world, directory, program_dir
        self._engine, self._audience, self._notes, self._load = engine, audience, notes, load
        self._settings: Mapping[str, str] = {}
        self._verified_at = ""

    def acts(self, tale: Story) -> None:
        self._settings = tale.settings
        for act in tale.acts:
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
            self._audience.told(
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
                    self._deployed(self._retirement(stack, way))
                case Releases():
                    self._released(step)

    def _retirement(self, stack: str, way: str) -> Order:
        """The reviewed change that a person makes for one step: the phase, the step, what was typed and recorded."""
        settings = {
            **self._settings,
            "retirement": way,
            "retireConfirmation": f"retire {stack}",
            "localVerifiedAt": self._verified_at,
            "codeVerifiedAt": self._verified_at,
        }
        return Order(stack, Operation.UP, "retire", settings=settings)

    def _deployed(self, order: Order) -> None:
        said: list[str] = []

        def note(progress: Progress) -> None:
            if progress.moment is Moment.SAID:
                said.append(progress.text)
            self._audience.goes_on(order.stack, progress)

        done = deploy(self._world, replace(order, engine=self._engine, program_dir=self._program), note)
        with self._notes.lock:
            self._notes.deployments.append(done)
            for revision, rounds, green, summary in rounds_told(said):
                moment = f"{order.phase}, {'after the swap' if rounds > 1 else 'before the swap'}"
                self._notes.gates.append(
                    GateRun(
                        order.stack,
                        moment if revision else str(order.phase),
                        revision,
                        rounds,
                        green,
                        summary,
                    )
                )
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
        self._audience.told(
            f"  {stack}: 8 of 8 gates green, 2 rounds; {found.contract} plans, {len(found.answers)} answers kept"
        )

    def _released(self, step: Releases) -> None:
        pipeline = Pipeline(self._world, step.stack)
        done = [pipeline.again() if turn else pipeline.build(step.build) for turn in range(step.times)]
        what = f"build {step.build}, {step.times} deployments"
        release = Release(
            step.stack, what, done[0].before, done[-1].after, sum(each.seconds for each in done)
        )
        with self._notes.lock:
            self._notes.releases.append(release)
        each = ", ".join(f"{one.seconds:.1f} s" for one in done)
        self._audience.told(f"  {step.stack}: {release.before} → {release.after}: {what} ({each})")


def _moment(directory: Path) -> str:
    """Now, by the sandbox's clock."""
    ahead = timedelta(seconds=advanced(directory))
    return (datetime.now(UTC) + ahead).isoformat(timespec="seconds")


def _receipt(
    told: str,
    before: tuple[DatabaseUser, ...],
    after: tuple[DatabaseUser, ...],
    tale: Story,
    notes: _Notes,
    load: LoadReport,
    program_dir: Path,
) -> Receipt:
    manifest = load_manifest((program_dir / "access.yaml").read_text(encoding="utf-8"))
    return Receipt(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        sandbox=told,
        before=before,
        after=after,
        deployments=tuple(notes.deployments),
        releases=tuple(notes.releases),
        gates=tuple(notes.gates),
        load=load,
        accepted=build(manifest).accepted,
        chapters=tuple(notes.chapters),
        notes=tale.notes,
        failure=notes.failure,
    )


def _written(receipt: Receipt, directory: Path, program_dir: Path, secrets: Sequence[str]) -> Played:
    """Write the pages, redacted as everything that leaves is."""
    manifest = load_manifest((program_dir / "access.yaml").read_text(encoding="utf-8"))
    matrix = build(manifest, [proof.observation for each in receipt.deployments for proof in each.proofs])
    page = directory / "receipt.html"
    for path, text in (
        (page, render_html(receipt)),
        (directory / "receipt.md", render_markdown(receipt)),
        (directory / "access-matrix.html", matrix_html.render(matrix)),
    ):
        path.write_text(redact(text, secrets), encoding="utf-8")
    return Played(receipt, matrix, page)


__all__ = ["RATE", "Audience", "Operation", "Played", "describe", "mongod_version", "play", "users"]
