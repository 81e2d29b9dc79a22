"""What the sandbox's providers decide without any server: values, differences, plans, containers, ids."""

import json

import pytest
from google.protobuf import struct_pb2
from hypothesis import given, strategies as st
from pulumi.runtime import rpc

from sandbox.engine.values import UNKNOWN, Secret, from_struct, is_known, secret_texts
from sandbox.providers import containers
from sandbox.providers.atlas_client import decoded, encoded
from sandbox.providers.errors import ProviderError, loopback, required
from sandbox.providers.planning import (
    changes,
    failures,
    inputs_after_read,
    planned_create,
    planned_update,
    with_defaults,
    without_defaults,
)
from sandbox.providers.protocol import annotate, to_struct
from sandbox.providers.resource import Property, ResourceType

THING = ResourceType[None](
    token="test:index:Thing",
    properties=(
        Property("arn", output_only=True),
        Property("days", default=30),
        Property("items", block=True),
        Property("name", replaces=True),
        Property("policy", computed=True),
        Property("password", secret=True, kept=True),
        Property("size", required=True),
        Property("text", equivalent=lambda old, new, _: old.lower() == new.lower()),
    ),
    create=lambda *_: pytest.fail("nothing is created here"),
    read=lambda *_: None,
    update=None,
    delete=lambda *_: None,
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text().filter(lambda text: text != rpc.UNKNOWN)
    | st.just(UNKNOWN),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(min_size=1).filter(lambda key: key != rpc._special_sig_key),
            inner.filter(lambda v: v is not None),
            max_size=3,
        )
        | inner.filter(lambda v: not isinstance(v, Secret)).map(Secret)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_every_value_comes_back_from_the_wire_as_it_was(value):
    sent = {"it": value} if value is not None else {}
    assert sent == from_struct(to_struct(sent))


def test_a_secret_of_a_secret_is_one_secret():
    assert {"it": Secret(1)} == from_struct(to_struct({"it": Secret(Secret(1))}))


def test_what_is_absent_is_left_out_at_every_depth():
    assert {"a": {}, "l": [None]} == from_struct(to_struct({"a": {"b": None}, "c": None, "l": [None]}))


def test_output_values_are_read_as_known_unknown_or_secret():
    struct = struct_pb2.Struct()
    signature = rpc._special_output_value_sig
    struct.update({"plain": {rpc._special_sig_key: signature, "value": "x"}})
    struct.update({"later": {rpc._special_sig_key: signature}})
    struct.update({"hidden": {rpc._special_sig_key: signature, "value": "x", "secret": True}})
    expected = {"plain": "x", "later": UNKNOWN, "hidden": Secret("x")}
    assert expected == from_struct(struct)


def test_secrecy_follows_names_into_objects_and_takes_lists_whole():
    outputs = {"a": "1", "b": {"c": "2", "d": "3"}, "e": [{"f": "4"}], "g": "5"}
    like = {"a": Secret("x"), "b": {"c": Secret("x")}, "e": [{"f": Secret("x")}], "z": Secret("x")}
    expected = {"a": Secret("1"), "b": {"c": Secret("2"), "d": "3"}, "e": Secret([{"f": "4"}]), "g": "5"}
    assert expected == annotate(outputs, like)


def test_every_text_in_a_secret_is_found():
    expected = ["x", "y"]
    assert expected == list(secret_texts({"a": Secret({"b": ["x"]}), "c": [Secret("y")], "d": "open"}))


def test_a_value_with_something_unknown_inside_is_not_known():
    found = [is_known(value) for value in (["a"], [{"b": Secret(UNKNOWN)}])]
    assert found == [True, False]


def test_wrong_inputs_are_all_named_at_once():
    found = {failure.property for failure in failures(THING, {"colour": "red"})}
    assert found == {"colour", "size"}


def test_defaults_are_filled_in_and_recorded_at_every_depth():
    inputs = with_defaults(THING, {"size": 1, "items": [{"k": "v"}]})
    assert inputs["__defaults"] == ["days"]
    assert inputs["items"] == [{"__defaults": [], "k": "v"}]
    assert without_defaults(inputs) == {"days": 30, "items": [{"k": "v"}], "size": 1}


def test_a_created_things_outputs_are_unknown_before_it_is_there():
    expected = {"arn": UNKNOWN, "policy": UNKNOWN, "size": 1}
    assert expected == planned_create(THING, {"size": 1})


def test_an_update_keeps_what_does_not_change_in_its_own_form():
    old = {"arn": "a", "policy": "p", "text": "ONE", "days": 7, "size": 1}
    expected = {"arn": "a", "policy": "p", "text": "ONE", "size": 2}
    assert expected == planned_update(THING, old, {"text": "one", "size": 2})


def test_leaving_out_a_computed_input_is_no_change():
    assert changes(THING, {"policy": "p", "size": 1}, {"size": 1}) == []


