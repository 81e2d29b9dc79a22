"""An interrupt lets what runs come to its end, a kill leaves it on record as pending, and one run holds a stack."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from engine_programs.harness import FOLDER, Stack


def test_a_second_run_is_refused_with_the_name_of_the_lock_holder(stack):
    stack.write('toy.Thing("a", name="a", value="wait")')
    first = threading.Thread(target=stack.up)
    first.start()
    assert stack.toy.entered.wait(20)
    other = Stack(stack.folder, stack.toy)
    refused = other.run("destroy")
    stack.toy.gate.set()
    first.join(20)
    assert re.search(r"staging is in use by up of process \d+, since 20", refused.error)


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
    while not any("interrupted" in message for message in stack.messages("error")):
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


def test_a_killed_run_leaves_the_step_pending_and_the_next_run_continues(stack):
    stack.write('a = toy.Thing("a", name="a")\ntoy.Thing("b", name=a.serial, value="wait")')
    process = start(stack)
    assert stack.toy.entered.wait(20)
    started = psutil.Process(process.pid).children(recursive=True)
    for each in [*started, process]:
        each.kill()
    process.wait()
    psutil.wait_procs(started, timeout=10)
    process.stdout.close()
    stack.toy.gate.set()
    assert ([("creating", "b")], ["a"]) == (stack.pending(), list(stack.resources()))
    result = stack.up('a = toy.Thing("a", name="a")\ntoy.Thing("b", name=a.serial)')
    assert (True, {"a", "b"}) == (result.ok, set(stack.resources()))
    assert [("creating", "b")] == stack.pending()
    stack.run("refresh")
    assert [] == stack.pending()


def test_a_run_whose_caller_is_killed_finishes_its_step_and_leaves_no_process_behind(stack):
    stack.write('import dyn\np = dyn.Proof("p", "linger")\ntoy.Thing("a", name=p.verdict)')
    process = start(stack, FOLDER / "pack")
    begun = stack.program_dir / "begun"
    deadline = time.monotonic() + 20
    while not (begun.exists() and begun.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    started = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    process.stdout.close()
    (stack.program_dir / "go").touch()
    _, alive = psutil.wait_procs(started, timeout=10)
    assert (True, []) == (int(begun.read_text()) in {each.pid for each in started}, alive)
    assert (["p"], None) == (list(stack.resources()), stack.state().get("pending_operations"))
