"""Values on the wire and in the state, what may be shown of them, and what is refused before a run."""

import dataclasses
import json
from pathlib import Path

import pytest

from sandbox.engine import request, values
from sandbox.engine.document import lines_to_json, resource_to_json, state_from_json
from sandbox.engine.events import Mask, planned
from sandbox.engine.goal import Namer
from sandbox.engine.passphrase import Passphrase, WrongPassphrase
from sandbox.engine.session import in_full, one_line
from sandbox.engine.state import Resource, StateRefused
from sandbox.engine.values import UNKNOWN, Reference, Secret

EVERYTHING = {
    "text": "a", "number": 1, "half": 0.5, "yes": True, "none": None, "list": [1, [2]], "object": {"k": {}},
    "secret": Secret({"deep": ["x"]}), "unknown": UNKNOWN, "resource": Reference("urn:x", "id", "1.0.0"),
    "component": Reference("urn:y", None), "later": Reference("urn:z", UNKNOWN), "empty": [],
}  # fmt: skip

KEY = Passphrase("open sesame")


def test_every_kind_of_value_survives_the_wire():
    assert EVERYTHING == values.from_struct(values.to_struct(EVERYTHING))


def test_whole_numbers_come_back_as_integers():
    assert "int" == type(values.from_struct(values.to_struct({"n": 3.0}))["n"]).__name__


def test_a_host_that_knows_no_secrets_gets_their_content():
    struct = values.to_struct({"s": Secret({"x": Secret(1)})}, secrets=False)
    assert {"s": {"x": 1}} == values.from_struct(struct)


def test_assets_are_refused():
    asset = {values.SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "text": "x"}
    with pytest.raises(values.UnsupportedValue):
        values.from_struct(values.to_struct({"a": asset}))


def test_what_is_shown_never_holds_a_secret():
    shown = json.dumps(values.masked(EVERYTHING)) + repr(EVERYTHING["secret"])
    assert (False, True) == ('"x"' in shown, "[secret]" in shown)


def test_a_mask_takes_out_secrets_in_plain_and_in_json():
    mask = Mask()
    mask.learn({"a": Secret('pa"ss'), "b": Secret({"c": ["other-secret"]}), "d": Secret("abc")})
    assert "x [secret] [secret] [secret] abc" == mask('x pa"ss pa\\"ss other-secret abc')


@pytest.mark.parametrize(
    "text",
    [
        "p@ss/word+1",
        "p%40ss%2Fword%2B1",
        "cEBzcy93b3JkKz",
        "first line",
        "first line and the second one",
        "271828",
    ],
)
def test_a_mask_takes_out_secrets_encoded_by_line_in_one_line_and_as_numbers(text):
    mask = Mask()
    mask.learn([Secret("p@ss/word+1"), Secret("first line\n  and the second one\n"), Secret(271828)])
    assert ("it said [secret] and ended", False) == (mask(f"it said {text} and ended"), text in mask(text))


def test_a_mask_leaves_words_alone_that_are_lines_of_a_secret():
    mask = Mask()
    mask.learn(Secret("prod\nname\nfail"))
    assert "prod: create failed" == mask("prod: create failed")


def test_a_planned_step_says_what_is_added_changed_and_gone():
    old, new = {"a": 1, "b": Secret(1), "s": 1, "__provider": 1}, {"b": Secret(2), "c": 3, "s": 1}
    step = planned("update", "t", "urn", old, new)["resourcePreEvent"]["metadata"]
    assert (["a", "b", "c"], {"a": 1, "b": "[secret]"}) == (step["diffs"], step["old"]["inputs"])
    assert {"b": "[secret]", "c": 3} == step["new"]["inputs"]


def test_a_traceback_is_reduced_to_what_follows_its_frames():
    text = 'Traceback (most recent call last):\n  File "x", line 1\n    f()\nValueError: no\nluck\n'
    assert "ValueError: no luck" == one_line(text) == in_full(text)


def test_what_a_provider_says_is_kept_to_its_last_line():
    assert "RolloutFailed: undone\n  why\n  next" == in_full("RolloutFailed: undone\n  why\n\n  next\n")


def sealed(resource: Resource, key: Passphrase) -> str:
    return lines_to_json([resource_to_json(resource, key)], [], key)


