"""Runs the eight smoke gates against one deployment: a round of them, or as many green rounds as are required.

Gates 1 to 5 and 7 ask at the same time within limits; the browser and the sign-up follow when these are met, so that a
broken application shows at once. Every gate ends with a result; atlas_access/smoke/judge.py judges.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from atlas_access.base import Endpoints
from atlas_access.smoke.baseline import Baseline
from atlas_access.smoke.browser import Journey, judge_journey
from atlas_access.smoke.gates import Gate, GateReport, GateResult, Round, Standing
from atlas_access.smoke.http import Asker, within
from atlas_access.smoke.json_difference import canonical
from atlas_access.smoke.judge import (
    ELIGIBILITY,
    PLANS,
    PROVIDERS,
    SINGLE,
    Contract,
    drug_key,
    drug_of,
    judge_calculator,
    judge_drug,
    judge_eligibility,
    judge_plans,
    judge_provider,
    plan_ids,
    scenario_key,
)
from atlas_access.smoke.model import Request, Smoke
from atlas_access.smoke.replies import Reply, Trouble
from atlas_access.smoke.task_secrets import Place
from atlas_access.smoke.waitlist import SignUp, judge_sign_up

_SIDE_GATES = (Gate.JOURNEY, Gate.WAITLIST)
_GRACE = 5.0

Say = Callable[[GateResult], None]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class SmokeOrder:
    """What to run the gates on.

    `place` is where the service runs, `database` where rows are when a connection string names none, `baseline` what
    answers are held to (None: only the scenarios), `mail_url` where sent mail is listed ("" for the log group). With
    `keep_browser` gate 6 lets its browser stay for the next round. `gates` are those to run.
    """

    stack: str
    url: str
    smoke: Smoke
    place: Place
    endpoints: Endpoints
    database: str
    baseline: Baseline | None = None
    mail_url: str = field(default_factory=SignUp.mail_address)
    keep_browser: bool = False
    gates: frozenset[Gate] = frozenset(Gate)


@dataclass(frozen=True)
class _Asked:
    """A round's result and the answers that it was judged by, by their keys in a baseline."""

    round: Round
    answers: Mapping[str, Reply]


class BaselineNotGreen(Exception):
    """No baseline can be taken: something fails before any change. `report` says what."""

    def __init__(self, report: GateReport) -> None:
        self.report = report
        super().__init__(
            f"{report.stack} is not green before any change: {report.reason}. "
            "This is a stop: fix the application first, then capture again."
        )


def run(
    order: SmokeOrder,
    *,
    revision: str = "",
    rounds: int | None = None,
    say: Say = lambda _: None,
    stopped: Stopped = lambda: False,
) -> GateReport:
    """Run round after round until as many as required are green; the first that is not ends the run."""
    required = rounds or order.smoke.limits.rounds
    contract = Contract(order.smoke, order.baseline)
    done: list[Round] = []
    for number in range(1, required + 1):
        done.append(_round(order, contract, revision, number, say, stopped).round)
        if done[-1].standing is not Standing.MET:
            break
    return _report(order, revision, required, contract.plans, done)


def one_round(
    order: SmokeOrder,
    *,
    revision: str = "",
    say: Say = lambda _: None,
    stopped: Stopped = lambda: False,
    signs_up: bool = True,
) -> Round:
    """Run every gate once against answers of a revision ("" for any); gate 8 stays unknown without `signs_up`."""
    contract = Contract(order.smoke, order.baseline)
    return _round(order, contract, revision, 1, say, stopped, signs_up=signs_up).round


