"""Decides what the application's answers mean for gates 1 to 5 and 7: met, unmet or unknown, with readable reasons.

An answer is held to the scenarios and, where there is one, to the baseline: zero differences. Pure: no clock, no
network. Never passes what it does not understand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from atlas_access.base import one_line
from atlas_access.smoke.baseline import Baseline
from atlas_access.smoke.gates import Gate, GateResult, Standing
from atlas_access.smoke.json_difference import differences
from atlas_access.smoke.model import Scenario, Smoke
from atlas_access.smoke.replies import Reply

ELIGIBILITY, PLANS, PROVIDERS, SINGLE = "eligibility", "plans", "providers", "single_drug"
PLANS_SHOWN = 5
DETAILS_SHOWN = 20


@dataclass(frozen=True)
class Contract:
    """What answers are held to: the scenarios, and the baseline where one was captured.

    While `capturing`, the number of plans is found out instead of being held to.
    """

    smoke: Smoke
    baseline: Baseline | None = None
    capturing: bool = False

    @property
    def plans(self) -> int:
        """How many plans the household must be offered: as captured, else as the scenarios name it."""
        return self.baseline.contract if self.baseline else self.smoke.plans

    def changes(self, key: str, body: Any) -> tuple[str, ...]:
        """The differences of an answer from the baseline's, as lines; none without a baseline."""
        if self.baseline is None:
            return ()
        if key not in self.baseline.answers:
            return ("the baseline holds no such answer",)
        return tuple(map(str, differences(self.baseline.answer(key), body, self.smoke.ignore)))


def plan_ids(reply: Reply) -> tuple[str, ...]:
    """The ids of the plans in an answer of /api/plans, in its order; none when it is not such an answer."""
    if reply.fault:
        return ()
    rows = _rows(reply.body, "plans")
    ids = tuple(_plan_id(row) for row in rows or ())
    return ids if all(ids) and len(set(ids)) == len(ids) else ()


def judge_eligibility(contract: Contract, reply: Reply) -> GateResult:
    """Gate 1: an answer without error, that names no Medicaid, as the baseline's."""
    if reply.fault:
        return _unmet(Gate.ELIGIBILITY, reply.fault)
    if not reply.body:
        return _unmet(Gate.ELIGIBILITY, "the answer is empty")
    if any(reply.body.get(name) is True for name in ("medicaid", "medicaid_eligible")):
        return _unmet(Gate.ELIGIBILITY, "the household is sent to Medicaid, and would see no plans")
    return _held(contract, Gate.ELIGIBILITY, ELIGIBILITY, reply, "answered")


def judge_plans(contract: Contract, reply: Reply) -> GateResult:
    """Gate 2: as many plans as the contract says, each with an id of its own, as the baseline's."""
    if reply.fault:
        return _unmet(Gate.PLANS, reply.fault)
    rows = _rows(reply.body, "plans")
    if rows is None:
        return _unmet(Gate.PLANS, "the answer has no list of plans")
    ids = plan_ids(reply)
    if len(ids) != len(rows):
        return _unmet(Gate.PLANS, f"of {len(rows)} plans some have no id, or share one")
    said = reply.body.get("count", len(ids))
    if said != len(ids):
        return _unmet(Gate.PLANS, f"{len(ids)} plans are listed and {_word(said)} are said to be")
    if not ids:
        return _unmet(Gate.PLANS, "no plan is offered")
    if contract.capturing:
        wanted = contract.smoke.plans
        note = "" if len(ids) == wanted else f" (smoke.yaml says {wanted}; what is captured is the contract)"
        return _met(Gate.PLANS, f"{len(ids)} plans{note}")
    if len(ids) != contract.plans:
        where = "baseline" if contract.baseline else "smoke.yaml"
        missing = () if contract.baseline is None else _missing(contract.baseline.plans, ids)
        return _unmet(Gate.PLANS, f"{len(ids)} plans, not {contract.plans} ({where})", missing)
    return _held(contract, Gate.PLANS, PLANS, reply, f"{len(ids)} plans")


