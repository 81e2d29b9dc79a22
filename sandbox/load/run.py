"""Constant open-loop load on the running services, in a process of its own: `python -m sandbox.load.run`.

Reads one line of JSON (`Orders`), then lines that name moments, each answered with the counts so far. Prints its
report at the end of its input, of its time or of its number of requests.
"""

import asyncio
import gc
import hashlib
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from atlas_access.base import Endpoints
from atlas_access.smoke import load_smoke
from sandbox.load.client import Answer, Client, Unanswered
from sandbox.load.questions import Question, cycle, first_sign_up, ids_of, opening
from sandbox.load.report import Fault, Kind, LoadReport
from sandbox.load.tally import Tallies

_IN_FLIGHT = 800  # sixteen seconds of fifty requests: more that wait at once are a failure of the service
_READY_SECONDS = 15.0
_LINE = 65536


class Orders(BaseModel):
    """What to ask: each environment's address, how often a second, and the bounds of the whole load."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    urls: Mapping[str, str]
    scenarios: str
    overlay: Mapping[str, str]
    rate: float = Field(gt=0, le=500)
    seconds: float = Field(default=900.0, gt=0, le=3600)
    requests: int = Field(default=400_000, gt=0, le=1_000_000)
    answer_seconds: float = Field(default=30.0, gt=0, le=60)


class LoadRefused(Exception):
    """The load cannot begin; the message says why."""


@dataclass
class _Lane:
    """One environment under load."""

    environment: str
    client: Client
    questions: tuple[Question, ...]
    first: dict[str, bytes] = field(default_factory=dict)
    in_flight: int = 0


class Load:
    """The load of one event loop."""

    def __init__(self, orders: Orders) -> None:
        """Take the orders. Raises `EndpointRefused` for an address outside this machine."""
        endpoints = Endpoints.from_environment(orders.overlay)
        for url in orders.urls.values():
            endpoints.permit(url)
        self._orders = orders
        self._smoke = load_smoke(Path(orders.scenarios).read_bytes(), orders.scenarios)
        self._tallies = Tallies()
        self._tag = uuid.uuid4().hex[:8]
        self._asking: set[asyncio.Task[None]] = set()
        self._left = orders.requests
        self._stop = asyncio.Event()
        self._began = 0.0

    async def run(self, marks: asyncio.StreamReader) -> LoadReport:
        """Send requests until the load ends. Raises `LoadRefused` when the first answers are not good."""
        lanes = [await self._lane(name, url) for name, url in self._orders.urls.items()]
        # The initial objects all stay, so a collection would only rescan them.
        gc.freeze()
        wall, self._began = time.time(), time.monotonic()
        cpu = time.process_time()
        listening = asyncio.create_task(self._listen(marks))
        _say('{"ready": true}')
        each = 1 / self._orders.rate
        await asyncio.gather(
            *(self._drive(lane, each * number / len(lanes)) for number, lane in enumerate(lanes))
        )
        seconds = time.monotonic() - self._began
        await asyncio.gather(*self._asking)
        listening.cancel()
        for lane in lanes:
            lane.client.close()
        return self._tallies.report(
            began=wall, seconds=seconds, rate=self._orders.rate, cpu_seconds=time.process_time() - cpu
        )

    async def _lane(self, environment: str, url: str) -> _Lane:
        client = Client(url, _IN_FLIGHT)
        answer = await self._good(client, environment, opening(self._smoke))
        await self._good(client, environment, first_sign_up(self._smoke, self._tag))
        return _Lane(environment, client, cycle(self._smoke, ids_of(answer.body), self._tag))

    async def _good(self, client: Client, environment: str, question: Question) -> Answer:
        try:
            answer = await client.ask(question.method, question.path, question.body(0), _READY_SECONDS)
        except Unanswered as error:
            raise LoadRefused(f"{environment} {question.name}: {error}") from None
        wrong = _wrong_status(question, answer) or question.judge(answer.body)
        if wrong:
            raise LoadRefused(f"{environment} {question.name}: {wrong}")
        return answer

    async def _drive(self, lane: _Lane, offset: float) -> None:
        number = 0
        end = self._began + self._orders.seconds
        while not self._stop.is_set() and self._left > 0:
            due = self._began + offset + number / self._orders.rate
            if due >= end:
                return
            number += 1
            pause = due - time.monotonic()
            if pause > 0:
                try:
                    await asyncio.wait_for(self._stop.wait(), pause)
                except TimeoutError:
                    pass
                else:
                    return
            self._left -= 1
            self._send(lane, number, due)

    def _send(self, lane: _Lane, number: int, due: float) -> None:
        question = lane.questions[number % len(lane.questions)]
        if lane.in_flight >= _IN_FLIGHT:
            self._note(
                lane, question, due, Kind.FAILED, f"not sent: {_IN_FLIGHT} others wait for their answer"
            )
            return
        lane.in_flight += 1
        task = asyncio.create_task(self._ask(lane, question, number, due))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, lane: _Lane, question: Question, number: int, due: float) -> None:
        try:
            answer = await lane.client.ask(
                question.method, question.path, question.body(number), self._orders.answer_seconds
            )
        except Unanswered as error:
            self._note(lane, question, due, Kind.FAILED, str(error))
            return
        finally:
            lane.in_flight -= 1
        if failed := _wrong_status(question, answer):
            self._note(lane, question, due, Kind.FAILED, failed, answer.revision)
        elif wrong := _wrong_content(lane, question, answer):
            self._note(lane, question, due, Kind.WRONG, wrong, answer.revision)
        else:
            self._note(lane, question, due, None, "", answer.revision)

    def _note(
        self, lane: _Lane, question: Question, due: float, kind: Kind | None, what: str, revision: str = ""
    ) -> None:
        at, seconds = due - self._began, time.monotonic() - due
        self._tallies.note(lane.environment, question.name, at=at, seconds=seconds, revision=revision)
        if kind is not None:
            self._tallies.fault(
                Fault(
                    at=at + seconds,
                    environment=lane.environment,
                    question=question.name,
                    revision=revision,
                    kind=kind,
                    what=what,
                )
            )

    async def _listen(self, marks: asyncio.StreamReader) -> None:
        """Record the named moments until the input ends."""
        while line := await marks.readline():
            name = line.decode("utf-8", "replace").strip()
            _say(self._tallies.mark(name, time.monotonic() - self._began).model_dump_json())
        self._stop.set()


def _wrong_status(question: Question, answer: Answer) -> str:
    return "" if answer.status == question.status else f"HTTP {answer.status} instead of {question.status}"


def _wrong_content(lane: _Lane, question: Question, answer: Answer) -> str:
    """Why an answer is wrong: by the contract, or because it differs from the first one."""
    if not question.constant:
        return question.judge(answer.body)
    digest = hashlib.blake2b(answer.body, digest_size=16).digest()
    first = lane.first.get(question.key)
    if first == digest:
        return ""
    if wrong := question.judge(answer.body):
        return wrong
    lane.first.setdefault(question.key, digest)
    return "" if first is None else "the answer differs from the first one"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _main() -> int:
    reader = asyncio.StreamReader(limit=_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    load = Load(Orders.model_validate_json(await reader.readline()))
    try:
        report = await load.run(reader)
    except LoadRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    _say(report.model_dump_json())
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
