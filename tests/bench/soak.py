"""Measures what a migration costs the users of a live service: constant load through all of it, and through a rollback.

    python tests/bench/soak.py [--only migration|rollback|rotations|overhead|replays]

Prints each figure with its budget. Exit 1 when one is exceeded, 3 when the gates cannot be run here (no Chromium).
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from atlas_access.base.clock import Clock
from atlas_access.review.deployment import Operation
from atlas_access.rollout.model import short
from atlas_access.rollout.run import Parts, carry_out
from atlas_access.rollout.steps import Goal, Way
from atlas_access.rollout.wiring import new_run
from atlas_access.smoke.browser_found import MISSING, find_chromium
from sandbox import lifecycle
from sandbox.demo import run as demo
from sandbox.demo.baselines import capture_baseline
from sandbox.deploy import Engine, Order, deploy
from sandbox.ecs.releases import Pipeline
from sandbox.load.process import LoadProcess
from sandbox.world import Options

ROOT = Path(__file__).resolve().parents[2]
BROKEN = "registry.example.com/askflorence/app:broken"
FAILING = "POST /api/providers/covered"
"""The only endpoint that the build `broken` answers wrongly."""
EXPOSED_SECONDS = 15.0
STORY_SECONDS = 120.0
"""For the whole demo on two cores that nobody else uses."""
RATIO = 1.2
ROUNDS = 3
ECS_STEP_SECONDS = 2.0
"""Of a stage of a task or deployment: slower than the sandbox's own, faster than the real ECS."""
RATE = 50.0


@dataclass
class Figures:
    """What was measured, and whether everything kept its budget."""

    broken: list[str] = field(default_factory=list)

    def tell(self, name: str, value: str, budget: str = "", *, kept: bool = True) -> None:
        """Print a figure; one that exceeds its budget is remembered."""
        note = f"   (budget {budget})" if budget else ""
        sys.stdout.write(f"{name:<58} {value:>14}{note}{'' if kept else '   EXCEEDED'}\n")
        sys.stdout.flush()
        if not kept:
            self.broken.append(name)


@contextmanager
def sandbox(**options):
    """A sandbox whose services run, and its directory; nothing is left of it."""
    home = Path(tempfile.mkdtemp(prefix="atlas-access-soak-"))
    try:
        yield lifecycle.up(home / "box", Options(service=True, **options)), home / "box"
    finally:
        lifecycle.down(home / "box", keep=False)
        shutil.rmtree(home, ignore_errors=True)


def report(figures, load, name):
    """The figures of a load that every request of must have been served well."""
    figures.tell(f"{name}: requests", f"{load.asked:,}")
    for environment in sorted({each.environment for each in load.tallies}):
        rate = load.achieved(environment)
        kept = rate >= RATE
        figures.tell(f"{name}: requests a second, {environment}", f"{rate:.1f}", f">= {RATE:.0f}", kept=kept)
    figures.tell(f"{name}: latency", str(load.latency))
    figures.tell(f"{name}: the load's own share of a processor", f"{load.cpu_seconds / load.seconds:.0%}")


def migration(figures):
    """Both stacks from fourteen users to eight, as the demo plays it."""
    home = Path(tempfile.mkdtemp(prefix="atlas-access-soak-"))

    def line(text):
        sys.stdout.write(f"  {text.strip()}\n")

    def ended(deployment):
        line(f"{deployment.stack} {deployment.phase} {deployment.seconds:.1f} s {deployment.failure}")

    try:
        played = demo.play(
            home / "box", ROOT, Engine.EMBEDDED, demo.Audience(line, line, lambda *_: None, ended, line)
        )
    finally:
        shutil.rmtree(home, ignore_errors=True)
    receipt, load = played.receipt, played.receipt.load
    report(figures, load, "migration")
    figures.tell("migration: failed requests", str(load.failed), "0", kept=not load.failed)
    figures.tell("migration: wrong answers", str(load.wrong), "0", kept=not load.wrong)
    users = len(receipt.after)
    figures.tell("migration: database users afterwards", str(users), "8", kept=users == 8)
    figures.tell(
        "migration: from nothing to the receipt",
        f"{receipt.seconds:.0f} s",
        f"<= {STORY_SECONDS:.0f} s",
        kept=receipt.seconds <= STORY_SECONDS,
    )
    for fault in load.faults[:20]:
        line(str(fault))
    if receipt.failure:
        figures.tell("migration: came to its end", "no", "yes", kept=False)
        line(receipt.failure)


