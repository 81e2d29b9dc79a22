"""What constant load asks: every endpoint of the application, evenly mixed, each answer held to the contract."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from atlas_access.smoke.file import load_smoke
from sandbox.app.service import _HEALTH, _PAGES
from sandbox.load.questions import Question, cycle, first_sign_up, ids_of, opening

ROOT = Path(__file__).parents[2]
SMOKE = load_smoke((ROOT / "smoke.yaml").read_bytes(), "smoke.yaml")
PLANS = tuple(f"42261UT00600{number}" for number in range(20, 34))
CYCLE = cycle(SMOKE, PLANS, "t1")
ASKED = ("eligibility", "plans", "providers/covered", "drugs/covered", "agent-waitlist")
API = {f"/api/{name}" for name in ASKED}


def one(path: str, key: str = "") -> Question:
    return next(each for each in CYCLE if each.path == path and key in each.key)


def answer(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def rows(**fields: object) -> list[dict[str, object]]:
    return [{"plan_id": plan, **fields} for plan in PLANS]


def test_every_endpoint_of_the_application_is_asked() -> None:
    assert API | set(_PAGES) | set(_HEALTH) | {"/app.js", "/app.css"} == {each.path for each in CYCLE}


def test_what_comes_often_is_spread_over_the_cycle() -> None:
    places = [number for number, each in enumerate(CYCLE) if each.path == "/api/providers/covered"]
    gaps = [after - before for before, after in pairwise(places)]
    assert max(gaps) <= 2 * len(CYCLE) // len(places)


def test_one_sign_up_of_a_cycle_is_new_and_one_comes_again() -> None:
    counted = Counter(each.status for each in CYCLE if each.path == "/api/agent-waitlist")
    assert Counter({201: 1, 409: 1}) == counted


def test_sign_ups_are_new_each_time_and_nobodys() -> None:
    (new,) = (each for each in CYCLE if each.status == 201)
    first, second = (json.loads(new.body(number))["email"] for number in (1, 2))
    assert (True, True) == (first != second, first.endswith("@simulator.amazonses.com"))


def test_what_comes_again_is_the_address_of_the_first_sign_up() -> None:
    again = one("/api/agent-waitlist", "again")
    assert first_sign_up(SMOKE, "t1").body(5) == again.body(9)


def test_two_loads_sign_up_different_addresses() -> None:
    assert first_sign_up(SMOKE, "t1").body(0) != first_sign_up(SMOKE, "t2").body(0)


def test_the_opening_answer_gives_the_plans() -> None:
    assert PLANS == ids_of(answer(count=14, plans=rows()))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"plans": []}', b'{"error": "database error"}'])
def test_no_plans_are_read_from_another_answer(body: bytes) -> None:
    assert () == ids_of(body)


def test_fourteen_plans_are_right_and_thirteen_are_wrong() -> None:
    question = opening(SMOKE)
    assert "" == question.judge(answer(count=14, plans=rows()))
    assert "13 plans, not 14" in question.judge(answer(count=13, plans=rows()[1:]))


def test_a_provider_that_one_plan_does_not_cover_is_wrong() -> None:
    question = one("/api/providers/covered")
    covered = rows(covered=True)
    assert "" == question.judge(answer(provider={"name": "Tyler Wood"}, plans=covered))
    broken = [{**covered[0], "covered": False}, *covered[1:]]
    assert "not covered on 1 of 14 plans" in question.judge(answer(plans=broken))


def test_a_drug_without_a_tier_is_wrong() -> None:
    question = one("/api/drugs/covered", "Lipitor")
    assert "" == question.judge(answer(plans=rows(covered=True, drug_tier="Generic")))
    assert "no drug_tier" in question.judge(answer(plans=rows(covered=True, drug_tier=None)))


def test_the_one_check_by_rxcui_has_the_tier_of_the_scenarios() -> None:
    question = one("/api/drugs/covered", "1364441")
    assert "" == question.judge(answer(coverage="Covered", drug_tier="PreferredBrand"))
    assert "rxcui 1364441" in question.judge(answer(coverage="Covered", drug_tier="Generic"))


def test_an_error_in_an_answer_is_wrong() -> None:
    assert "database error" in one("/api/eligibility").judge(answer(error="database error"))
