"""The load's requests, in a repeating mix of every endpoint, and the checks of their answers. Pure.

Answers are held to the session contract of `smoke.yaml` by the same decisions as the gates.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from atlas_access.smoke import (
    Contract,
    Gate,
    GateResult,
    Reply,
    Smoke,
    Standing,
    judge_drug,
    judge_eligibility,
    judge_plans,
    judge_provider,
    plan_ids,
)

_PAGES = (
    ("/", 6),
    ("/calculator", 4),
    ("/plans", 4),
    ("/coverage-check", 4),
    ("/agent-onboarding", 2),
    ("/app.js", 5),
    ("/app.css", 5),
    ("/healthz", 2),
    ("/api/health", 2),
)
"""Pages and how often each comes in a cycle."""
_SCENARIOS_A_CYCLE, _PROVIDERS, _DRUGS, _SINGLE = 6, 5, 2, 3
_CONFLICT = 409
_GOLDEN = 0.618
"""Where in its share of the cycle a question begins: steps of the golden ratio keep any two apart."""

Judge = Callable[[bytes], str]  # why an answer is wrong, "" when it is right


@dataclass(frozen=True)
class Question:
    """One request. `body` takes the request's number; with `constant`, every answer must equal the first good one."""

    method: str
    path: str
    status: int = 200
    body: Callable[[int], bytes] = field(default=lambda _: b"")
    judge: Judge = field(default=lambda _: "")
    constant: bool = True
    key: str = ""

    @property
    def name(self) -> str:
        """The endpoint, as figures name it."""
        return f"{self.method} {self.path}"


def opening(smoke: Smoke) -> Question:
    """The question whose answer the others need: the household's plans."""
    contract = Contract(smoke)
    return _posted(
        smoke.requests.plans, smoke.values(), lambda body: _fault(judge_plans(contract, _reply(body)))
    )


def ids_of(answer: bytes) -> tuple[str, ...]:
    """The plan ids in the answer to the opening question; none when it is not such an answer."""
    return plan_ids(_reply(answer))


def cycle(smoke: Smoke, plans: tuple[str, ...], tag: str) -> tuple[Question, ...]:
    """One evenly mixed cycle of every endpoint; `tag` makes this load's sign-up addresses unique."""
    requests, contract = smoke.requests, Contract(smoke)
    asked = {**smoke.values(), "plan_ids": list(plans), "plans": len(plans)}
    providers = _posted(
        requests.providers, asked, lambda body: _fault(judge_provider(contract, _reply(body), plans))
    )
    found = [(Question("GET", path, key=path), often) for path, often in _PAGES]
    found += [(each, 1) for each in (*_calculator(smoke), opening(smoke), *_sign_ups(smoke, tag))]
    found += [(providers, _PROVIDERS), (_posted(requests.single_drug, asked, _single(smoke)), _SINGLE)]
    for gate, drug in zip((Gate.FIRST_DRUG, Gate.SECOND_DRUG), smoke.drugs, strict=True):
        judge = _drug(contract, gate, plans)
        found.append((_posted(requests.drugs, {**asked, "drug": drug}, judge), _DRUGS))
    return tuple(_mixed(found))


def _calculator(smoke: Smoke) -> Iterator[Question]:
    """Some households to both questions of the calculator: the first that the scenarios name."""
    contract, requests = Contract(smoke), smoke.requests
    yield _posted(
        requests.eligibility, smoke.values(), lambda body: _fault(judge_eligibility(contract, _reply(body)))
    )
    for scenario in smoke.calculator[:_SCENARIOS_A_CYCLE]:
        for request in (requests.eligibility, requests.plans):
            yield _posted(request, smoke.values(scenario), lambda body: _reply(body).fault)


def _sign_ups(smoke: Smoke, tag: str) -> Iterator[Question]:
    request = smoke.requests.waitlist
    mailbox = smoke.waitlist.mailbox

    def body(number: int) -> bytes:
        email = mailbox.replace("{tag}", f"load-{tag}-{number}")
        return json.dumps(request.filled({**smoke.values(), "email": email, "tag": tag})).encode()

    def joined(answer: bytes) -> str:
        said = _json(answer)
        good = isinstance(said, Mapping) and said.get("joined") is True and bool(said.get("id"))
        return "" if good else "the answer does not say that the address has joined"

    yield Question("POST", request.path, 201, body, joined, constant=False, key="sign-up")
    # The first of a load's own is on the list by then: what comes again is refused, which takes the same privilege.
    yield Question("POST", request.path, _CONFLICT, lambda _: body(0), _says_conflict, key="sign-up again")


def first_sign_up(smoke: Smoke, tag: str) -> Question:
    """The sign-up that comes again in every cycle, made once before the load begins."""
    new = next(_sign_ups(smoke, tag))
    return Question("POST", new.path, 201, lambda _: new.body(0), new.judge, constant=False, key="sign-up")


def _says_conflict(answer: bytes) -> str:
    said = _json(answer)
    good = isinstance(said, Mapping) and "already" in str(said.get("error", ""))
    return "" if good else "the answer does not say that the address is on the list already"


def _posted(request: Any, values: Mapping[str, Any], judge: Judge) -> Question:
    body = json.dumps(request.filled(values)).encode()
    return Question("POST", request.path, 200, lambda _: body, judge, key=f"{request.path} {body.decode()}")


def _drug(contract: Contract, gate: Gate, plans: tuple[str, ...]) -> Judge:
    return lambda body: _fault(judge_drug(contract, gate, _reply(body), plans))


def _single(smoke: Smoke) -> Judge:
    check = smoke.check

    def judge(body: bytes) -> str:
        said = _json(body)
        wanted = {"coverage": check.coverage, "drug_tier": check.drug_tier}
        got = {name: said.get(name) for name in wanted} if isinstance(said, Mapping) else {}
        return "" if got == wanted else f"rxcui {check.rxcui} on plan {check.plan} is not as smoke.yaml says"

    return judge


def _fault(result: GateResult) -> str:
    return "" if result.standing is Standing.MET else result.summary


def _reply(body: bytes) -> Reply:
    return Reply(status=200, body=_json(body))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _mixed(found: list[tuple[Question, int]]) -> list[Question]:
    """Each as often as it comes, spread over the cycle."""
    places = [
        ((turn + number * _GOLDEN % 1) / often, number, question)
        for number, (question, often) in enumerate(found)
        for turn in range(often)
    ]
    return [question for _, _, question in sorted(places, key=lambda place: place[:2])]
