"""What the engine decides, from records alone."""

import pytest

from sandbox.engine import planner
from sandbox.engine.planner import Diff
from sandbox.engine.state import Resource
from sandbox.values import Secret


def thing(name: str, *needs: str, **more) -> Resource:
    urn = f"urn:pulumi:s::p::t:m:T::{name}"
    named = tuple(f"urn:pulumi:s::p::t:m:T::{need}" for need in needs)
    return Resource(urn, custom=more.pop("custom", True), type="t:m:T", dependencies=named, **more)


def names(groups: list[list[Resource]]) -> list[list[str]]:
    return [sorted(item.name for item in group) for group in groups]


@pytest.mark.parametrize(
    ("diff", "old", "op"),
    [
        (planner.SAME, {}, "same"),
        (Diff(changes=True), {}, "update"),
        (Diff(changes=True, replaces=("a",)), {}, "replace"),
        (planner.SAME, {"init_errors": ("not ready",)}, "update"),
        (planner.SAME, {"pending_replacement": True}, "replace"),
    ],
)
def test_an_existing_resource_is_kept_updated_or_replaced(diff, old, op):
    assert op == planner.decide(thing("a", **old), diff)


def test_what_depends_on_something_is_deleted_in_an_earlier_group():
    a, b, c, d = thing("a"), thing("b", "a"), thing("c", "b"), thing("d", "a")
    assert [["c"], ["b", "d"], ["a"]] == names(planner.delete_order([a, b, c, d], [a, b, c, d]))


def test_children_go_before_their_parent_and_resources_before_their_provider():
    group, provider = thing("g", custom=False), thing("p")
    child = thing("c", parent=group.urn, provider=f"{provider.urn}::id")
    assert [["c"], ["g", "p"]] == names(
        planner.delete_order([group, provider, child], [group, provider, child])
    )


def test_what_depends_on_a_component_goes_before_the_children_of_it():
    group, child = thing("g", custom=False), thing("c", parent=thing("g").urn)
    user = thing("u", "g")
    assert [["u"], ["c"], ["g"]] == names(planner.delete_order([group, child, user], [group, child, user]))


def test_only_dependents_that_would_be_replaced_themselves_are_deleted_before():
    a, b, c, d = thing("a"), thing("b", "a"), thing("c", "b"), thing("d", "a")
    chosen = planner.dependents(a, [a, b, c, d], {d.urn}, lambda item, doomed: item is not c)
    assert ["b"] == [item.name for item in chosen]


def test_what_a_spared_resource_needs_is_everything_behind_it():
    a, b, c, d = thing("a"), thing("b", "a"), thing("c", "b"), thing("d")
    assert {id(a), id(b)} == planner.needed_by(c, [a, b, c, d])


def test_references_to_what_is_gone_are_dropped_and_parents_are_bridged():
    top, child = thing("top", custom=False), thing("child", "gone", parent="urn:pulumi:s::p::t:m:T::gone")
    child.property_dependencies = {"x": ("urn:pulumi:s::p::t:m:T::gone",), "y": (top.urn,)}
    kept = planner.without_dangling([top, child])[1]
    assert ("", (), {"y": (top.urn,)}) == (kept.parent, kept.dependencies, kept.property_dependencies)


def test_a_secret_that_keeps_its_content_is_no_change():
    assert planner.SAME == planner.input_diff({"a": Secret("x")}, {"a": "x"})


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("a", {"a": 1, "b": {"c": [8, 9]}, "n": 5}),
        ("n", {"a": 7, "b": {"c": [8, 9]}}),
        ("gone", {"a": 7, "b": {"c": [8, 9]}, "n": 5, "gone": 3}),
        ("neither", {"a": 7, "b": {"c": [8, 9]}, "n": 5}),
    ],
)
def test_an_ignored_property_reads_as_it_was(path, result):
    old, new = {"a": 1, "b": {"c": [1, 2]}, "gone": 3}, {"a": 7, "b": {"c": [8, 9]}, "n": 5}
    assert result == planner.keep_ignored(new, old, [path])
    assert {"a": 7, "b": {"c": [8, 9]}, "n": 5} == new
