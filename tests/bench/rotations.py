"""Rotates every owned user of both stacks under constant load: what users of the service and its clients notice of it.

Part of `python tests/bench/soak.py`; the refused logins are those in the servers' own logs, our proofs' left out.
"""

import json
import sys
import time
from pathlib import Path

from atlas_access.base.clock import advance
from atlas_access.base.connection import ConnectionString
from atlas_access.base.settings import check_settings
from atlas_access.manifest.load import load_manifest
from atlas_access.review.deployment import Operation
from atlas_access.rollout.model import short
from atlas_access.rotation import Verb, plan
from components.settings import read_files
from sandbox.aws.clients import client_of
from sandbox.demo.baselines import capture_baseline
from sandbox.deploy import Engine, Order, deploy
from sandbox.ecs.releases import Pipeline
from sandbox.load.process import LoadProcess

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "sandbox"))
MANIFEST = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
SOAK_SECONDS = 31 * 60
BROKEN = {"containerImage": "registry.example.com/askflorence/app:broken"}
STACKS = ("staging", "prod")


class Stacks:
    """Both stacks of a sandbox, with the settings that `atlas-access rotate` has written so far."""

    def __init__(self, world, home):
        self.world, self.home = world, home
        self.given = {stack: {} for stack in STACKS}

    def up(self, stack, phase="bind", **more):
        """Update a stack with what was written for it."""
        values = {
            key: json.dumps(each) if isinstance(each, dict) else each
            for key, each in self.given[stack].items()
        }
        order = Order(stack, Operation.UP, phase, Engine.EMBEDDED, ROOT, settings={**values, **more})
        return deploy(self.world, order, lambda _: None)

    def must(self, stack, phase="bind", **more):
        """Update a stack, which has to succeed."""
        done = self.up(stack, phase, **more)
        if done.failure:
            raise SystemExit(f"{stack} {phase} {self.given[stack]}: {done.failure}")
        return done

    def write(self, stack, user, verb):
        """Write one step, as the command does."""
        settings = check_settings(
            stack, read_files(ROOT), sandbox=True, overrides={"phase": "bind", **self.given[stack]}
        )
        change = plan(stack, settings, MANIFEST, [user], verb).settings
        kept = {**self.given[stack], **change}
        self.given[stack] = {key: value for key, value in kept.items() if value is not None}

    def both(self, stack, user):
        """Update the stack, and whoever reads the credential."""
        for each, _ in sorted(MANIFEST.carriers(user, stack), key=lambda one: one[0] != stack):
            self.must(each)

    def end(self, stack, user, verb):
        """Finish or abort: three updates where another stack reads the credential."""
        self.write(stack, user, verb)
        self.both(stack, user)
        advance(self.home, SOAK_SECONDS)
        self.both(stack, user)
        return self.must(stack)

    def login(self, stack, user):
        """Who the user's own secret says that it is."""
        store = client_of(self.world, stack, "secretsmanager")
        name = MANIFEST.user(user).secret_name(stack)
        return ConnectionString.parse(store.get_secret_value(SecretId=name)["SecretString"]).username


def rotations(figures, sandbox, report, rate):
    """Rotate everything, then fail, abort and revoke once each."""
    with sandbox(propagation_seconds=0.2) as (world, home):
        stacks = Stacks(world, home)
        for stack in STACKS:
            capture_baseline(world, stack, ROOT)
            for phase in ("provision", "bind"):
                stacks.must(stack, phase)
            advance(home, SOAK_SECONDS)
        with LoadProcess.of(world, rate + 1, scenarios=ROOT / "smoke.yaml") as running:
            every(figures, stacks)
            failing(figures, stacks)
            aborted(figures, stacks)
            compromised(figures, stacks)
            time.sleep(2)
            load = running.end()
        refused = refused_by(world)
    report(figures, load, "rotations")
    figures.tell("rotations: failed requests", str(load.failed), "0", kept=not load.failed)
    wrong = load.bad_outside("staging", "POST /api/providers/covered", stacks.broken)
    figures.tell("rotations: wrong answers beside the failing revision's", str(wrong), "0", kept=not wrong)
    figures.tell("rotations: refused logins of clients", str(sum(refused.values())), "0", kept=not refused)


