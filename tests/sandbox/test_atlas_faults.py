"""Faults on demand: what a client meets, and what has happened in the server all the same."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import requests
from atlas_fixture import Atlas

from sandbox.chance import Kind, Trouble


def test_an_answer_dropped_after_the_commit_leaves_the_user_made(atlas: Atlas) -> None:
    atlas.control("/faults", {"method": "POST", "path": "*/databaseUsers", "drop": "after"})
    with pytest.raises(requests.ConnectionError):
        atlas.staging.add_user("app")
    assert (atlas.can_log_in("app"), atlas.staging.add_user("app").status_code) == (True, 409)


def test_a_request_dropped_before_the_commit_leaves_nothing(atlas: Atlas) -> None:
    atlas.control("/faults", {"method": "POST", "path": "*/databaseUsers", "drop": "before"})
    with pytest.raises(requests.ConnectionError):
        atlas.staging.add_user("app")
    assert (atlas.can_log_in("app"), atlas.staging.add_user("app").status_code) == (False, 201)


def test_an_error_after_the_commit_leaves_the_user_made(atlas: Atlas) -> None:
    atlas.control("/faults", {"method": "POST", "path": "*/databaseUsers", "status": 500, "commit": True})
    assert (atlas.staging.add_user("app").status_code, atlas.can_log_in("app")) == (500, True)


@pytest.mark.parametrize(
    ("kind", "agent", "answers"),
    [
        (Kind.REFUSED, "requests", (429, 429)),
        (Kind.DROPPED, "requests", (0, 201)),
        (Kind.DROPPED, "mongodbatlas", (200, 201)),
    ],
)
def test_by_chance_reads_are_lost_and_writes_are_refused_or_late_but_a_provider_is_only_kept_waiting(
    atlas: Atlas, monkeypatch: pytest.MonkeyPatch, kind: Kind, agent: str, answers: tuple[int, int]
) -> None:
    chance = SimpleNamespace(draw=lambda: Trouble(kind, 0.0))
    monkeypatch.setattr(atlas.emulator._dispatcher, "_chance", chance)

    def status(ask: Callable[[], requests.Response]) -> int:
        try:
            return ask().status_code
        except requests.ConnectionError:
            return 0

    atlas.staging.session.headers["User-Agent"] = agent
    read = status(lambda: atlas.staging.send("GET", "/databaseUsers"))
    assert answers == (read, status(lambda: atlas.staging.add_user("app")))


@pytest.mark.parametrize("body", [{"status": 200}, {"count": 0}, {"colour": 1}, {"drop": "sometimes"}, []])
def test_a_fault_of_another_form_is_refused(atlas: Atlas, body: object) -> None:
    assert atlas.control("/faults", body).status_code == 400


def test_an_unknown_control_or_project_is_refused(atlas: Atlas) -> None:
    unknown = atlas.control("/propagation", {"projectId": "0" * 24, "seconds": 1.0})
    assert (atlas.control("/else", {}).status_code, unknown.status_code) == (404, 404)
