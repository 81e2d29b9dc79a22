"""What the application's answers mean: only a whole and right answer meets a gate, and a reason is readable."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from atlas_access.smoke.baseline import Baseline
from atlas_access.smoke.file import load_smoke
from atlas_access.smoke.gates import Gate, GateReport, GateResult, Round, Standing
from atlas_access.smoke.json_difference import canonical
from atlas_access.smoke.judge import (
    Contract,
    judge_calculator,
    judge_drug,
    judge_eligibility,
    judge_plans,
    judge_provider,
    plan_ids,
    scenario_key,
)
from atlas_access.smoke.replies import Reply, Trouble, error_words, same_revision

SMOKE = load_smoke((Path(__file__).parents[2] / "smoke.yaml").read_text())
PLANS = tuple(f"plan{number:02}" for number in range(14))
MET, UNMET, UNKNOWN = Standing.MET, Standing.UNMET, Standing.UNKNOWN
CONTRACT = Contract(SMOKE)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(["plans", "plan_id", "covered", "coverage", "drug_tier", "x"]), below, max_size=4
        )
    ),
)


def good(body: Any) -> Reply:
    return Reply(status=200, body=body)


def offered(*ids: str, **more: Any) -> Reply:
    return good({"plans": [{"plan_id": each} for each in ids], **more})


def coverage(**changes: Any) -> Reply:
    row = {"covered": True, "coverage": "Covered", "drug_tier": "Generic"}
    rows = [{"plan_id": plan, **row, **(changes if plan == PLANS[3] else {})} for plan in PLANS]
    return good({"plans": rows})


def held(answers: dict[str, Any], plans: tuple[str, ...] = PLANS) -> Contract:
    texts = {key: canonical(value) for key, value in answers.items()}
    return Contract(SMOKE, Baseline("staging", "http://127.0.0.1:1", SMOKE.digest, "2026", "7", plans, texts))


def single(**changes: Any) -> Reply:
    return good({"coverage": "Covered", "drug_tier": "PreferredBrand", "plans": [], **changes})


def test_an_eligibility_answer_meets_gate_1() -> None:
    assert GateResult(Gate.ELIGIBILITY, MET, "answered") == judge_eligibility(CONTRACT, good({"aptc": 1}))


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(status=500, body={"error": "database error"}), "HTTP 500 (database error)"),
        (Reply(status=404, body={}), "HTTP 404"),
        (good({"error": {"message": "no county"}}), "the answer holds an error (no county)"),
        (good({}), "the answer is empty"),
        (good([]), "the answer is JSON, but not an object"),
        (good({"medicaid": True}), "the household is sent to Medicaid, and would see no plans"),
        (Reply(trouble=Trouble.UNREACHABLE, detail="refused"), "unreachable: refused"),
    ],
)
def test_any_other_eligibility_answer_does_not(reply: Reply, why: str) -> None:
    result = judge_eligibility(CONTRACT, reply)
    assert (UNMET, why) == (result.standing, result.summary)


def test_a_changed_eligibility_is_reported_as_a_difference() -> None:
    result = judge_eligibility(
        held({"eligibility": {"aptc": 1, "took_ms": 5}}), good({"aptc": 2, "took_ms": 9})
    )
    assert (UNMET, ("aptc: 1 → 2",)) == (result.standing, result.details)


def test_fourteen_plans_meet_gate_2() -> None:
    assert (MET, "14 plans") == (judge_plans(CONTRACT, offered(*PLANS, count=14)).standing, "14 plans")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (offered(*PLANS[:13]), "13 plans, not 14 (smoke.yaml)"),
        (offered(), "no plan is offered"),
        (offered(*PLANS[:13], PLANS[0]), "of 14 plans some have no id, or share one"),
        (offered(*PLANS[:13], ""), "of 14 plans some have no id, or share one"),
        (offered(*PLANS, count=13), "14 plans are listed and 13 are said to be"),
        (good({"plans": "none"}), "the answer has no list of plans"),
        (good({"plans": [1]}), "the answer has no list of plans"),
    ],
)
def test_any_other_list_of_plans_does_not(reply: Reply, why: str) -> None:
    assert (UNMET, why) == (judge_plans(CONTRACT, reply).standing, judge_plans(CONTRACT, reply).summary)


def test_what_the_baseline_captured_is_the_contract() -> None:
    contract = held({"plans": offered(*PLANS[:13]).body}, PLANS[:13])
    assert (MET, UNMET) == (
        judge_plans(contract, offered(*PLANS[:13])).standing,
        judge_plans(contract, offered(*PLANS)).standing,
    )


def test_missing_plans_are_named() -> None:
    result = judge_plans(held({}), offered(*PLANS[1:]))
    assert ("13 plans, not 14 (baseline)", ("plan plan00 is missing",)) == (result.summary, result.details)


def test_another_number_can_be_captured_and_is_said() -> None:
    result = judge_plans(Contract(SMOKE, capturing=True), offered(*PLANS[:13]))
    said = "13 plans (smoke.yaml says 14; what is captured is the contract)"
    assert (MET, said) == (result.standing, result.summary)


def test_nothing_at_all_cannot_be_captured() -> None:
    assert UNMET is judge_plans(Contract(SMOKE, capturing=True), offered()).standing


def test_a_provider_on_every_plan_meets_gate_3() -> None:
    assert '"Tyler Wood" covered on 14 of 14 plans' == judge_provider(CONTRACT, coverage(), PLANS).summary


def test_a_provider_on_none_is_reported_as_the_page_says() -> None:
    rows = good({"plans": [{"plan_id": plan, "covered": False} for plan in PLANS]})
    result = judge_provider(held({}), rows, PLANS)
    assert (
        'gate 3 providers/covered: "Tyler Wood" not covered on 14 of 14 plans (baseline: covered on 14)'
        == str(result)
    )


@pytest.mark.parametrize("said", [False, None, "true", 1, "Covered?", {}])
def test_covered_is_true_or_nothing(said: Any) -> None:
    reply = coverage(covered=said)
    assert '"Tyler Wood" not covered on 1 of 14 plans' == judge_provider(CONTRACT, reply, PLANS).summary


def test_a_row_that_contradicts_itself_is_not_covered() -> None:
    assert UNMET is judge_provider(CONTRACT, coverage(coverage="NotCovered"), PLANS).standing


def test_another_provider_than_asked_for_is_not_met() -> None:
    reply = good({**coverage().body, "provider": {"name": "Tyler Woods"}})
    result = judge_provider(CONTRACT, reply, PLANS)
    assert 'the answer is about "Tyler Woods", not "Tyler Wood"' == result.summary


def test_without_plans_coverage_is_unknown() -> None:
    assert UNKNOWN is judge_provider(CONTRACT, coverage(), ()).standing


def test_a_drug_with_its_tier_on_every_plan_meets_gates_4_and_5() -> None:
    found = (
        judge_drug(CONTRACT, Gate.FIRST_DRUG, coverage(), PLANS, single()).standing,
        judge_drug(CONTRACT, Gate.SECOND_DRUG, coverage(), PLANS).summary,
    )
    assert (MET, '"Lipitor" covered on 14 of 14 plans') == found


@pytest.mark.parametrize("tier", [None, "", "  ", 1])
def test_a_drug_without_a_tier_is_not_met(tier: Any) -> None:
    result = judge_drug(CONTRACT, Gate.SECOND_DRUG, coverage(drug_tier=tier), PLANS)
    assert '"Lipitor" has no drug_tier on 1 of 14 plans: the reference data was not read' == result.summary


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (single(drug_tier=None), "drug_tier is absent, not PreferredBrand"),
        (single(coverage="NotCovered"), "coverage is NotCovered, not Covered"),
        (Reply(status=500, body={}), "HTTP 500"),
    ],
)
def test_the_single_check_belongs_to_gate_4(reply: Reply, why: str) -> None:
    result = judge_drug(CONTRACT, Gate.FIRST_DRUG, coverage(), PLANS, reply)
    assert (UNMET, f"rxcui 1364441 on plan 42261UT0060023: {why}") == (result.standing, result.summary)


def test_the_single_check_is_read_from_the_plan_s_row_too() -> None:
    row = {"plan_id": SMOKE.check.plan, "coverage": "Covered", "drug_tier": "PreferredBrand"}
    reply = good({"coverage": [row]})
    assert MET is judge_drug(CONTRACT, Gate.FIRST_DRUG, coverage(), PLANS, reply).standing


def scenarios(body: Any, *, broken: int = 0) -> list[Any]:
    replies = [good(body)] * 12
    replies[:broken] = [Reply(status=500, body={})] * broken
    return [
        (scenario, good({"a": 1}), reply) for scenario, reply in zip(SMOKE.calculator, replies, strict=True)
    ]


def calculator_baseline(body: Any) -> Baseline:
    answers = {scenario_key(each, "plans"): body for each in SMOKE.calculator}
    answers |= {scenario_key(each, "eligibility"): {"a": 1} for each in SMOKE.calculator}
    found = held(answers).baseline
    assert found is not None
    return found


def test_zero_differences_meet_gate_7() -> None:
    result = judge_calculator(CONTRACT, scenarios({"b": 2}), against=calculator_baseline({"b": 2}))
    assert (MET, "12 scenarios, zero differences") == (result.standing, result.summary)


def test_one_difference_names_its_scenario() -> None:
    answers = scenarios({"b": 2})
    answers[0] = (SMOKE.calculator[0], good({"a": 1}), good({"b": 3}))
    result = judge_calculator(CONTRACT, answers, against=calculator_baseline({"b": 2}))
    details = ("couple: plans: b: 2 → 3",)
    assert ("1 difference from the baseline", details) == (result.summary, result.details)


def test_many_differences_are_cut_with_their_number() -> None:
    before = {f"field{number}": 1 for number in range(10)}
    after = {f"field{number}": 2 for number in range(10)}
    result = judge_calculator(CONTRACT, scenarios(after), against=calculator_baseline(before))
    found = (result.summary, len(result.details), result.details[-1])
    assert ("120 differences from the baseline", 21, "and 100 more") == found


def test_a_scenario_that_fails_is_not_met() -> None:
    result = judge_calculator(CONTRACT, scenarios({}, broken=1), against=None)
    assert (UNMET, ("couple: plans: HTTP 500",)) == (result.standing, result.details)


def test_without_a_baseline_the_regression_is_unknown() -> None:
    assert UNKNOWN is judge_calculator(CONTRACT, scenarios({}), against=None).standing


@given(JSON, st.integers(100, 599))
def test_nothing_that_is_not_understood_is_met(body: Any, status: int) -> None:
    reply = Reply(status=status, body=body)
    results = [judge_plans(CONTRACT, reply), judge_provider(CONTRACT, reply, PLANS)]
    results += [judge_drug(CONTRACT, Gate.SECOND_DRUG, reply, PLANS)]
    assert {UNMET} == {each.standing for each in results}


@given(JSON)
def test_plan_ids_of_any_answer_are_texts(body: Any) -> None:
    assert all(isinstance(each, str) and each for each in plan_ids(good(body)))


@pytest.mark.parametrize(
    ("said", "wanted", "expected"),
    [
        ("app:8", "arn:aws:ecs:us-east-1:111111111111:task-definition/app:8", True),
        ("8", "app:8", True),
        ("app:8", "app:18", False),
        ("app:8", "other:8", False),
        ("8", "7", False),
    ],
)
def test_revisions_are_compared_by_what_they_name(said: str, wanted: str, expected: bool) -> None:
    assert expected == same_revision(said, wanted)


def test_an_error_of_many_lines_becomes_one() -> None:
    assert "a b" == error_words({"error": "a\n\x1b b"})


def results(**standings: Standing) -> tuple[GateResult, ...]:
    return tuple(GateResult(gate, standings.get(gate.name, MET), "why") for gate in Gate)


def report(*rounds: Round, required: int = 2) -> GateReport:
    return GateReport("staging", "http://127.0.0.1:1", "", required, 14, "2026", rounds)


def test_two_green_rounds_are_green() -> None:
    found = report(Round(1, results()), Round(2, results()))
    assert (True, "", ()) == (found.green, found.reason, found.failed)


def test_one_round_of_two_is_not_green() -> None:
    found = report(Round(1, results()))
    assert (False, "only 1 of 2 rounds were run") == (found.green, found.reason)


def test_a_round_that_lacks_a_gate_is_unknown() -> None:
    lacking = Round(1, results()[:-1])
    assert (UNKNOWN, ("gate 8 waitlist sign-up: was not asked",)) == (lacking.standing, lacking.failures)


def test_the_unmet_is_reported_before_the_unknown() -> None:
    found = report(Round(1, results(ELIGIBILITY=UNKNOWN, PROVIDER=UNMET, JOURNEY=UNMET)))
    assert "gate 3 providers/covered: why (also gate 6)" == found.reason


@given(st.dictionaries(st.sampled_from([gate.name for gate in Gate]), st.sampled_from(Standing), max_size=8))
def test_only_a_round_that_met_every_gate_is_green(standings: dict[str, Standing]) -> None:
    one = Round(1, results(**standings))
    assert (set(standings.values()) <= {MET, Standing.NOT_RUN}) == one.green == (not one.failures)


def test_a_baseline_holds_json_and_nothing_else() -> None:
    assert {"b": 2} == json.loads(
        calculator_baseline({"b": 2}).answers[scenario_key(SMOKE.calculator[0], "plans")]
    )
