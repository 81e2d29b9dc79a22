"""An interrupt lets what runs come to its end, a kill leaves it on record as pending, and one run holds a stack."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from engine_programs.harness import FOLDER, Stack


def test_an_interrupt_before_the_first_step_ends_the_run_with_a_result(stack, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sandbox.engine.runner.load", interrupted)
    assert "interrupted while the run began or ended" == stack.up('toy.Thing("a", name="a")').error


def test_a_second_run_is_refused_with_the_name_of_the_lock_holder(stack):
    stack.write('toy.Thing("a", name="a", value="wait")')
    first = threading.Thread(target=stack.up)
    first.start()
    assert stack.toy.entered.wait(20)
    other = Stack(stack.folder, stack.toy)
    refused = other.run("destroy")
    stack.toy.gate.set()
    first.join(20)
    assert f"in use by up of process {os.getpid()}" in refused.error


def test_a_lock_of_a_dead_process_is_taken_over(stack):
    stack.up("")
    dead = subprocess.Popen(["true"])
    dead.wait()
    record = {"pid": dead.pid, "started": "1", "operation": "up", "since": "yesterday"}
    stack.state_file.with_name("staging.json.lock").write_text(json.dumps(record))
    assert stack.up().ok


RUN = """
import signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests were started in the background
sys.path.insert(0, {tests!r})
from pathlib import Path
from engine_programs.harness import Stack
class Toy:
    port, calls = {port}, []
stack = Stack(Path({folder!r}), Toy())
stack.options["policy_packs"] = tuple(map(Path, {packs!r}))
def listen():
    while not any("interrupted" in getattr(event, "message", "") for event in list(stack.events)):
        time.sleep(0.01)
    print("heard", flush=True)
threading.Thread(target=listen, daemon=True).start()
print(stack.up().error)
"""


def start(stack: Stack, *packs: Path) -> subprocess.Popen[str]:
    code = RUN.format(
        tests=str(FOLDER.parent), port=stack.toy.port, folder=str(stack.folder), packs=[*map(str, packs)]
    )
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_lets_the_step_finish_and_records_it(stack, number):
    stack.write('a = toy.Thing("a", name="a", value="wait")\ntoy.Thing("b", name=a.serial)')
    process = start(stack)
    assert stack.toy.entered.wait(20)
    process.send_signal(number)
    assert "heard\n" == process.stdout.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    stack.toy.gate.set()
    said, _ = process.communicate(timeout=30)
    assert "interrupted" in said
    assert (["a"], None) == (list(stack.resources()), stack.state().get("pending_operations"))


def test_a_second_interrupt_gives_up_and_leaves_the_step_pending(stack):
    stack.write('toy.Thing("a", name="a", value="wait")')
    process = start(stack)
    assert stack.toy.entered.wait(20)
    process.send_signal(signal.SIGINT)
    assert "heard\n" == process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=15)
    assert ([], [("creating", "a")]) == (list(stack.resources()), stack.pending())


def test_a_second_interrupt_leaves_the_step_pending(stack):
    def twice(event: object) -> None:
        if "what was begun is finished" in getattr(event, "message", ""):
            raise KeyboardInterrupt

    stack.options["on_event"] = twice
    stack.write('toy.Thing("a", name="a", value="wait")')
    threading.Thread(
        target=lambda: (stack.toy.entered.wait(20), os.kill(os.getpid(), signal.SIGINT)), daemon=True
    ).start()
    said = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = stack.up()
    finally:
        signal.signal(signal.SIGINT, said)
    before = stack.state_file.read_bytes()
    stack.toy.gate.set()
    assert (True, [("creating", "a")]) == ("interrupted twice" in result.error, stack.pending())
    deadline = time.monotonic() + 10
    while not stack.toy.things and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (1, before) == (len(stack.toy.things), stack.state_file.read_bytes())


def test_a_killed_run_leaves_the_step_pending_and_the_next_run_continues(stack):
    stack.write('a = toy.Thing("a", name="a")\ntoy.Thing("b", name=a.serial, value="wait")')
    process = start(stack)
    assert stack.toy.entered.wait(20)
    process.kill()
    process.wait()
    process.stdout.close()
    stack.toy.gate.set()
    assert ([("creating", "b")], ["a"]) == (stack.pending(), list(stack.resources()))
    result = stack.up('a = toy.Thing("a", name="a")\ntoy.Thing("b", name=a.serial)')
    assert (True, {"a", "b"}) == (result.ok, set(stack.resources()))
    assert [("creating", "b")] == stack.pending()
    stack.run("refresh")
    assert [] == stack.pending()


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all of them end in time."""
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not alive


def test_a_killed_run_leaves_no_program_no_host_and_no_pack_behind(stack):
    stack.write('import dyn\np = dyn.Proof("p", "word")\ntoy.Thing("a", name=p.verdict, value="wait")')
    process = start(stack, FOLDER / "pack")
    assert stack.toy.entered.wait(20)
    started = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    process.stdout.close()
    assert (3, True) == (len(started), gone(started))


def test_a_dynamic_call_outlives_a_killed_run_and_its_host_ends_with_it(stack):
    stack.write('import dyn\ndyn.Proof("p", "linger")')
    process = start(stack)
    begun = stack.program_dir / "begun"
    deadline = time.monotonic() + 20
    while not (begun.exists() and begun.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    host = psutil.Process(int(begun.read_text()))
    process.kill()
    process.wait()
    process.stdout.close()
    (stack.program_dir / "go").touch()
    assert (True, True) == (gone([host]), (stack.program_dir / "done").exists())
