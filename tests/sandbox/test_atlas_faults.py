"""Faults on demand: what a client meets, and what has happened in the server all the same."""

import time

import pytest
import requests
from atlas_fixture import Atlas


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


def test_a_malformed_answer_is_no_json(atlas: Atlas) -> None:
    atlas.control("/faults", {"method": "GET", "path": "*/databaseUsers", "malformed": True})
    answer = atlas.staging.send("GET", "/databaseUsers")
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_delayed_answer_comes_later(atlas: Atlas) -> None:
    atlas.control("/faults", {"path": "*/databaseUsers", "delaySeconds": 0.3})
    started = time.monotonic()
    atlas.staging.send("GET", "/databaseUsers")
    assert time.monotonic() - started >= 0.3


def test_a_refusal_for_a_rate_says_how_long_to_wait(atlas: Atlas) -> None:
    atlas.control("/faults", {"status": 429, "retryAfter": 7, "count": 2})
    answers = [atlas.staging.send("GET", "/databaseUsers") for _ in range(3)]
    assert [a.status_code for a in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"


def test_a_fault_can_wait_for_the_token(atlas: Atlas) -> None:
    atlas.control("/faults", {"path": "/api/oauth/token", "status": 503})
    refused = requests.post(f"{atlas.emulator.url}/api/oauth/token", timeout=20)
    assert refused.status_code == 503


def test_faults_are_listed_and_cleared(atlas: Atlas) -> None:
    made = atlas.control("/faults", {"status": 500, "count": 3})
    url = f"{atlas.emulator.url}/sandbox/atlas/faults"
    listed = requests.get(url, timeout=20).json()
    requests.delete(url, timeout=20)
    assert (made.status_code, listed[0]["count"], requests.get(url, timeout=20).json()) == (201, 3, [])
    assert atlas.staging.send("GET", "/databaseUsers").ok


@pytest.mark.parametrize("body", [{"status": 200}, {"count": 0}, {"colour": 1}, {"drop": "sometimes"}, []])
def test_a_fault_of_another_form_is_refused(atlas: Atlas, body: object) -> None:
    assert atlas.control("/faults", body).status_code == 400


def test_an_unknown_control_or_project_is_refused(atlas: Atlas) -> None:
    unknown = atlas.control("/propagation", {"projectId": "0" * 24, "seconds": 1.0})
    assert (atlas.control("/else", {}).status_code, unknown.status_code) == (404, 404)