@pytest.mark.parametrize("empty", [None, "", [], {}, False])
def test_an_empty_value_equals_one_that_was_never_given(empty):
    assert changes(THING, {"items": empty, "size": 1}, {"size": 1}) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {"days": 7}, ["days"]),
        ({"days": 7}, {}, ["days"]),
        ({"name": "a"}, {"name": "b"}, ["name replaces"]),
        ({"name": "a"}, {"name": UNKNOWN}, ["name replaces"]),
        ({"text": "A"}, {"text": "a"}, []),
        ({"items": [{"k": "1"}, {"k": "2"}]}, {"items": [{"k": "2"}, {"k": "1"}]}, []),
        ({"items": [{"k": "1"}, {"k": "2"}]}, {"items": [{"k": "2"}, {"k": "3"}]}, ["items"]),
        ({"items": [{"k": "1"}]}, {"items": []}, ["items"]),
        ({"items": [{"k": "1"}]}, {"items": [{"k": "1"}, {"k": "2"}]}, ["items"]),
    ],
)
def test_a_difference_has_a_property_and_a_consequence(old, new, expected):
    found = changes(THING, {"size": 1, **old}, {"size": 1, **new})
    assert expected == [f"{prop.name} replaces" if prop.replaces else prop.name for prop in found]


def test_an_ignored_property_is_no_difference():
    old, new = {"items": [{"k": "1"}], "size": 1}, {"items": [{"k": "2"}], "size": 1}
    assert changes(THING, old, new, ["items"]) == []


def test_inputs_follow_what_a_read_found_but_keep_their_own_form():
    old = {"__defaults": ["days"], "days": 30, "password": "p", "size": 1, "text": "one"}
    state = {"arn": "a", "days": 30, "size": 2, "text": "ONE", "policy": "by hand"}
    expected = {"__defaults": ["days"], "days": 30, "password": "p", "size": 2, "text": "one"}
    assert expected == inputs_after_read(THING, old, state)


def test_an_imports_inputs_are_whatever_the_service_has():
    state = {"arn": "a", "name": "n", "size": 0, "policy": "", "items": []}
    found = inputs_after_read(THING, {}, state)
    assert without_defaults(found) == {"days": 30, "name": "n", "size": 0}


VARIABLES = [{"name": "B"}, {"name": "A"}]
PORTS = [{"containerPort": 80}]
AS_GIVEN = [{"name": "app", "image": "i", "environment": VARIABLES, "portMappings": PORTS}]
AS_DESCRIBED = [
    {
        "name": "app",
        "image": "i",
        "cpu": 0,
        "essential": True,
        "environment": [{"name": "A"}, {"name": "B"}],
        "mountPoints": [],
        "volumesFrom": [],
        "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
    }
]


def test_containers_mean_the_same_with_ecs_defaults_filled_in():
    inputs = {"networkMode": "awsvpc"}
    assert containers.equivalent(json.dumps(AS_GIVEN), json.dumps(AS_DESCRIBED), inputs)


def test_a_host_port_matters_outside_awsvpc():
    assert not containers.equivalent(
        json.dumps(AS_GIVEN), json.dumps(AS_DESCRIBED), {"networkMode": "bridge"}
    )


@pytest.mark.parametrize(
    "change",
    [{"image": "other"}, {"essential": False}, {"secrets": [{"name": "M", "valueFrom": "arn"}]}, {"cpu": 10}],
)
def test_other_containers_are_not_equivalent(change):
    other = [{**AS_GIVEN[0], **change}]
    assert not containers.equivalent(json.dumps(AS_GIVEN), json.dumps(other), {})


@pytest.mark.parametrize("text", ["not json", "{}", '["x"]', '[{"image": "i"}]'])
def test_containers_that_are_none_are_refused_without_being_quoted(text):
    with pytest.raises(ValueError, match="container_definitions is invalid") as refused:
        containers.parsed(text)
    assert "image" not in str(refused.value)


@given(st.text(min_size=1), st.text(min_size=1))
def test_an_atlas_id_names_its_parts_again(project, role):
    expected = {"project_id": project, "role_name": role}
    assert expected == decoded(encoded(**expected))


def test_an_id_to_import_by_is_no_id_of_the_state():
    assert decoded("64a1b2c3d4e5f60718293a4b-app-admin") is None


@pytest.mark.parametrize(
    "url",
    ["https://cloud.mongodb.com", "http://127.0.0.1.example.com", "http://0.0.0.0:1", "ftp://127.0.0.1"],
)
def test_an_address_that_is_not_loopback_is_refused_by_name(url):
    with pytest.raises(ProviderError, match="AWS_ENDPOINT_URL: "):
        loopback({"AWS_ENDPOINT_URL": url}, "AWS_ENDPOINT_URL")


def test_a_missing_variable_is_named():
    with pytest.raises(ProviderError, match="AWS_REGION or AWS_DEFAULT_REGION is not set"):
        required({}, "AWS_REGION", "AWS_DEFAULT_REGION")
