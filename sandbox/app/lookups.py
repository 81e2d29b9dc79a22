"""The application's reads: plans from its own cluster, providers and drugs from the reference cluster."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.app.builds import Build, Use
from sandbox.app.databases import Databases
from sandbox.app.failures import BadRequest
from sandbox.app.quotes import Household, eligibility, offers

Body = Mapping[str, Any]
_MOST_PLANS = 200


class Lookups:
    """Answers the four checks of the API."""

    def __init__(self, build: Build, databases: Databases) -> None:
        self._build = build
        self._databases = databases

    def eligibility(self, body: Body) -> dict[str, Any]:
        """Answer `POST /api/eligibility`."""
        household = Household.of(body)
        return self._judged(household)[0]

    def plans(self, body: Body) -> dict[str, Any]:
        """Answer `POST /api/plans`: every plan of the household's rating area, best value first."""
        household = Household.of(body)
        judged, found = self._judged(household)
        offered = offers(household, judged["aptc"], found)
        return {"count": len(offered), "eligibility": judged, "plans": offered}

    def providers(self, body: Body) -> dict[str, Any]:
        """Answer `POST /api/providers/covered`: whether each plan's network has the provider of that name."""
        query, year, plan_ids = _text(body, "query"), _year(body), _plan_ids(body)
        reference = self._databases.of(Use.REFERENCE)
        pattern = {"$regex": f"^{re.escape(query.lower())}"}
        provider = reference.providers_staging.find_one(
            {"name_search": pattern, "year": year}, sort=[("name_search", 1)]
        )
        networks = set() if provider is None or self._build is Build.BROKEN else set(provider["plan_ids"])
        shown = None if provider is None else {key: provider[key] for key in ("npi", "name", "specialty")}
        covered = [{"plan_id": plan, "covered": plan in networks} for plan in plan_ids]
        return {"query": query, "year": year, "provider": shown, "plans": covered}

    def drugs(self, body: Body) -> dict[str, Any]:
        """Answer `POST /api/drugs/covered`: a drug, by `query` or `rxcuis`, on each plan; of one also at the top."""
        year, plan_ids = _year(body), _plan_ids(body)
        wanted: dict[str, Any]
        if "rxcuis" in body:
            wanted = {"rxcui": {"$in": list(_texts(body, "rxcuis"))}}
        else:
            wanted = {"drug_name": {"$regex": f"^{re.escape(_text(body, 'query'))}$", "$options": "i"}}
        entries = self._databases.of(Use.REFERENCE).formularies_staging.find(
            {**wanted, "plan_id": {"$in": plan_ids}, "year": year}, sort=[("plan_id", 1), ("rxcui", 1)]
        )
        found = {entry["plan_id"]: entry for entry in entries}
        plans = [_drug(plan, found.get(plan)) for plan in plan_ids]
        first = next(iter(found.values()), None)
        keys = ("drug_name", "generic_name", "rxcui")
        answer = {"year": year, "drug": first and {key: first[key] for key in keys}, "plans": plans}
        if len(plans) == 1:
            answer |= {key: plans[0][key] for key in ("coverage", "drug_tier")}
        return answer

    def _judged(self, household: Household) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return what the household is eligible for, and the plans of its rating area."""
        database = self._databases.of(Use.READ)
        county = database.zip_county.find_one({"zip": household.zip}, sort=[("fips", 1)])
        if county is None:
            raise BadRequest(f"no county is known for ZIP {household.zip}", 404)
        region = database.regions.find_one({"state": county["state"]})
        year = database.plan_years.find_one({"year": household.year})
        if region is None or year is None:
            raise BadRequest(f"nothing is offered in {county['state']} for {household.year}", 404)
        where = {"state": county["state"], "rating_area": county["rating_area"], "year": household.year}
        found = list(database.plans.find({**where, "counties": county["fips"]}, sort=[("plan_id", 1)]))
        return eligibility(household, region, year, found), found


def _drug(plan_id: str, entry: Mapping[str, Any] | None) -> dict[str, Any]:
    if entry is None:
        return {"plan_id": plan_id, "covered": False, "coverage": "NotCovered", "drug_tier": None}
    covered = entry["coverage"] == "Covered"
    return {
        "plan_id": plan_id,
        "covered": covered,
        "coverage": entry["coverage"],
        "drug_tier": entry["drug_tier"],
    }


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 2 <= len(value.strip()) <= 100:
        raise BadRequest(f"{name} must be a text of 2 to 100 characters")
    return value.strip()


def _texts(body: Body, name: str) -> tuple[str, ...]:
    values = body.get(name)
    good = isinstance(values, list) and 1 <= len(values) <= _MOST_PLANS
    if not isinstance(values, list) or not good or not all(isinstance(value, str) for value in values):
        raise BadRequest(f"{name} must be a list of 1 to {_MOST_PLANS} texts")
    return tuple(values)


def _plan_ids(body: Body) -> list[str]:
    return list(_texts({"plan_ids": [body["plan_id"]]} if "plan_id" in body else body, "plan_ids"))


def _year(body: Body) -> int:
    year = body.get("year", 2026)
    if not isinstance(year, int):
        raise BadRequest("year must be a number such as 2026")
    return year
