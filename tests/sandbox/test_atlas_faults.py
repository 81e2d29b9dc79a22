"""Faults on demand: what a client meets, and what has happened in the server all the same."""

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


@pytest.mark.parametrize("body", [{"status": 200}, {"count": 0}, {"colour": 1}, {"drop": "sometimes"}, []])
def test_a_fault_of_another_form_is_refused(atlas: Atlas, body: object) -> None:
    assert atlas.control("/faults", body).status_code == 400


def test_an_unknown_control_or_project_is_refused(atlas: Atlas) -> None:
    unknown = atlas.control("/propagation", {"projectId": "0" * 24, "seconds": 1.0})
    assert (atlas.control("/else", {}).status_code, unknown.status_code) == (404, 404)