def every(figures, stacks):
    """Each user of each stack, from one generation to the next and finished."""
    seconds = []
    for stack in STACKS:
        for user in (each.name for each in MANIFEST.users):
            began = time.monotonic()
            stacks.write(stack, user, Verb.START)
            stacks.both(stack, user)
            stacks.end(stack, user, Verb.FINISH)
            seconds.append(time.monotonic() - began)
            kept = stacks.login(stack, user) == f"{user}_b"
            name = f"rotations: {stack} {user}"
            figures.tell(name, f"{seconds[-1]:.0f} s", "the second name", kept=kept)
    figures.tell("rotations: done", str(len(seconds)), "8", kept=len(seconds) == 8)


def failing(figures, stacks):
    """A rotation that comes with a broken build is put back by a gate, held, and then aborted."""
    before = short(Pipeline(stacks.world, "staging").observe().revision)
    stacks.write("staging", "app_write", Verb.START)
    done = stacks.up("staging", **BROKEN)
    now = short(Pipeline(stacks.world, "staging").observe().revision)
    figures.tell(
        "rotations: a failing gate's verdict",
        "red" if done.failure else "green",
        "red",
        kept=bool(done.failure),
    )
    figures.tell("rotations: what runs after it", now, before, kept=now == before)
    ecs = client_of(stacks.world, "staging", "ecs")
    family = before.partition(":")[0]
    newest = ecs.list_task_definitions(familyPrefix=family, sort="DESC")["taskDefinitionArns"][0]
    stacks.broken = short(newest)
    stacks.end("staging", "app_write", Verb.ABORT)
    stacks.given["staging"]["rolloutRelease"] = "1"
    stacks.must("staging")
    advance(stacks.home, SOAK_SECONDS)
    kept = stacks.login("staging", "app_write") == "app_write_b"
    figures.tell("rotations: aborted while the service was held", "yes" if kept else "no", "yes", kept=kept)


def aborted(figures, stacks):
    """A finished move that is taken back."""
    stacks.write("prod", "app_write", Verb.START)
    stacks.both("prod", "app_write")
    stacks.end("prod", "app_write", Verb.ABORT)
    kept = stacks.login("prod", "app_write") == "app_write_b"
    figures.tell("rotations: a move that was aborted", "back" if kept else "not back", "back", kept=kept)


def compromised(figures, stacks):
    """The credential that prod reads leaked: its login holds no role as soon as both stacks have followed."""
    from pymongo import MongoClient

    began = time.monotonic()
    stacks.write("staging", "app_read", Verb.COMPROMISED)
    stacks.both("staging", "app_read")
    stacks.must("staging")
    seconds = time.monotonic() - began
    with MongoClient(stacks.world.of("staging").mongod.root_uri) as root:
        deadline = time.monotonic() + 10
        roles = None
        while time.monotonic() < deadline and roles != [("read", "atlas_access_revoked")]:
            user = root.admin.command("usersInfo", {"user": "app_read_b", "db": "admin"})["users"][0]
            roles = [(each["role"], each["db"]) for each in user["roles"]]
    kept = roles == [("read", "atlas_access_revoked")]
    figures.tell("rotations: until a leaked login holds no role", f"{seconds:.0f} s", "revoked", kept=kept)
    stacks.end("staging", "app_read", Verb.FINISH)


def refused_by(world):
    """Refused logins by user, of both servers."""
    from world_fixture import refused_logins

    return {
        f"{stack} {user}": count for stack in STACKS for user, count in refused_logins(world, stack).items()
    }
