"""Eligibility, tax credit and prices of a household. Pure and deterministic; the scales are made up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from sandbox.app.failures import BadRequest

Document = Mapping[str, Any]
_OLDEST, _MOST_PEOPLE, _MOST_INCOME = 64, 8, 10_000_000
_MEDICAID_BELOW = 138
_AGES = ((0, 0.765), (14, 0.765), (20, 0.97), (21, 1.0), (30, 1.135), (40, 1.278), (50, 1.786), (64, 3.0))
# Per cent of the poverty line, and the share of income (in per cent) that a benchmark plan may cost there.
_SHARES = ((0, 0.0), (150, 0.0), (200, 2.0), (250, 4.0), (300, 6.0), (400, 8.5), (10**9, 8.5))
_REDUCTIONS = ((150, "94"), (200, "87"), (250, "73"))


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


@dataclass(frozen=True)
class Place:
    """Where a household lives, as the collections `zip_county` and `regions` say."""

    state: str
    county: str
    fips: str
    rating_area: int
    medicaid_expanded: bool


def eligibility(
    household: Household, place: Place, year: Document, plans: Iterable[Document]
) -> dict[str, Any]:
    """Say what help a household gets: share of the poverty line, Medicaid, monthly credit, cost sharing."""
    line = year["poverty_line"] + year["poverty_line_per_person"] * (len(household.ages) - 1)
    percent = household.income * 100 // line
    medicaid = place.medicaid_expanded and percent < _MEDICAID_BELOW
    benchmark = _benchmark(household, plans)
    expected = household.income / 12 * _between(_SHARES, percent) / 100
    credit = 0.0 if medicaid or benchmark is None else round(max(0.0, benchmark - expected), 2)
    reduction = next((kind for limit, kind in _REDUCTIONS if percent <= limit), "none")
    return {
        "eligible": not medicaid,
        "medicaid": medicaid,
        "zip": household.zip,
        "state": place.state,
        "county": place.county,
        "rating_area": place.rating_area,
        "year": household.year,
        "household_size": len(household.ages),
        "fpl_percent": percent,
        "benchmark_premium": benchmark,
        "aptc": credit,
        "csr": "none" if medicaid else reduction,
    }


def offers(household: Household, credit: float, plans: Iterable[Document]) -> list[dict[str, Any]]:
    """Price every plan for a household and put the best value first; equal scores by plan id."""
    priced = [_offer(household, credit, plan) for plan in plans]
    return sorted(priced, key=lambda offer: (-offer["score"], offer["plan_id"]))


def _offer(household: Household, credit: float, plan: Document) -> dict[str, Any]:
    premium = _premium(household, plan)
    net = round(max(0.0, premium - credit), 2)
    yearly = net * 12 + plan["deductible"] * 0.3
    return {
        "plan_id": plan["plan_id"],
        "name": plan["name"],
        "issuer_name": plan["issuer_name"],
        "metal_level": plan["metal_level"],
        "premium": premium,
        "net_premium": net,
        "deductible": plan["deductible"],
        "out_of_pocket_maximum": plan["out_of_pocket_maximum"],
        "score": max(0, 100 - round(yearly / 250)),
    }


def _benchmark(household: Household, plans: Iterable[Document]) -> float | None:
    """The second-lowest premium among the silver plans, or the lowest where there is one."""
    silver = sorted(_premium(household, plan) for plan in plans if plan["metal_level"] == "Silver")
    return silver[:2][-1] if silver else None


def _premium(household: Household, plan: Document) -> float:
    base = float(plan["premium_age_21"])
    return round(sum(base * _between(_AGES, age) for age in household.ages), 2)


def _between(points: Iterable[tuple[int, float]], at: int) -> float:
    """Read a scale at a place between two of its points."""
    last_x, last_y = 0, 0.0
    for x, y in points:
        if at <= x:
            return y if x == last_x else last_y + (y - last_y) * (at - last_x) / (x - last_x)
        last_x, last_y = x, y
    return last_y


def _whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
