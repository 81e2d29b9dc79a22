"""Lost races and slow answers: what fails after authorization was authorized, and what came late is asked again."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import pytest
from mongod_fixture import Cluster, cluster

from atlas_access.clients.mongo import Reply, Server
from atlas_access.clients.mongo_answers import Answer
from atlas_access.clients.pipeline import Sending
from atlas_access.proof.attempt import DENIED_WITHIN_MS, About, Nonce, attempt_all
from atlas_access.proof.expectations import Expected, Place, expectations
from atlas_access.proof.operation import Kind
from atlas_access.proof.verdict import Outcome, Verdict

__all__ = ["cluster"]

PLANS = Place("askflorence", "plans")


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
    cluster: Cluster, operation: str, codes: list[int | None], expected: Outcome = Outcome.DENIED
) -> tuple[Outcome, int, set[object]]:
    """The outcome, how often it was sent, and the time limits that were sent with it."""
    server = Scripted(codes)
    held = expectations(cluster.manifest, "app_write", "staging")
    nothing = frozenset[Any]()
    about = About((6, 0, 5), {PLANS: Kind.PLAIN}, nothing, nothing, nothing, Nonce("_probe_x", uuid4()))
    (made,) = attempt_all(
        cast(Server, server), [Expected(operation, PLANS, expected)], held, about, lambda: 60.0
    )
    limits = {each.command.get("maxTimeMS") for each in server.sent}
    return made.attempt.outcome, len(server.sent), limits


@pytest.mark.parametrize("code", [24, 112])
def test_a_lost_race_for_a_lock_was_authorized(cluster: Cluster, code: int) -> None:
    assert (Outcome.ALLOWED, 1, {None}) == tried(cluster, "insert in a transaction", [code], Outcome.ALLOWED)


@pytest.mark.parametrize(
    ("codes", "outcome", "sent"),
    [
        ([13], Outcome.DENIED, 1),
        ([50, 13], Outcome.DENIED, 2),
        ([50, 50], Outcome.ALLOWED, 2),
        ([50, 361], Outcome.ALLOWED, 2),
        ([50, 91], Outcome.INCONCLUSIVE, 2),
    ],
)
def test_a_denial_that_came_too_late_is_asked_for_once_more(
    cluster: Cluster, codes: list[int | None], outcome: Outcome, sent: int
) -> None:
    assert (outcome, sent, {DENIED_WITHIN_MS}) == tried(cluster, "drop", codes)


def test_eight_writers_at_once_are_all_proven(cluster: Cluster) -> None:
    with ThreadPoolExecutor(8) as pool:
        proofs = list(pool.map(lambda _: cluster.prove("app_write"), range(8)))
    assert [(Verdict.PROVEN, "")] * 8 == [(proof.verdict, proof.reason) for proof in proofs]
