"""The line is stopped in a tracker on loopback; a tracker that fails is reported, and changes no outcome."""

from collections.abc import Mapping

import pytest
from drift_fixture import endpoints
from http_fixture import Answered, serving
from test_drift_github import TOKEN, Repository

from atlas_access.rollout.open_incident import StopLine
from atlas_access.rollout.report import RolloutFailed
from atlas_access.rollout.steps import Done

HELD: Mapping[str, str] = {"GITHUB_TOKEN": TOKEN}
DONE = Done("arn:aws:ecs:r:1:task-definition/app:8", moved=True)


def failed(line: StopLine, *, moved: bool = True) -> None:
    with pytest.raises(RolloutFailed, match="gate 3"), line.watching(lambda failure: failure.moved):
        raise RolloutFailed("ROLLED BACK  staging: gate 3", moved=moved)


def green(line: StopLine) -> Done:
    with line.watching(lambda failure: failure.moved) as result:
        return result(DONE)


def line(url: str, said: list[str], environment: Mapping[str, str] = HELD) -> StopLine:
    return StopLine("staging", "owner/name", endpoints(url, github=url), environment, said.append, 2.0)


def test_two_failures_are_one_issue_which_the_next_green_rollout_closes() -> None:
    repository, said = Repository(), list[str]()
    with serving(repository.answer) as url:
        failed(line(url, said))
        failed(line(url, said))
        assert ["open"] == repository.states
        assert DONE == green(line(url, said))
    assert ["closed"] == repository.states
    assert "owner/name: stop-the-line issue: close #1" == said[-1]


def test_a_refused_rollout_stops_no_line() -> None:
    repository = Repository()
    with serving(repository.answer) as url:
        failed(line(url, []), moved=False)
    assert [] == repository.requests


@pytest.mark.parametrize(
    "answer", [Answered({}, 503), Answered({}, 403), Answered([], 200), Answered(drop=True)]
)
def test_a_tracker_that_fails_is_reported_and_the_outcome_stays(answer: Answered) -> None:
    said: list[str] = []
    with serving(lambda _: answer) as url:
        failed(line(url, said))
        assert DONE == green(line(url, said))
    assert said[0].startswith(
        ("owner/name: the stop-the-line issue was not written: GitHub, ", "owner/name: ")
    )
    assert TOKEN not in "".join(said)


def test_a_tracker_that_is_not_there_is_reported_and_the_outcome_stays() -> None:
    said: list[str] = []
    failed(line("http://127.0.0.1:9", said))
    assert said[0].startswith(
        "owner/name: the stop-the-line issue was not written: GitHub, listing the issues"
    )


def test_without_a_token_what_is_missing_is_reported() -> None:
    said: list[str] = []
    failed(line("http://127.0.0.1:9", said, {}))
    assert ["owner/name: the stop-the-line issue was not written: GITHUB_TOKEN is not set"] == said


def test_without_a_repository_nothing_is_reported() -> None:
    said: list[str] = []
    failed(StopLine("staging", "", endpoints("http://127.0.0.1:9"), HELD, said.append))
    assert [] == said
