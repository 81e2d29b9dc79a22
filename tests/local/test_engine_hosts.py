"""A process that the engine starts is ended with whatever it started, however that was left."""

import contextlib
import os
import queue
import sys
import time
from pathlib import Path

import psutil
import pytest

from sandbox.engine.hosts import Host

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {child!r}], stdout={stream}, stderr={stream})
print(child.pid, flush=True)
time.sleep(60)
"""
STAYS = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
FOLLOWS = """
import os, sys, time, pathlib
while os.getppid() == {parent}:
    time.sleep(0.02)
pathlib.Path({note!r}).touch()
"""


def alive(number: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    return False


@pytest.fixture
def said() -> "queue.SimpleQueue[str]":
    return queue.SimpleQueue()


def started(said: "queue.SimpleQueue[str]", folder: Path, program: str) -> Host:
    command = [sys.executable, "-c", program]
    return Host("the host", command, dict(os.environ), folder, said.put, announces_port=False)


@pytest.mark.parametrize("stream", ["None", "subprocess.DEVNULL"])
def test_what_a_host_started_and_left_is_killed(
    said: "queue.SimpleQueue[str]", tmp_path: Path, stream: str
) -> None:
    host = started(said, tmp_path, PARENT.format(child=STAYS, stream=stream))
    child = int(said.get(timeout=20))
    host.stop()
    deadline = time.monotonic() + 5
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (False, True) == (alive(child), "was ended by SIGTERM" in host.obituary())


def test_what_a_host_started_sees_it_go_and_may_tidy_up(
    said: "queue.SimpleQueue[str]", tmp_path: Path
) -> None:
    note = tmp_path / "tidied"
    program = (
        "import os, subprocess, sys, time\n"
        f"child = {FOLLOWS!r}.format(parent=os.getpid(), note={str(note)!r})\n"
        "subprocess.Popen([sys.executable, '-c', child])\nprint('ready', flush=True)\ntime.sleep(60)\n"
    )
    host = started(said, tmp_path, program)
    said.get(timeout=20)
    host.stop()
    assert note.exists()
