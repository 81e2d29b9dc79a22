"""Policy packs: resource rules before each step, stack rules after, levels and configuration as asked."""

import threading
import time

import pytest
from engine_programs.harness import FOLDER, Stack


@pytest.fixture
def ruled(stack: Stack) -> Stack:
    stack.options["policy_packs"] = (FOLDER / "pack",)
    return stack


def violations(stack: Stack) -> list[tuple[str, str]]:
    found = [event["policyEvent"] for event in stack.events if "policyEvent" in event]
    return [(each["policyName"], each["enforcementLevel"]) for each in found]


EVIL = 'a = toy.Thing("a", name="a")\ntoy.Thing("b", name=a.serial, value="evil")'


def test_a_mandatory_violation_blocks_its_step_and_ends_the_update(ruled):
    result = ruled.up(EVIL)
    assert "toy-pack/no-evil: nothing may be evil" == result.error
    assert (["create a"], [("no-evil", "mandatory")]) == (ruled.toy.calls, violations(ruled))


def test_a_pack_that_breaks_over_the_whole_stack_fails_the_run_and_what_was_done_stays_on_record(ruled):
    result = ruled.up('toy.Thing("a", name="a", value="burst")\npulumi.export("x", 1)')
    assert (True, {"create": 2}) == ("toy-pack failed: " in result.error, dict(result.changes))
    assert 1 == ruled.state()["resources"][0]["outputs"]["x"]


def test_a_pack_that_does_not_answer_is_named(ruled):
    ruled.options["call_seconds"] = 0.5
    result = ruled.up('toy.Thing("a", name="a", value="hang")')
    assert "a: toy-pack failed: Deadline Exceeded" == result.error


def test_a_preview_reports_every_violation_and_fails_at_its_end(ruled):
    result = ruled.preview(EVIL + '\ntoy.Thing("c", name="c", value="evil")')
    planned = set(ruled.ops()) & {"a", "b", "c"}
    assert (False, 2, {"a", "b", "c"}) == (result.ok, len(violations(ruled)), planned)


def test_an_advisory_violation_is_reported_and_stops_nothing(ruled):
    assert ruled.up('toy.Thing("a", name="a", value="doubt")').ok
    assert [("no-doubt", "advisory")] == violations(ruled)


def test_stack_rules_run_after_the_changes(ruled):
    result = ruled.up('for i in range(4):\n    toy.Thing(f"t{i}", name=f"t{i}")')
    assert "toy-pack/few-things: 4 things are too many" == result.error
    assert 4 == len(ruled.resources())


def test_a_pack_that_does_not_start_ends_the_run_and_lets_go_of_the_program(stack, tmp_path):
    """A thread that still waited to answer the program would keep this process from ending."""
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    asked = tmp_path / "asked"
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(asked)!r}).exists(): time.sleep(0.01)\n"
    (pack / "__main__.py").write_text(waits + "time.sleep(0.3)\nraise SystemExit(3)\n")
    stack.options["policy_packs"] = (pack,)
    before = set(threading.enumerate())
    result = stack.up(f'open({str(asked)!r}, "w")\ntoy.Thing("a", name="a")')
    deadline = time.monotonic() + 10
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ("policy pack pack did not start: it exited with code 3", set()) == (result.error, left)


def test_a_folder_without_a_pack_is_refused(stack):
    stack.options["policy_packs"] = (stack.folder,)
    assert "has no PulumiPolicy.yaml" in stack.up(EVIL).error
