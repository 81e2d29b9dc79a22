"""A state document is read whole or refused in a sentence, whatever replaces any of its values."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from sandbox.engine.document import read_document, state_from_json, state_to_json
from sandbox.engine.passphrase import Passphrase
from sandbox.engine.state import Pending, Resource, State, StateRefused, check_whole
from sandbox.values import Secret

KEY = Passphrase("open sesame")
STACK = Resource("urn:pulumi:s::p::pulumi:pulumi:Stack::p-s", custom=False, type="pulumi:pulumi:Stack")
PROVIDER = Resource(
    "urn:pulumi:s::p::pulumi:providers:t::default",
    custom=True,
    type="pulumi:providers:t",
    id="1",
    parent=STACK.urn,
)
THING = Resource(
    "urn:pulumi:s::p::t:m:T::a", custom=True, type="t:m:T", id="2", parent=STACK.urn, provider=f"{PROVIDER.urn}::1",
    inputs={"a": [1], "s": Secret("x")}, outputs={"o": {"k": None}}, property_dependencies={"a": (PROVIDER.urn,)},
    dependencies=(PROVIDER.urn,), init_errors=("no",), additional_secret_outputs=("o",), ignore_changes=("a",),
    import_id="i", created="c", modified="m", protect=True, external=True, retain_on_delete=True,
)  # fmt: skip
WHOLE = State((STACK, PROVIDER, THING), (Pending("creating", THING.copy()),), KEY, {})
DOCUMENT = json.loads(state_to_json(WHOLE))


def places(value: Any, path: tuple[int | str, ...] = ()) -> Iterator[tuple[int | str, ...]]:
    """The path of everything in a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield from places(each, (*path, key))


def replaced(value: Any, path: tuple[int | str, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def outcome(text: str | bytes) -> str:
    """Whether it is read or refused; anything else is raised."""
    try:
        check_whole(state_from_json(text, "open sesame", "it"), "it", "p", "s")
    except StateRefused as error:
        return str(error)
    return "read"


def test_the_whole_document_is_read():
    assert "read" == outcome(json.dumps(DOCUMENT))


@pytest.mark.parametrize("path", list(places(DOCUMENT)), ids=lambda path: ".".join(map(str, path)) or "all")
def test_any_other_value_in_any_place_is_read_or_refused(path):
    others = [None, 7, True, "no", [], {}, [1], {"urn": 7}, {"4dabf18193072939515e22adb298388d": "x"}]
    said = [outcome(json.dumps(replaced(DOCUMENT, path, other))) for other in others]
    assert [] == [each for each in said if each != "read" and not each.startswith("it ")]


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_are_refused_in_a_sentence(text):
    with pytest.raises(StateRefused, match=r"^it "):
        read_document(text, "it")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"version": 3, "x": "\\ud800"}'])
def test_what_could_not_be_written_again_is_no_whole_document(text):
    with pytest.raises(StateRefused, match="is not a whole JSON document"):
        read_document(text, "it")
