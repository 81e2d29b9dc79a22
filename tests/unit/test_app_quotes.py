"""Eligibility and prices from numbers alone."""

from typing import Any

import pytest

from sandbox.app.failures import BadRequest
from sandbox.app.quotes import Household, Place, eligibility, offers
from sandbox.seed import plans

UTAH = Place("UT", "Salt Lake", "49035", 3, medicaid_expanded=True)
TEXAS = Place("TX", "Dallas", "48113", 8, medicaid_expanded=False)
YEAR = {"poverty_line": 15650, "poverty_line_per_person": 5500}


def judged(ages: tuple[int, ...], income: int, place: Place = UTAH) -> dict[str, Any]:
    return eligibility(Household("84094", ages, income, 2026), place, YEAR, plans())


def test_a_couple_of_middle_income_gets_a_credit_below_the_benchmark() -> None:
    result = judged((35, 30), 65000)
    assert (307, True, "none") == (result["fpl_percent"], result["eligible"], result["csr"])
    assert 0 < result["aptc"] < result["benchmark_premium"]


def test_below_the_threshold_an_expanded_state_offers_medicaid_and_no_credit() -> None:
    result = judged((29,), 15000)
    assert (True, False, 0.0) == (result["medicaid"], result["eligible"], result["aptc"])


def test_a_state_that_did_not_expand_offers_no_medicaid() -> None:
    assert not judged((29,), 15000, TEXAS)["medicaid"]


def test_a_lower_income_never_gets_a_smaller_credit() -> None:
    granted = [judged((35, 30), income)["aptc"] for income in range(30000, 250000, 1000)]
    assert sorted(granted, reverse=True) == granted


def test_an_older_household_never_pays_less() -> None:
    premiums = [judged((age,), 60000)["benchmark_premium"] for age in range(21, 65)]
    assert sorted(premiums) == premiums


def test_without_a_silver_plan_there_is_no_benchmark_and_no_credit() -> None:
    result = eligibility(Household("84094", (30,), 40000, 2026), UTAH, YEAR, ())
    assert (None, 0.0) == (result["benchmark_premium"], result["aptc"])


def test_offers_are_the_same_whatever_order_the_plans_come_in() -> None:
    household = Household("84094", (35, 30), 65000, 2026)
    assert offers(household, 300.0, plans()) == offers(household, 300.0, reversed(plans()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("zip", "840"), ("zip", 84094), ("zip", None), ("household", []), ("household", [{"age": 65}]),
        ("household", [{"age": True}]), ("household", ["35"]), ("household", [{"age": 1}] * 9), ("income", "many"),
        ("income", -1), ("income", 10**9), ("income", None), ("year", "2026"),
    ],
)  # fmt: skip
def test_what_is_no_household_is_refused(name: str, value: object) -> None:
    good = {"zip": "84094", "household": [{"age": 35}], "income": 65000, "year": 2026}
    with pytest.raises(BadRequest, match="must"):
        Household.of({**good, name: value})
