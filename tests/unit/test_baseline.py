"""A baseline: what was captured comes back as it was, and any other is refused with the remedy."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from atlas_access.smoke.baseline import Baseline, BaselineRefused, read_baseline, renewal
from atlas_access.smoke.file import load_smoke

SMOKE = load_smoke((Path(__file__).parents[2] / "smoke.yaml").read_text())


def made(**changes: Any) -> Baseline:
    facts: dict[str, Any] = {
        "stack": "staging",
        "url": "http://127.0.0.1:1",
        "scenarios": SMOKE.digest,
        "captured_at": "2026-05-01T09:00:00+00:00",
        "revision": "askflorence-staging-app:7",
        "plans": ("p1", "p2"),
        "answers": {"plans": '{"plans":[]}'},
    }
    return Baseline(**(facts | changes))


def read(text: str, stack: str = "staging") -> Baseline:
    return read_baseline(text, "baselines/staging.json", stack=stack, smoke=SMOKE)


def test_what_was_captured_comes_back() -> None:
    assert made() == read(made().to_json())


def test_its_plans_are_the_contract() -> None:
    assert 2 == made().contract


def refusal(text: str, stack: str = "staging") -> str:
    with pytest.raises(BaselineRefused) as caught:
        read(text, stack)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "stack", "expected"),
    [
        (made().to_json(), "prod", "is the baseline of another stack, not of prod"),
        (
            made(scenarios="0" * 64).to_json(),
            "staging",
            "captured with other scenarios than smoke.yaml holds now",
        ),
        (made().to_json().replace("p2", "p3"), "staging", "was changed after it was captured"),
        (made(plans=()).to_json(), "staging", "offers no plan at all"),
        (made().to_json().replace('"version": 1', '"version": 9'), "staging", "another version of this tool"),
        ("", "staging", "is not a baseline"),
        ("[]", "staging", "is not a baseline"),
        ("{}", "staging", "is not a baseline"),
        ("[" * 100_000, "staging", "is not a baseline"),
        (json.dumps({**json.loads(made().to_json()), "answers": 5}), "staging", "is not a baseline"),
    ],
)
def test_another_is_refused(text: str, stack: str, expected: str) -> None:
    result = refusal(text, stack)
    verb = "renew" if "other scenarios" in expected else "capture"
    assert (True, True) == (expected in result, result.endswith(f"atlas-access baseline {verb} {stack}."))


@pytest.mark.thorough
@given(st.integers(0, 400), st.characters(codec="ascii"))
def test_no_changed_character_goes_unnoticed(place: int, character: str) -> None:
    text = made().to_json()
    place %= len(text)
    changed = text[:place] + character + text[place + 1 :]
    try:
        assert made() == read(changed)  # a blank of the layout, or the same character again
    except BaselineRefused:
        assert changed != text


def test_a_renewal_says_each_answer_that_differs_and_each_question_that_came_or_went() -> None:
    before = made(answers={"plans": '{"total":14,"at":1}', "gone": "1", "same": "[1]"})
    after = made(answers={"plans": '{"total":15,"at":2}', "new": "1", "same": "[1]"})
    expected = ("gone: no longer asked", "new: asked from now on", "plans: total: 14 → 15")
    assert expected == renewal(before, after, ignore={"at"})


def test_a_renewal_for_other_scenarios_reads_the_baseline_as_it_is() -> None:
    other = made(scenarios="0" * 64)
    assert other == read_baseline(other.to_json(), "staging.json", stack="staging", smoke=None)
