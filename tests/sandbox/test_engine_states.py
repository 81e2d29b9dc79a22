"""A state that is damaged, foreign, newer or not ours to continue is refused with a sentence and left as it is."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from engine_programs.harness import Stack

from sandbox.engine.embedded import Embedded
from sandbox.world import SandboxError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"version": 3, "deployme', "is not a whole state"),
        ("[]", "is not a whole state"),
        ('{"version": 4, "deployment": {"manifest": {}}}', "has state version 4"),
        ('{"version": 3, "deployment": {"manifest": {}, "resources": [{"id": "x"}]}}', "is damaged"),
        ('{"version": 3, "deployment": {"secrets_providers": {"type": "service"}}}', "cannot be opened"),
    ],
)
def test_a_state_that_cannot_be_read_is_refused_and_left_alone(stack, text, said):
    stack.state_file.parent.mkdir(parents=True)
    stack.state_file.write_text(text)
    result = stack.up('toy.Thing("a", name="a")')
    assert (True, text, []) == (said in result.error, stack.state_file.read_text(), stack.toy.calls)


@pytest.mark.parametrize(
    "text", ['{"version": 3, "deployme', "[]", '{"deployment": 7}', '{"deployment": {"resources": [7]}}']
)
def test_a_deployment_whose_state_cannot_be_read_ends_with_its_remedy(tmp_path, text):
    path = tmp_path / "staging.json"
    path.write_text(text)
    world, files = SimpleNamespace(state_file=lambda _: path), SimpleNamespace(stack="staging")
    with pytest.raises(SandboxError, match="`atlas-access sandbox reset` starts anew"):
        Embedded().export(world, files)
    assert text == path.read_text()


def test_the_state_of_another_stack_is_refused_and_nothing_of_it_is_deleted(stack):
    stack.up('toy.Thing("a", name="a")')
    other = Stack(stack.folder, stack.toy, "prod")
    other.state_file.write_bytes(stack.state_file.read_bytes())
    result = other.up('toy.Thing("b", name="b")')
    assert "is not of stack prod of project demo (urn:pulumi:staging::demo::" in result.error
    assert ([], stack.state_file.read_bytes()) == (stack.toy.calls, other.state_file.read_bytes())


def test_a_state_with_a_byte_that_is_no_text_is_refused_and_left_alone(stack):
    stack.up('toy.Thing("a", name="a", value="word")')
    broken = stack.state_file.read_bytes().replace(b'"word"', b'"w\xffrd"')
    stack.state_file.write_bytes(broken)
    result = stack.up()
    assert "is not a whole state ('utf-8' codec can't decode byte 0xff" in result.error
    assert (broken, []) == (stack.state_file.read_bytes(), stack.toy.calls)


def replaced(document: str, path: tuple[int | str, ...], value: Any) -> str:
    """The document with another value at one place."""
    *outer, last = path
    copy = target = json.loads(document)
    for step in outer:
        target = target[step]
    target[last] = value
    return json.dumps(copy)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("deployment", "resources", -1, "hooks"), [], "toy:index:Thing::a: KeyError: 'hooks'"),
        (("deployment", "resources", -1, "urn"), "urn:a", "is not of stack staging of project demo (urn:a)"),
        (("deployment", "resources", 0), 7, "is damaged (a resource is no object); restore a copy of it"),
        (("deployment", "resources"), 7, "is not a whole state"),
        (("deployment",), None, "is not a whole state"),
    ],
)
def test_what_a_destroy_does_not_understand_in_a_state_makes_it_refuse(stack, path, value, said):
    stack.up('toy.Thing("a", name="a")')
    text = replaced(stack.state_file.read_text(), path, value)
    stack.state_file.write_text(text)
    result = stack.run("destroy")
    assert (True, []) == (said in result.error, stack.toy.calls), result.error
    assert text == stack.state_file.read_text()