def test_a_resource_survives_the_state_with_its_secrets_encrypted():
    key = KEY
    resource = Resource(
        "urn:pulumi:s::p::t:m:T::a", custom=True, type="t:m:T", inputs={**EVERYTHING}, protect=True,
        property_dependencies={"text": ("urn:b",), "none": ()}, init_errors=("no",),
    )  # fmt: skip
    text = sealed(resource, key)
    opened = state_from_json(text, "open sesame", "it").resources[0]
    assert vars(resource) == vars(opened)
    assert "deep" not in text


def test_a_secret_with_a_secret_inside_is_opened_whole():
    key = KEY
    text = sealed(
        Resource("urn:pulumi:s::p::t:m:T::a", custom=True, inputs={"s": Secret({"t": Secret("u")})}), key
    )
    assert {"s": Secret({"t": "u"})} == state_from_json(text, "open sesame", "it").resources[0].inputs


def test_a_feature_that_is_not_supported_refuses_the_state_by_name():
    key = KEY
    line = json.dumps({"urn": "urn:a", "custom": True, "deletedWith": "urn:b"})
    with pytest.raises(StateRefused, match="it is damaged \\(urn:a: KeyError: 'deletedWith'\\)"):
        state_from_json(lines_to_json([line], [], key), "open sesame", "it")


def test_a_passphrase_opens_what_it_sealed_and_another_does_not():
    first = Passphrase("one")
    sealed_text = first.encrypt("hello")
    assert "hello" == Passphrase("one", first.salt).decrypt(sealed_text)
    with pytest.raises(WrongPassphrase):
        Passphrase("two", first.salt).decrypt(sealed_text)


def test_urns_are_qualified_by_their_parents_but_the_stack():
    urn = Namer("s", "p").urn
    stack = urn("", "pulumi:pulumi:Stack", "p-s")
    group = urn(stack, "t:m:Group", "g")
    child = urn(group, "t:m:T", "a")
    assert "urn:pulumi:s::p::t:m:Group$t:m:T::a" == child


@pytest.mark.parametrize(
    ("version", "name"), [("", "default"), ("7.51.1", "default_7_51_1"), ("1.2.3-rc.1", "default_1_2_3_rc_1")]
)
def test_a_default_provider_is_named_after_its_version(version, name):
    assert name == Namer("s", "p").default_provider("aws", version).name


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:5000/x", True), ("http://localhost", True), ("http://[::1]:80", True),
        ("mongodb://u:p@127.0.0.1:1,127.0.0.1:2/x", True), ("http://127.0.0.1@example.com", False),
        ("mongodb://127.0.0.1:1,example.com:2/", False), ("https://10.0.0.1", False), ("http://", False),
        ("http://127.0.0.1.example.com", False), ("http://0177.0.0.1", False), ("http://[::1", False),
    ],
)  # fmt: skip
def test_only_addresses_of_this_machine_are_local(url, local):
    assert local == request.stays_here(url)


def asked(tmp_path: Path, **changes) -> request.EngineRequest:
    (tmp_path / "__main__.py").touch()
    plain = request.EngineRequest("up", tmp_path, "p", "s", {}, {}, tmp_path / "s.json", {}, "x")
    return dataclasses.replace(plain, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"operation": "watch"}, "is unknown"),
        ({"stack": "../x"}, "is not one"),
        ({"program_dir": Path("/nowhere")}, "has no __main__.py"),
        ({"provider_ports": {"aws": 1}}, "AWS_ENDPOINT_URL is not set"),
        ({"environment": {"MONGODB_ATLAS_BASE_URL": "https://cloud.mongodb.com/"}}, "not on this machine"),
    ],
)
def test_a_request_that_cannot_run_is_refused_with_the_remedy(tmp_path, changes, said):
    with pytest.raises(request.EngineRefused, match=said):
        request.check(asked(tmp_path, **changes))


def test_a_host_gets_no_proxy_and_nothing_of_this_process_but_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    given = asked(tmp_path, environment={"HTTPS_PROXY": "http://example.com", "A": "1"}).host_environment()
    assert ("1", None, None) == (given["A"], given.get("HTTPS_PROXY"), given.get("AWS_SECRET_ACCESS_KEY"))