def rollback(figures):
    """A revision that answers one endpoint wrongly reaches the live service, and is put back by a gate."""
    with sandbox(propagation_seconds=0.2) as (world, _):
        capture_baseline(world, "staging", ROOT)
        for phase in ("provision", "bind"):
            done = deploy(world, Order("staging", Operation.UP, phase, Engine.EMBEDDED, ROOT), lambda _: None)
            if done.failure:
                raise SystemExit(f"staging {phase}: {done.failure}")
        before = short(Pipeline(world, "staging").observe().revision)
        order = Order(
            "staging", Operation.UP, "bind", Engine.EMBEDDED, ROOT, settings={"containerImage": BROKEN}
        )
        with LoadProcess.of(world, RATE + 1, scenarios=ROOT / "smoke.yaml") as running:
            time.sleep(2)
            done = deploy(world, order, lambda _: None)
            time.sleep(2)
            load = running.end()
        now = short(Pipeline(world, "staging").observe().revision)
    report(figures, load, "rollback")
    figures.tell(
        "rollback: the gate's verdict", "red" if done.failure else "green", "red", kept=bool(done.failure)
    )
    figures.tell("rollback: what runs afterwards", now, before, kept=now == before)
    broken = {each.revision for each in load.served if each.environment == "staging"} - {before}
    failing = next(iter(broken), "")
    kept = len(broken) == 1
    figures.tell("rollback: the failing revision", failing or "never served", "served", kept=kept)
    figures.tell("rollback: failed requests", str(load.failed), "0", kept=not load.failed)
    outside = load.bad_outside("staging", FAILING, failing)
    figures.tell("rollback: bad outside the revision's own endpoint", str(outside), "0", kept=not outside)
    exposed = load.exposed("staging", failing)
    figures.tell(
        "rollback: first bad answer to the old revision alone",
        "none was bad" if exposed is None else f"{exposed:.1f} s",
        f"<= {EXPOSED_SECONDS:.0f} s",
        kept=exposed is None or exposed <= EXPOSED_SECONDS,
    )
    figures.tell("rollback: bad answers meanwhile", str(load.wrong))


def overhead(figures):
    """The same deployment by a plain UpdateService and by the rollout, in turn; proofs and gates left out."""
    plain, ours = [], []
    with sandbox(ecs_step_seconds=ECS_STEP_SECONDS) as (world, _):
        pipeline = Pipeline(world, "staging")
        first, second = pipeline.observe().revision, pipeline.registered()
        for _ in range(ROUNDS):
            plain.append(pipeline.revision(second).seconds)
            began = time.monotonic()
            roll(pipeline, second, first)
            ours.append(time.monotonic() - began)
    by_hand, by_us = statistics.median(plain), statistics.median(ours)
    figures.tell("overhead: a deployment by plain UpdateService, median", f"{by_hand:.1f} s")
    figures.tell("overhead: the same by the rollout, median", f"{by_us:.1f} s")
    ratio = by_us / by_hand
    figures.tell("overhead: ratio", f"{ratio:.2f}", f"<= {RATIO}", kept=ratio <= RATIO)


def roll(pipeline, prior, wanted):
    """One rollout by our own run, from the lease to its release."""
    parts = Parts(
        stack="staging",
        service=pipeline.service,
        clock=Clock(),
        say=lambda _: None,
        preflight=lambda _: (),
        gates=None,
        poll_seconds=0.2,
    )
    carry_out(Goal(Way.FORWARD, new_run(), prior, wanted), parts)


def replays(figures):
    """Every regression, shown happening without the gates and caught with them."""
    from sandbox.replays.incidents import chosen
    from sandbox.replays.play import Audience, play

    home = Path(tempfile.mkdtemp(prefix="atlas-access-soak-"))
    try:
        played = play(home / "box", ROOT, chosen(""), Audience(say=lambda _: None, ended=lambda _: None))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    caught = sum(each.passed for each in played.results)
    total = len(played.results)
    figures.tell("replays: caught", f"{caught}/{total}", f"{total}/{total}", kept=caught == total)
    figures.tell("replays: time", f"{played.seconds:.0f} s")


def rotations(figures):
    """Every owned user of both stacks, under load; then one that fails, one that is aborted, one that leaked."""
    from rotations import rotations as measured

    measured(figures, sandbox, report, RATE)


PARTS = {
    "migration": migration,
    "rollback": rollback,
    "rotations": rotations,
    "overhead": overhead,
    "replays": replays,
}


def main():
    """Measure, and exit by the budgets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append")
    chosen = parser.parse_args().only or list(PARTS)
    figures = Figures()
    if not find_chromium():
        sys.stdout.write(f"The gates cannot be run: {MISSING}\n")
        sys.exit(3)
    for name in chosen:
        PARTS[name](figures)
    for name in figures.broken:
        sys.stdout.write(f"EXCEEDED  {name}\n")
    sys.exit(1 if figures.broken else 0)


if __name__ == "__main__":
    main()
