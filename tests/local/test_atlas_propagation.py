"""The queue of changes on their way to a server: in order, tried again, and waited for no longer than said."""

import threading
import time
from collections.abc import Iterator

import pytest
from pymongo.errors import AutoReconnect, ExecutionTimeout, OperationFailure, PyMongoError

from sandbox.atlas.propagation import Propagation


@pytest.fixture
def propagation() -> Iterator[Propagation]:
    queue = Propagation(0.0)
    yield queue
    queue.stop()


def test_changes_are_applied_in_their_order(propagation: Propagation) -> None:
    applied: list[int] = []
    for number in range(20):
        propagation.put("user app", lambda number=number: applied.append(number))
    propagation.catch_up()
    assert (applied, propagation.pending) == (list(range(20)), 0)


def test_without_a_delay_a_change_waits_for_no_older_one_that_had_a_delay(propagation: Propagation) -> None:
    applied: list[str] = []
    propagation.seconds = 60.0
    propagation.put("user old", lambda: applied.append("old"))
    propagation.seconds = 0.0
    propagation.put("user new", lambda: applied.append("new"))
    propagation.catch_up()
    assert (["old", "new"], 0) == (applied, propagation.pending)


@pytest.mark.parametrize("error", [AutoReconnect("away"), ExecutionTimeout("slow", 50)])
def test_a_change_that_a_server_does_not_answer_in_time_is_tried_again(
    propagation: Propagation, error: PyMongoError
) -> None:
    answers = [error]

    def change() -> None:
        if answers:
            raise answers.pop()

    propagation.put("user app", change)
    assert (propagation.settle(), propagation.pending, propagation.refused) == (True, 0, [])


def test_a_refused_change_is_reported_by_name_and_does_not_block_the_next(propagation: Propagation) -> None:
    def refused() -> None:
        raise OperationFailure("canary-4711", 31)

    propagation.put("user app", refused)
    propagation.put("role own", lambda: None)
    assert propagation.settle()
    assert propagation.refused == ["user app refused by the server with code 31"]


def test_a_change_that_hangs_holds_up_the_end_no_longer_than_said() -> None:
    queue, begun, answer = Propagation(0.0), threading.Event(), threading.Event()

    def change() -> None:
        begun.set()
        answer.wait(30)

    queue.put("user app", change)
    assert begun.wait(10)
    asked = time.monotonic()
    stopped = queue.stop(0.2)
    seconds = time.monotonic() - asked
    answer.set()
    assert (stopped, queue.settle(), seconds < 5) == (False, True, True)
