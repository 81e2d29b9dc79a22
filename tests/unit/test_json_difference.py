"""Differences between two answers: none where they are equal, and each named by its place."""

import copy
from typing import Any

import pytest
from hypothesis import given, strategies as st

from atlas_access.smoke.json_difference import differences

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=5), below, max_size=4),
)


def differences_between(before: Any, after: Any, *ignore: str) -> list[str]:
    return [str(each) for each in differences(before, after, ignore)]


@pytest.mark.thorough
@given(JSON)
def test_an_answer_does_not_differ_from_itself(value: Any) -> None:
    assert () == differences(value, copy.deepcopy(value))


@pytest.mark.thorough
@given(JSON, JSON)
def test_a_difference_is_seen_from_both_sides(one: Any, other: Any) -> None:
    assert bool(differences(one, other)) == bool(differences(other, one))


@given(JSON, LEAVES)
def test_one_changed_leaf_is_one_difference(value: Any, leaf: Any) -> None:
    before, after = {"a": value, "b": [leaf]}, {"a": value, "b": [[leaf]]}
    assert ["b[0]"] == [each.path for each in differences(before, after)]


def test_a_changed_number_is_reported_with_both_values() -> None:
    assert ["plans[42261UT0060023].premium: 402.66 → 410.0"] == differences_between(
        {"plans": [{"plan_id": "42261UT0060023", "premium": 402.66}]},
        {"plans": [{"plan_id": "42261UT0060023", "premium": 410.0}]},
    )


def test_a_missing_plan_is_one_difference() -> None:
    before = [{"plan_id": str(number), "premium": number} for number in range(5)]
    assert ["[2]: an object of 2 fields → absent"] == differences_between(before, before[:2] + before[3:])


def test_another_order_is_reported_once() -> None:
    rows = [{"plan_id": name} for name in "abc"]
    assert [' order, place 1: "a" → "c"'] == differences_between(rows, rows[::-1])


def test_true_is_not_one() -> None:
    assert ["covered: true → 1"] == differences_between({"covered": True}, {"covered": 1})


def test_an_absent_field_differs_from_null() -> None:
    assert ["tier: absent → null"] == differences_between({}, {"tier": None})


def test_ignored_fields_count_nowhere() -> None:
    assert [] == differences_between({"a": [{"request_id": 1}]}, {"a": [{"request_id": 2}]}, "request_id")


def test_a_very_deep_answer_is_compared_all_the_same() -> None:
    deep: Any = 1
    other: Any = 2
    for _ in range(200):
        deep, other = [deep], [other]
    assert 1 == len(differences(deep, other))


def test_what_is_shown_is_one_short_line() -> None:
    (line,) = differences_between({"a": "x\n" * 500}, {"a": 1})
    assert (True, True) == (len(line) < 150, "\n" not in line)