def capture(order: SmokeOrder, *, say: Say = lambda _: None, stopped: Stopped = lambda: False) -> Baseline:
    """Take a baseline: one round whose answers it holds, then as many as required that are held to it.

    Raises BaselineNotGreen for anything unmet, unknown, or answered differently the second time.
    """
    required = order.smoke.limits.rounds
    first, baseline = first_answers(order, say=say, stopped=stopped)
    if baseline is None:
        raise BaselineNotGreen(_report(order, "", required, order.smoke.plans, [first]))
    done = [first]
    for number in range(2, required + 1):
        done.append(_round(order, Contract(order.smoke, baseline), "", number, say, stopped).round)
        if done[-1].standing is not Standing.MET:
            raise BaselineNotGreen(_report(order, "", required, baseline.contract, done))
    return baseline


def first_answers(
    order: SmokeOrder, *, say: Say = lambda _: None, stopped: Stopped = lambda: False
) -> tuple[Round, Baseline | None]:
    """Run one round that is held to the scenarios alone, and take its answers; None unless every gate is met."""
    found = _round(order, Contract(order.smoke, capturing=True), "", 1, say, stopped)
    if found.round.standing is not Standing.MET:
        return found.round, None
    return found.round, Baseline(
        stack=order.stack,
        url=order.url,
        scenarios=order.smoke.digest,
        captured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        revision=", ".join(found.round.revisions),
        plans=plan_ids(found.answers[PLANS]),
        answers={key: canonical(reply.body) for key, reply in found.answers.items()},
    )


def _report(order: SmokeOrder, revision: str, required: int, contract: int, done: list[Round]) -> GateReport:
    captured = order.baseline.captured_at if order.baseline else ""
    return GateReport(order.stack, order.url, revision, required, contract, captured, tuple(done))


def _round(
    order: SmokeOrder,
    contract: Contract,
    revision: str,
    number: int,
    say: Say,
    stopped: Stopped,
    *,
    signs_up: bool = True,
) -> _Asked:
    began = time.monotonic()
    limits = order.smoke.limits
    asker = Asker(order.url, order.endpoints, limits, revision, stopped=stopped)
    bounded = replace(asker, deadline=began + limits.gate_seconds)
    results: dict[Gate, GateResult] = {}

    def note(result: GateResult) -> None:
        if result.gate in order.gates:
            results[result.gate] = result
            say(result)

    answers = _asked_by_http(order, contract, bounded, note)
    red = next((each for each in results.values() if each.standing is Standing.UNMET), None)
    if red is not None or stopped():
        why = f"not run: gate {red.gate.value} is not met" if red is not None else "not run: stopped"
        for gate in _SIDE_GATES:
            note(GateResult(gate, Standing.UNKNOWN, why))
    elif order.gates & set(_SIDE_GATES):
        plans = len(plan_ids(answers[PLANS]))
        values = {**order.smoke.values(), "plans": plans}
        steps = tuple(step.filled(values) for step in order.smoke.journey)
        journey = Journey(
            order.url,
            steps,
            order.endpoints,
            limits.browser_seconds,
            limits.request_seconds,
            revision,
            keep=order.keep_browser,
        )
        sign_up = SignUp(order.smoke, order.place, order.endpoints, asker, order.database, order.mail_url)
        waitlist_seconds = (
            limits.gate_seconds + order.smoke.waitlist.effects_seconds + order.smoke.waitlist.logs_seconds
        )
        # At the same time: an error line that the browser caused counts against gate 8, as any other does.
        with ThreadPoolExecutor(1, thread_name_prefix="smoke") as pool:
            walked = (
                pool.submit(
                    _bounded, Gate.JOURNEY, limits.browser_seconds, partial(judge_journey, journey, stopped)
                )
                if Gate.JOURNEY in order.gates
                else None
            )
            signed = GateResult(Gate.WAITLIST, Standing.UNKNOWN, "not run: nobody is signed up from here")
            if signs_up and Gate.WAITLIST in order.gates:
                signed = _bounded(Gate.WAITLIST, waitlist_seconds, partial(judge_sign_up, sign_up, stopped))
            if walked is not None:
                note(walked.result())
        note(signed)
    revisions = tuple(sorted({reply.revision for reply in answers.values() if reply.revision}))
    ordered = tuple(results[gate] for gate in Gate if gate in order.gates)
    return _Asked(Round(number, ordered, revisions, time.monotonic() - began, order.gates), answers)


