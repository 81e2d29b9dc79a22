"""A rollout that is really killed, engine, program and dynamic host at once: the next run ends what it began.

Three points, each watched for on the service itself: the lease is written and nothing swapped; the swap is under way;
the undoing is under way. Never may two revisions be left serving, or a lease be left behind.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient
from world_fixture import ROOT, run_command, sandbox

from atlas_access.base.clock import advance
from atlas_access.base.task_definition import SecretReference, secret_references
from atlas_access.manifest.load import load_manifest
from atlas_access.rollout.decide import STALE_SECONDS
from atlas_access.rollout.service_tags import ServiceTags, read_service_tags
from sandbox.aws.clients import client_of
from sandbox.world import World

DEADLINE = 120.0
MANIFEST = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
BIND = ("sandbox", "deploy", "staging", "--phase", "bind", "--config", "allowUngatedRollout=true")
ROLLBACK = ("rollback", "staging")


@dataclass(frozen=True)
class Look:
    """What ECS shows: the revision, how many deployments there are, whether all is settled, and our tags."""

    revision: int
    deployments: int
    settled: bool
    service_tags: ServiceTags


def _send(processes: list[psutil.Process], number: int) -> None:
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.send_signal(number)


@dataclass
class Killing:
    """A sandbox without processes behind its tasks, whose deployments take long enough to be killed in."""

    world: World

    @cached_property
    def ecs(self) -> Any:
        return client_of(self.world, "staging", "ecs")

    def observe(self) -> Look:
        service = self.ecs.describe_services(
            cluster="askflorence-staging", services=["askflorence-staging-app"], include=["TAGS"]
        )["services"][0]
        deployments = service["deployments"]
        return Look(
            int(service["taskDefinition"].rpartition(":")[2]),
            len(deployments),
            [("COMPLETED", 2)] == [(each["rolloutState"], each["runningCount"]) for each in deployments],
            read_service_tags({tag["key"]: tag["value"] for tag in service.get("tags") or ()}),
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        done = run_command(self.world, "staging", *arguments)
        return done.returncode, done.stdout + done.stderr

    def kill_when(self, reached: Callable[[Look], bool], *arguments: str) -> Look:
        """Start a command and kill it with all that it started, once the service shows that point."""
        started = subprocess.Popen(
            [sys.executable, "-m", "atlas_access.cli.main", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.world.environment("staging")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        family = psutil.Process(started.pid)
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline and started.poll() is None:
            every = [*family.children(recursive=True), family]
            # Stopped meanwhile, so that what is killed is where it was observed to be.
            _send(every, signal.SIGSTOP)
            found = reached(self.observe())
            _send(every, signal.SIGKILL if found else signal.SIGCONT)
            if not found:
                time.sleep(0.02)
            else:
                psutil.wait_procs(every, timeout=10)
                started.communicate(timeout=10)
                return self.observe()
        started.kill()
        raise AssertionError(f"the point was not observed: {started.communicate(timeout=10)[0]}")

    def later(self) -> None:
        """Let so much time pass that a dead run's lease is known to be one."""
        advance(self.world.directory, STALE_SECONDS + 1)

    def settled(self) -> Look:
        deadline = time.monotonic() + DEADLINE
        while not (found := self.observe()).settled and time.monotonic() < deadline:
            time.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def killing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killing]:
    with sandbox(tmp_path_factory.mktemp("killed"), propagation_seconds=0.2, ecs_step_seconds=0.4) as world:
        yield Killing(world)


def test_a_rollout_killed_before_during_and_after_its_swap_is_ended_by_the_next_run(killing: Killing) -> None:
    """One service's life: killed with the lease only, killed in the swap, and killed in the rollback that follows.

    A run that comes before the lease is known to be a dead one's is refused, and leaves it.
    """
    left = killing.kill_when(lambda look: look.service_tags.lease is not None, *BIND)
    assert (7, 1) == (left.revision, left.deployments)
    code, printed = killing.run(*BIND)
    assert (1, True) == (code, "wait for its end, or until 60 s without a heartbeat" in printed), printed
    assert left.service_tags.lease == killing.observe().service_tags.lease

    killing.later()
    left = killing.kill_when(lambda look: look.revision == 8 and look.deployments == 2, *BIND)
    assert left.service_tags.lease is not None

    killing.later()
    code, printed = killing.run(*BIND)
    assert 0 == code, printed
    found = killing.settled()
    assert (8, 1, None) == (found.revision, found.deployments, found.service_tags.lease)
    assert found.service_tags.bound is not None

    left = killing.kill_when(
        lambda look: look.revision == 7 and look.deployments == 2 and look.service_tags.lease is not None,
        *ROLLBACK,
    )
    assert left.service_tags.held == 0

    killing.later()
    code, printed = killing.run(*BIND)
    assert (1, True) == (code, "ROLLED BACK  staging: asked for by atlas-access rollback" in printed), printed
    assert Look(7, 1, True, ServiceTags(held=0)) == killing.settled()


@pytest.mark.soak
def test_a_rotation_killed_in_its_move_its_finish_and_its_abort_is_ended_by_the_next_run(
    tmp_path: Path,
) -> None:
    """After each kill the running revision's credential logs in, and there are never more users than five."""

    def rotated(user: str, generation: int, step: str = "move") -> tuple[str, ...]:
        generations = json.dumps({"app_write": 2} | {user: generation})
        given = {"generations": generations, "rotating": user, "rotationStep": step}
        return (*BIND, *(part for key, value in given.items() for part in ("--config", f"{key}={value}")))

    with sandbox(tmp_path, propagation_seconds=0.2, ecs_step_seconds=0.4) as world:
        killing = Killing(world)
        assert 0 == killing.run(*BIND)[0]

        def works() -> None:
            running = killing.ecs.describe_task_definition(
                taskDefinition=f"askflorence-staging-app:{killing.observe().revision}"
            )
            store = client_of(world, "staging", "secretsmanager")
            for name, value in secret_references(running["taskDefinition"]).items():
                reference = SecretReference.parse(value)
                if name.startswith("MONGODB") and reference is not None:
                    uri = store.get_secret_value(SecretId=reference.arn, VersionId=reference.version)[
                        "SecretString"
                    ]
                    with MongoClient(uri) as client:
                        client.admin.command("ping")
            with MongoClient(world.of("staging").mongod.root_uri) as root:
                names = {each["user"] for each in root.admin.command("usersInfo", 1)["users"]}
            assert len(names & MANIFEST.logins) <= 5

        def ended(command: tuple[str, ...]) -> str:
            killing.later()
            code, printed = killing.run(*command)
            assert 0 == code, printed
            works()
            return printed

        move = rotated("app_write", 2)
        killing.kill_when(lambda look: look.revision == 9 and look.deployments == 2, *move)
        works()
        ended(move)

        finish, before = rotated("app_write", 2, "finish"), killing.observe().service_tags.bound
        killing.kill_when(lambda look: look.service_tags.bound != before, *finish)
        works()
        advance(world.directory, 31 * 60)
        assert "deleted" in ended(finish)

        ended(rotated("app_audit_writer", 2))
        abort, now = rotated("app_audit_writer", 1, "abort"), killing.observe().revision
        killing.kill_when(lambda look: look.revision > now and look.deployments == 2, *abort)
        works()
        ended(abort)
        advance(world.directory, 31 * 60)
        assert "deleted" in ended(abort)