def judge_provider(contract: Contract, reply: Reply, plans: Sequence[str]) -> GateResult:
    """Gate 3: the provider, by that very name, is covered on every plan."""
    name = contract.smoke.provider
    result = _judge_coverage(contract, Gate.PROVIDER, PROVIDERS, name, reply, plans, tiers=False)
    found = reply.body.get("provider") if isinstance(reply.body, Mapping) else None
    said = found.get("name") if isinstance(found, Mapping) else None
    if result.standing is Standing.MET and isinstance(said, str) and said.casefold() != name.casefold():
        return _unmet(Gate.PROVIDER, f'the answer is about "{one_line(said, 60)}", not "{name}"')
    return result


def judge_drug(
    contract: Contract, gate: Gate, reply: Reply, plans: Sequence[str], single: Reply | None = None
) -> GateResult:
    """Gates 4 and 5: the drug is covered on every plan, each with its tier.

    Gate 4 also takes the one check whose tier only the reference data can give.
    """
    drug = drug_of(contract.smoke, gate)
    result = _judge_coverage(contract, gate, drug_key(gate), drug, reply, plans, tiers=True)
    if single is None or result.standing is not Standing.MET:
        return result
    check = contract.smoke.check
    asked = f"rxcui {check.rxcui} on plan {check.plan}"
    if single.fault:
        return _unmet(gate, f"{asked}: {single.fault}")
    for field, wanted in (("coverage", check.coverage), ("drug_tier", check.drug_tier)):
        if (said := single_field(single.body, check.plan, field)) != wanted:
            return _unmet(gate, f"{asked}: {field} is {_word(said)}, not {wanted}")
    changed = contract.changes(SINGLE, single.body)
    return _unmet(gate, f"{asked}: differs from the baseline", changed) if changed else result


def judge_calculator(
    contract: Contract, answers: Sequence[tuple[Scenario, Reply, Reply]], *, against: Baseline | None
) -> GateResult:
    """Gate 7: every scenario's eligibility and plans, with zero differences from the baseline.

    Without a baseline nothing is known; while capturing, answers without fault are enough.
    """
    faults: list[str] = []
    changed: list[str] = []
    for scenario, *replies in answers:
        for question, reply in zip((ELIGIBILITY, PLANS), replies, strict=True):
            if reply.fault:
                faults.append(f"{scenario.name}: {question}: {reply.fault}")
            elif against is not None:
                held = replace(contract, baseline=against)
                found = held.changes(scenario_key(scenario, question), reply.body)
                changed += [f"{scenario.name}: {question}: {line}" for line in found]
    total = len(answers)
    if faults:
        return _unmet(Gate.CALCULATOR, f"{len(faults)} of {2 * total} questions were not answered", faults)
    if changed:
        return _unmet(Gate.CALCULATOR, f"{_count(changed, 'difference')} from the baseline", changed)
    if against is None and not contract.capturing:
        return GateResult(
            Gate.CALCULATOR,
            Standing.UNKNOWN,
            f"{total} scenarios answered, but there is no baseline to hold them to",
        )
    return _met(
        Gate.CALCULATOR, f"{total} scenarios, zero differences" if against else f"{total} scenarios captured"
    )


def scenario_key(scenario: Scenario, question: str) -> str:
    """The key of a scenario's answer in a baseline."""
    return f"calculator/{scenario.name}/{question}"


def drug_of(smoke: Smoke, gate: Gate) -> str:
    """Which drug a gate asks about."""
    return smoke.drugs[0] if gate is Gate.FIRST_DRUG else smoke.drugs[1]


def drug_key(gate: Gate) -> str:
    """The key of a drug's answer in a baseline."""
    return f"drugs/{1 if gate is Gate.FIRST_DRUG else 2}"


def covered(row: Mapping[str, Any]) -> bool:
    """Whether a row of coverage says that it is: `covered: true`, or `coverage: "Covered"`, and neither denies it."""
    said = [row[name] for name in ("covered", "coverage") if name in row]
    return bool(said) and all(value is True or value == "Covered" for value in said)


