"""Small programs by plain AWS and Atlas resources, each breaking one thing, against the real pack over gRPC."""

import re
from functools import cache
from pathlib import Path

import pytest
from policy_capture import capture

HERE = Path(__file__).parent
PROGRAMS = sorted((HERE / "offenders").glob("*.py"))
SETTING = re.compile(r"^(Stopped by|Phase|Stack): (.+)$", re.MULTILINE)


def settings_of(program):
    found = dict(SETTING.findall(program.read_text(encoding="utf-8")))
    return found["Stopped by"], found.get("Phase", "bind"), found.get("Stack", "staging")


@cache
def said_of(packs, program):
    """Everything the pack says about a program, which is captured and analyzed once."""
    _, phase, stack = settings_of(program)
    pack, captured = packs(phase), capture(program, stack)
    said = [line for request in captured.analyze for line in pack.analyze(request)]
    return said + pack.analyze_stack(captured.stack)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_an_offending_program_is_stopped_by_exactly_its_rule(program, packs):
    rule, _, _ = settings_of(program)

    said = said_of(packs, program)

    assert set(rule.split(" and ")) == {
        name.removesuffix("-stack") for name, mandatory, _, _ in said if mandatory
    }


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_no_message_holds_a_password(program, packs):
    source = program.read_text(encoding="utf-8")
    canaries = [*re.findall(r"Zu7canary9|Abcdefgh1234", source), "Kq7Kq7"]

    said = said_of(packs, program)

    assert [] == [message for _, _, message, _ in said if any(canary in message for canary in canaries)]
