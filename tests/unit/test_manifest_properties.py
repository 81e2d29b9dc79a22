"""Whatever stands in the file, the answer is a manifest or its mistakes, and always the same one."""

import copy
import json

import pytest
from hypothesis import given, settings, strategies as st

from atlas_access.base.yaml_errors import ManifestError
from atlas_access.manifest.load import Manifest, ManifestInvalid, load_manifest

SMALL = {
    "version": 1,
    "database": "shop",
    "environments": ["staging", "prod"],
    "audit": {"database": "shop", "collection": "log"},
    "collections": {
        "plans": {"class": "public", "on": ["staging", "prod"]},
        "log": {"class": "pii", "on": ["staging", "prod"]},
    },
    "read_across": ["plans"],
    "roles": {"role_log": {"FIND": ["log"], "INSERT": ["log"]}},
    "users": {
        "reader": {"role": "read@shop", "secret": "{env}/mongodb/reader"},
        "logger": {"role": "role_log", "secret": "{env}/mongodb/logger"},
    },
    "bindings": {
        "service": {
            "MONGODB_URI": {"user": "reader"},
            "MONGODB_LOG_URI": {"user": "logger"},
            "MONGODB_REFERENCE_URI": {
                "user": "reader",
                "secret": "{env}/mongodb/reference",
                "prod": {"cluster": "staging", "address": "private"},
            },
        }
    },
    "legacy": {
        "staging": {
            "users": {
                "old": {
                    "role": "read@shop",
                    "successor": "reader",
                    "secrets": [{"name": "staging/mongodb/old", "variable": "MONGODB_URI"}],
                }
            }
        }
    },
}
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 3), st.text(max_size=12), st.just([]), st.just({}), st.just("*"),
    st.sampled_from(["reader", "log", "read@shop", "readWrite@shop", "dbOwner@shop", "role_log", "staging", "UPDATE"]),
    st.lists(st.sampled_from(["log", "plans", "staging"]), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)  # fmt: skip


def answer(text: str | bytes) -> Manifest | tuple[ManifestError, ...]:
    """Return the manifest or its errors, each of which must be one line that names the remedy."""
    try:
        return load_manifest(text)
    except ManifestInvalid as invalid:
        errors = invalid.errors
    assert errors, "refused without a reason"
    assert all(error.problem and error.remedy and error.line > 0 for error in errors)
    assert "\n" not in "".join(map(str, errors))
    return errors


def paths(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [below for key, item in items for below in paths(item, (*path, key))]


@st.composite
def mutated(draw):
    data = copy.deepcopy(SMALL)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(paths(data)))
        parent = data
        for part in path[:-1]:
            parent = parent[part]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                parent[path[-1]] = draw(ODD)
            case "remove":
                del parent[path[-1]]
            case "add" if isinstance(parent, dict):
                parent[draw(st.text(max_size=8))] = draw(ODD)
            case "add":
                parent.append(draw(ODD))
    return data


def test_the_small_manifest_is_valid():
    assert "shop" == load_manifest(json.dumps(SMALL)).database


@pytest.mark.thorough
@settings(max_examples=50, deadline=None)
@given(mutated())
def test_a_mutated_manifest_is_read_or_refused_and_never_crashes(data):
    text = json.dumps(data)
    assert answer(text) == answer(text)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_text_torn_apart_is_read_or_refused_and_never_crashes(data):
    text = json.dumps(SMALL, indent=1)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    answer(text[:start] + data.draw(st.text(max_size=8)) + text[end:])


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
def test_any_text_is_refused_with_a_reason(text):
    assert isinstance(answer(text), tuple)


@settings(max_examples=10, deadline=None)
@given(st.permutations(list(SMALL)))
def test_the_order_of_the_parts_does_not_matter(order):
    turned = {key: SMALL[key] for key in order}
    assert load_manifest(json.dumps(SMALL)).digest == load_manifest(json.dumps(turned)).digest
