"""The service's processes: small, named, without a secret where others could read it, and gone when it ends."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from service_fixture import COUPLE, Running, until
from world_fixture import sandbox

from sandbox import health, lifecycle, processes

MIB = 1024 * 1024


@pytest.fixture
def ending(tmp_path: Path) -> Iterator[Running]:
    with sandbox(tmp_path / "sandbox", service=True) as world:
        yield Running(world)


def records(running: Running) -> list[processes.ProcessRecord]:
    return [r for r in processes.load(running.world.directory) if r.name.startswith("task ")]


def test_two_tasks_of_each_environment_run_small_and_without_a_secret_in_arguments(running: Running) -> None:
    for name in ("staging", "prod"):
        Running(running.world, name).ask("/api/plans", COUPLE)
    tasks = [psutil.Process(record.pid) for record in records(running)]
    assert 4 == len(tasks)
    assert max(task.memory_info().rss for task in tasks) < 45 * MIB
    every = [psutil.Process(record.pid) for record in processes.load(running.world.directory)]
    assert sum(process.memory_info().rss for process in every) < 1536 * MIB
    assert not [task for task in tasks if "mongodb" in " ".join(task.cmdline())]
    status = health.status(running.world.directory)
    assert {"service staging", "service prod"} <= {part.name for part in status.parts if part.ok}


def test_a_tasks_environment_holds_nothing_of_the_sandboxs_own(running: Running) -> None:
    environment = psutil.Process(records(running)[0].pid).environ()
    own = set(running.world.secrets())
    assert not own & set(environment.values())
    assert "HOME" not in environment
    assert "PULUMI_CONFIG_PASSPHRASE" not in environment


def test_no_file_of_the_sandbox_but_its_keys_holds_a_connection_string(running: Running) -> None:
    uri = running.client("secretsmanager").get_secret_value(SecretId="staging/mongodb/app-read")[
        "SecretString"
    ]
    password = uri.partition("@")[0].rpartition(":")[2]
    files = [p for p in running.world.directory.rglob("*") if p.is_file() and "mongo" not in p.parts]
    assert not [path for path in files if password.encode() in path.read_bytes()]


def test_tasks_end_by_themselves_when_the_supervisor_was_killed(ending: Running) -> None:
    ours = [record.pid for record in records(ending)]
    supervisor = next(r for r in processes.load(ending.world.directory) if r.name == "supervisor")
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: not any(psutil.pid_exists(pid) for pid in ours))


def test_down_ends_every_task(ending: Running) -> None:
    ours = [record.pid for record in records(ending)]
    lifecycle.down(ending.world.directory)
    until(lambda: not any(psutil.pid_exists(pid) for pid in ours))
    assert not ending.world.directory.exists()