def single_field(body: Any, plan: str, name: str) -> Any:
    """A field of the answer about one plan, at its top or in the plan's row; None where it is not."""
    if isinstance(body, Mapping) and name in body and not isinstance(body[name], list):
        return body[name]
    rows = [row for row in _rows(body, "plans", "coverage") or () if _plan_id(row) in (plan, "")]
    return rows[0].get(name) if len(rows) == 1 else None


def _judge_coverage(
    contract: Contract,
    gate: Gate,
    key: str,
    name: str,
    reply: Reply,
    plans: Sequence[str],
    *,
    tiers: bool,
) -> GateResult:
    if not plans:
        return GateResult(gate, Standing.UNKNOWN, "no plans to ask about: gate 2 gave none")
    if reply.fault:
        return _unmet(gate, f'"{name}": {reply.fault}')
    rows = _rows(reply.body, "plans", "coverage")
    if rows is None:
        return _unmet(gate, f'"{name}": the answer has no list of coverage by plan')
    by_plan = {_plan_id(row): row for row in rows}
    total = len(plans)
    without = [plan for plan in plans if plan not in by_plan or not covered(by_plan[plan])]
    if without:
        before = "" if contract.baseline is None else f" (baseline: covered on {contract.baseline.contract})"
        text = f'"{name}" not covered on {len(without)} of {total} plans{before}'
        return _unmet(gate, text, _some(without))
    without_tier = [plan for plan in plans if tiers and not _tier(by_plan[plan])]
    if without_tier:
        text = f'"{name}" has no drug_tier on {len(without_tier)} of {total} plans: the reference data was not read'
        return _unmet(gate, text, _some(without_tier))
    return _held(contract, gate, key, reply, f'"{name}" covered on {total} of {total} plans')


def _held(contract: Contract, gate: Gate, key: str, reply: Reply, text: str) -> GateResult:
    changed = contract.changes(key, reply.body)
    if changed:
        return _unmet(gate, f"{text}, with {_count(changed, 'difference')} from the baseline", changed)
    return _met(gate, text)


def _rows(body: Any, *names: str) -> Sequence[Mapping[str, Any]] | None:
    """The list of objects under the first of these names that an answer has."""
    for name in names:
        rows = body.get(name) if isinstance(body, Mapping) else None
        if isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows):
            return rows
    return None


def _plan_id(row: Mapping[str, Any]) -> str:
    value = row.get("plan_id", row.get("id"))
    return value if isinstance(value, str) else ""


def _tier(row: Mapping[str, Any]) -> bool:
    tier = row.get("drug_tier")
    return isinstance(tier, str) and bool(tier.strip())


def _missing(before: Iterable[str], after: Iterable[str]) -> tuple[str, ...]:
    old, new = set(before), set(after)
    return (*(f"plan {each} is missing" for each in sorted(old - new)),
            *(f"plan {each} is new" for each in sorted(new - old)))[: PLANS_SHOWN * 2]  # fmt: skip


def _some(plans: Sequence[str]) -> tuple[str, ...]:
    rest = len(plans) - PLANS_SHOWN
    return (f"{', '.join(plans[:PLANS_SHOWN])}{f' and {rest} more' if rest > 0 else ''}",)


def _count(found: Sequence[str], what: str) -> str:
    return f"{len(found)} {what}" if len(found) == 1 else f"{len(found)} {what}s"


def _word(value: Any) -> str:
    return (
        one_line(value, 40)
        if isinstance(value, str)
        else "absent"
        if value is None
        else one_line(repr(value), 40)
    )


def _met(gate: Gate, text: str) -> GateResult:
    return GateResult(gate, Standing.MET, text)


def _unmet(gate: Gate, text: str, details: Iterable[str] = ()) -> GateResult:
    every = tuple(details)
    rest = len(every) - DETAILS_SHOWN
    return GateResult(
        gate, Standing.UNMET, text, (*every[:DETAILS_SHOWN], *((f"and {rest} more",) if rest > 0 else ()))
    )