def _asked_by_http(order: SmokeOrder, contract: Contract, asker: Asker, note: Say) -> dict[str, Reply]:
    """Gates 1 to 5 and 7: ask what needs nothing first, then what needs the plans; judge each when it is answered."""
    smoke, requests = order.smoke, order.smoke.requests
    answers: dict[str, Reply] = {}
    first: dict[str, tuple[Request, Mapping[str, Any]]] = {
        ELIGIBILITY: (requests.eligibility, smoke.values()),
        PLANS: (requests.plans, smoke.values()),
        SINGLE: (requests.single_drug, smoke.values()),
    }
    for scenario in smoke.calculator:
        for question, request in ((ELIGIBILITY, requests.eligibility), (PLANS, requests.plans)):
            first[scenario_key(scenario, question)] = (request, smoke.values(scenario))
    began = time.monotonic()
    answers |= _ask_all(asker, first, smoke)
    note(_timed(judge_eligibility(contract, answers[ELIGIBILITY]), [answers[ELIGIBILITY]]))
    note(_timed(judge_plans(contract, answers[PLANS]), [answers[PLANS]]))
    plans = plan_ids(answers[PLANS]) or (order.baseline.plans if order.baseline else ())
    asked = {**smoke.values(), "plan_ids": list(plans), "plans": len(plans)}
    second: dict[str, tuple[Request, Mapping[str, Any]]] = {}
    if plans:
        second[PROVIDERS] = (requests.providers, asked)
        for gate in (Gate.FIRST_DRUG, Gate.SECOND_DRUG):
            second[drug_key(gate)] = (requests.drugs, {**asked, "drug": drug_of(smoke, gate)})
    answers |= _ask_all(asker, second, smoke)
    nothing = Reply(trouble=Trouble.UNREACHABLE, detail="not asked")
    reply = answers.get(PROVIDERS, nothing)
    note(_timed(judge_provider(contract, reply, plans), [reply]))
    for gate, single in ((Gate.FIRST_DRUG, answers[SINGLE]), (Gate.SECOND_DRUG, None)):
        reply = answers.get(drug_key(gate), nothing)
        note(_timed(judge_drug(contract, gate, reply, plans, single), [reply, *([single] if single else [])]))
    triples = [
        (each, answers[scenario_key(each, ELIGIBILITY)], answers[scenario_key(each, PLANS)])
        for each in smoke.calculator
    ]
    result = judge_calculator(contract, triples, against=contract.baseline)
    note(_timed(result, [Reply(seconds=time.monotonic() - began)]))
    return answers


def _ask_all(
    asker: Asker, questions: Mapping[str, tuple[Request, Mapping[str, Any]]], smoke: Smoke
) -> dict[str, Reply]:
    """Ask several questions at once, no more than the limit; each is bounded by itself."""
    if not questions:
        return {}
    with ThreadPoolExecutor(smoke.limits.at_once, thread_name_prefix="smoke") as pool:
        asked = {
            key: pool.submit(asker.ask, request.path, request.filled(values))
            for key, (request, values) in questions.items()
        }
        return {key: future.result() for key, future in asked.items()}


def _bounded(gate: Gate, seconds: float, work: Callable[[], GateResult]) -> GateResult:
    """Run a gate that has a deadline of its own; should it hang all the same, it is unmet and left alone."""
    began = time.monotonic()
    found = within(seconds + _GRACE, work, f"gate {gate.value}")
    if found is None:
        found = GateResult(gate, Standing.UNMET, f"no end within {seconds:.0f} s")
    return _timed(found, [Reply(seconds=time.monotonic() - began)])


def _timed(result: GateResult, replies: Iterable[Reply]) -> GateResult:
    seconds = max((reply.seconds for reply in replies), default=0.0)
    return GateResult(result.gate, result.standing, result.summary, result.details, seconds)
