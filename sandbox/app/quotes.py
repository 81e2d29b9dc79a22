"""Eligibility, tax credit and prices of a household. Pure and deterministic; the scales are made up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from sandbox.app.failures import BadRequest

Document = Mapping[str, Any]
_OLDEST, _MOST_PEOPLE, _MOST_INCOME = 64, 8, 10_000_000
_MEDICAID_BELOW, _SHARE_GROWS_TO = 138, 400  # per cent of the poverty line
_LARGEST_SHARE = 0.085  # of the income, that a benchmark plan may cost


@dataclass(frozen=True)
class Household:
    """Who asks: ZIP, ages of those to be covered, yearly income in dollars, plan year."""

    zip: str
    ages: tuple[int, ...]
    income: int
    year: int

    @classmethod
    def of(cls, body: Document) -> Self:
        """Read a request's `zip`, `household` (`[{"age": 35}, …]`), `income` and `year`. Raises `BadRequest`."""
        zip_code, people = body.get("zip"), body.get("household")
        if not isinstance(zip_code, str) or len(zip_code) != 5 or not zip_code.isdigit():
            raise BadRequest("zip must be five digits")
        if not isinstance(people, list) or not 1 <= len(people) <= _MOST_PEOPLE:
            raise BadRequest(f"household must list 1 to {_MOST_PEOPLE} people")
        ages = tuple(person.get("age") if isinstance(person, dict) else None for person in people)
        if not all(_whole(age, _OLDEST) for age in ages):
            raise BadRequest(f"every age must be a whole number up to {_OLDEST}")
        income, year = body.get("income"), body.get("year", 2026)
        if not _whole(income, _MOST_INCOME):
            raise BadRequest("income must be a whole number of dollars a year")
        if not _whole(year, 9999):
            raise BadRequest("year must be a number such as 2026")
        return cls(zip_code, tuple(int(age or 0) for age in ages), int(income or 0), int(year))


def eligibility(
    household: Household, region: Document, year: Document, plans: Iterable[Document]
) -> dict[str, Any]:
    """Say what help a household gets: Medicaid, or a monthly credit by the second-lowest silver plan."""
    line = year["poverty_line"] + year["poverty_line_per_person"] * (len(household.ages) - 1)
    percent = household.income * 100 // line
    medicaid = region["medicaid_expanded"] and percent < _MEDICAID_BELOW
    silver = sorted(_premium(household, plan) for plan in plans if plan["metal_level"] == "Silver")
    share = _LARGEST_SHARE * min(percent, _SHARE_GROWS_TO) / _SHARE_GROWS_TO
    benchmark = silver[:2][-1] if silver and not medicaid else 0.0
    return {
        "eligible": not medicaid,
        "medicaid": medicaid,
        "state": region["state"],
        "fpl_percent": percent,
        "aptc": round(max(0.0, benchmark - household.income / 12 * share), 2),
    }


def offers(household: Household, credit: float, plans: Iterable[Document]) -> list[dict[str, Any]]:
    """Price every plan for a household and put the cheapest first; equal ones by plan id."""
    priced = [_offer(plan, _premium(household, plan), credit) for plan in plans]
    return sorted(priced, key=lambda offer: (offer["net_premium"], offer["plan_id"]))


def _offer(plan: Document, premium: float, credit: float) -> dict[str, Any]:
    shown = {key: plan[key] for key in ("plan_id", "name", "metal_level", "deductible")}
    return {**shown, "premium": premium, "net_premium": round(max(0.0, premium - credit), 2)}


def _premium(household: Household, plan: Document) -> float:
    shares = (0.765 if age < 15 else 1.0 + max(0, age - 21) * 0.0465 for age in household.ages)
    return round(float(plan["premium_age_21"]) * sum(shares), 2)


def _whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
