"""Many proofs at once on one server: a transaction that loses a race for a lock is tried again, a denial never."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import pytest
from mongod_fixture import Cluster

from atlas_access.clients.mongo import Reply, Server
from atlas_access.clients.mongo_answers import Answer
from atlas_access.clients.pipeline import Sending
from atlas_access.proof.attempt import Marks, attempt_all
from atlas_access.proof.expectations import Expected, Place, expectations
from atlas_access.proof.verdict import Outcome, Verdict


@dataclass
class Scripted:
    """A server that gives prepared answers in order, the last one for ever."""

    codes: list[int | None]
    sent: list[Sending] = field(default_factory=list)

    def answer(self, sending: Sending) -> Reply:
        self.sent.append(sending)
        code = self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]
        return Reply(Answer(code=code), {}, 0.1)

    def commands(self, sendings: Sequence[Sending], left: object = None) -> list[Reply]:
        return [self.answer(each) for each in sendings]


def tried(
    cluster: Cluster, operation: str, codes: list[int | None], left: float = 60.0
) -> tuple[Outcome, int]:
    server = Scripted(codes)
    expected = expectations(cluster.manifest, "app_write", "staging")
    cell = Expected(operation, Place("askflorence", "plans"), Outcome.ALLOWED)
    marks = Marks("_probe_x", uuid4())
    (made,) = attempt_all(cast(Server, server), [cell], expected, frozenset(), marks, (6, 0, 5), lambda: left)
    return made.attempt.outcome, len(server.sent)


@pytest.mark.parametrize("code", [24, 112])
def test_a_lost_race_is_tried_again(cluster: Cluster, code: int) -> None:
    assert (Outcome.ALLOWED, 3) == tried(cluster, "insert in a transaction", [code, code, None])


def test_a_race_that_is_always_lost_stays_inconclusive(cluster: Cluster) -> None:
    assert (Outcome.INCONCLUSIVE, 9) == tried(cluster, "insert in a transaction", [24])


def test_after_the_deadline_no_race_is_run_again(cluster: Cluster) -> None:
    assert (Outcome.INCONCLUSIVE, 1) == tried(cluster, "insert in a transaction", [24], left=0.0)


def test_a_denial_is_never_asked_again(cluster: Cluster) -> None:
    assert (Outcome.DENIED, 1) == tried(cluster, "insert in a transaction", [13])


def test_outside_a_transaction_nothing_is_tried_again(cluster: Cluster) -> None:
    assert (Outcome.INCONCLUSIVE, 1) == tried(cluster, "update", [24])


def test_eight_writers_at_once_are_all_proven(cluster: Cluster) -> None:
    def one(_: int) -> Any:
        return cluster.prove("app_write")

    with ThreadPoolExecutor(8) as pool:
        proofs = list(pool.map(one, range(8)))
    assert [(Verdict.PROVEN, "")] * 8 == [(proof.verdict, proof.reason) for proof in proofs]
