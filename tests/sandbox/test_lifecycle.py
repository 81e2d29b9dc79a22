"""A sandbox's life: side by side, after a crash, kept, reset, and every refusal in one line."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sandbox import health, lifecycle, processes
from sandbox.deploy import Order, deploy
from sandbox.lock import is_held
from sandbox.ports import HOST, free_port
from sandbox.processes import ProcessRecord
from sandbox.world import Options, SandboxError, World

ROOT = Path(__file__).parents[2]


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "sandbox"
    with contextlib.suppress(SandboxError):
        lifecycle.down(tmp_path / "sandbox", keep=False)


def pids(directory: Path) -> list[int]:
    return [record.pid for record in processes.load(directory)]


def alive(ids: list[int]) -> list[int]:
    """Those that still run; what the system has yet to clear away does not."""
    found = []
    for pid in ids:
        with contextlib.suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


def in_use(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def free_base() -> int:
    """A base whose six ports are free and hold neither 404 nor 500."""
    while True:
        base = free_port()
        with contextlib.suppress(SandboxError):
            lifecycle._check_ports(base)
            return base


def test_two_sandboxes_run_side_by_side_on_chosen_ports_and_end_apart(
    directory: Path, tmp_path: Path
) -> None:
    other, base = tmp_path / "other", free_base()
    first, second = lifecycle.up(directory), lifecycle.up(other, Options(base_port=base))
    try:
        assert [base, base + 1] == [second.of(name).mongod.port for name in ("staging", "prod")]
        assert [f"http://{HOST}:{base + 2}", f"http://{HOST}:{base + 3}"] == [
            second.atlas_url.rstrip("/"), second.aws_url,
        ]  # fmt: skip
        assert first.of("staging").aws.access_key_id != second.of("staging").aws.access_key_id
        again = r"already runs in .*: use it, end it with `atlas-access sandbox down`"
        with pytest.raises(SandboxError, match=again):
            lifecycle.up(directory)
        assert health.status(directory).ok
        lifecycle.down(directory)
        assert [] == alive(pids(directory))
        assert health.status(other).ok
    finally:
        lifecycle.down(other)


def test_down_ends_every_process_and_leaves_only_files_that_are_not_the_sandboxs(directory: Path) -> None:
    world = lifecycle.up(directory)
    ours = pids(directory)
    assert 3 == len(alive(ours))
    (directory / "receipt.html").write_text("kept")
    started = time.monotonic()
    ended = lifecycle.down(directory)
    assert time.monotonic() - started < 2
    assert {"supervisor", "mongod staging", "mongod prod"} == set(ended.processes)
    assert ([], False) == (alive(ours), in_use(world.of("prod").mongod.address))
    assert {"receipt.html", ".gitignore"} == {path.name for path in directory.iterdir()}


def test_after_the_supervisor_was_killed_down_ends_what_is_left(directory: Path) -> None:
    directory.mkdir()
    (directory / ".gitignore").write_text("*\n")
    (directory / "receipt.html").write_text("of before")
    lifecycle.up(directory)
    (directory / "receipt.html").unlink()
    ours = {record.name: record.pid for record in processes.load(directory)}
    os.kill(ours["supervisor"], signal.SIGKILL)
    assert processes_gone([ours["supervisor"]])
    assert lock_is_free(directory)
    status = health.status(directory)
    assert [False, True, True] == [part.ok for part in status.parts[:3]]
    assert "`atlas-access sandbox down` clears it away" in status.remedy
    with pytest.raises(SandboxError, match="lock is stale; left running: mongod"):
        lifecycle.up(directory)
    lifecycle.down(directory)
    assert ([], False) == (alive(list(ours.values())), directory.exists())


def lock_is_free(directory: Path) -> bool:
    """Wait until the system has cleared the killed holder away; its threads end one by one."""
    deadline = time.monotonic() + 5
    while is_held(directory) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_held(directory)


def processes_gone(ids: list[int]) -> bool:
    deadline = time.monotonic() + 5
    while alive(ids) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(ids)


def test_a_mongod_that_is_missing_or_dead_is_named_with_its_remedy(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGOD", str(directory / "nowhere"))
    with pytest.raises(SandboxError, match=r"MONGOD names .* correct it or unset it") as caught:
        lifecycle.up(directory)
    assert 1 == len(str(caught.value).splitlines())
    monkeypatch.delenv("MONGOD")
    lifecycle.up(directory)
    victim = next(r.pid for r in processes.load(directory) if r.name == "mongod prod")
    os.kill(victim, signal.SIGKILL)
    assert processes_gone([victim])
    status = health.status(directory)
    assert ["mongod prod"] == [part.name for part in status.parts if not part.ok]
    assert status.remedy == (
        "mongod prod is dead: `atlas-access sandbox reset` starts anew, `atlas-access sandbox down` clears it away"
    )
    with pytest.raises(SandboxError, match="mongod prod is dead"):
        deploy(World.load(directory), Order("staging", program_dir=ROOT), lambda _: None)


def test_down_does_not_touch_a_process_that_got_a_recorded_id_later(tmp_path: Path) -> None:
    mine = os.getpid()
    record = ProcessRecord("supervisor", mine, psutil.Process(mine).create_time() - 60)
    processes.save(tmp_path, [record])
    (tmp_path / ".gitignore").write_text("*\n")
    assert () == lifecycle.down(tmp_path).processes


def test_a_kept_sandbox_stays_on_disk_and_reset_starts_anew(directory: Path) -> None:
    lifecycle.up(directory, Options(keep=True))
    ours = pids(directory)
    assert lifecycle.down(directory).kept
    assert [] == alive(ours)
    assert (directory / "mongo" / "staging" / "db").exists()
    assert lifecycle.logs(directory, "supervisor")
    with pytest.raises(SandboxError, match="was kept: `atlas-access sandbox reset`"):
        lifecycle.up(directory)
    with pytest.raises(SandboxError, match="has ended and was kept"):
        health.status(directory)
    again = lifecycle.reset(directory)
    assert (True, True) == (again.options.keep, health.status(directory).ok)


def test_a_port_in_use_is_named_before_anything_starts(directory: Path) -> None:
    base = free_base()
    with socket.socket() as taken:
        taken.bind((HOST, base + 3))
        taken.listen()
        with pytest.raises(SandboxError, match=f"port {base + 3} is in use: choose another base port"):
            lifecycle.up(directory, Options(base_port=base))
    assert not directory.exists()


@pytest.mark.parametrize(
    ("base", "reason"), [(80, "out of range"), (65535, "out of range"), (14040, "404 or 500")]
)
def test_ports_that_cannot_serve_are_refused(directory: Path, base: int, reason: str) -> None:
    with pytest.raises(SandboxError, match=reason):
        lifecycle.up(directory, Options(base_port=base))


def test_a_directory_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "work.txt").write_text("mine")
    with pytest.raises(SandboxError, match="holds other files: choose a new or empty directory"):
        lifecycle.up(tmp_path)
    assert ["work.txt"] == [path.name for path in tmp_path.iterdir()]


def test_without_a_sandbox_everything_says_how_to_start_one(directory: Path) -> None:
    for ask in (World.load, health.status, lifecycle.logs):
        with pytest.raises(SandboxError, match="start one with `atlas-access sandbox up`"):
            ask(directory)
    assert () == lifecycle.down(directory).processes


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 99}', '{"version": 1}'])
def test_a_record_that_cannot_be_read_is_one_line(directory: Path, content: str) -> None:
    directory.mkdir()
    (directory / "sandbox.json").write_text(content)
    (directory / "keys.json").write_text("{}")
    with pytest.raises(SandboxError, match="`atlas-access sandbox reset` starts anew"):
        World.load(directory)


@pytest.mark.parametrize("seconds", [0.4, 0.9, 1.5])
def test_an_interrupted_start_leaves_nothing_behind(directory: Path, seconds: float) -> None:
    program = (
        "import sys; from pathlib import Path; from sandbox import lifecycle; lifecycle.up(Path(sys.argv[1]))"
    )
    starter = subprocess.Popen([sys.executable, "-c", program, str(directory)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not (directory / "lock").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        starter.wait(seconds)
    starter.send_signal(signal.SIGINT)
    starter.wait(20)
    if starter.returncode != 0:
        named = [
            p for p in psutil.process_iter(["cmdline"]) if str(directory) in " ".join(p.info["cmdline"] or [])
        ]
        deadline = time.monotonic() + 20
        while alive([p.pid for p in named]) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [] == alive([p.pid for p in named])
        assert not (directory / "sandbox.json").exists()
