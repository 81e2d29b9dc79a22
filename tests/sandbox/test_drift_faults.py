"""The Atlas client when Atlas is slow, busy, broken or odd: it waits as asked, gives up in time, and never guesses."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from atlas_fixture import Atlas
from drift_fixture import PROJECT, check, client, declare
from http_fixture import Answered, Request, serving

from atlas_access.base import Status
from atlas_access.clients.atlas_sign_in import SignIn
from atlas_access.clients.errors import AtlasUnread

USERS = "*/databaseUsers"
FAULTS: dict[str, dict[str, Any]] = {
    "429 with Retry-After": {"status": 429, "retry_after": 1},
    "500": {"status": 500},
    "503": {"status": 503},
    "a dropped connection": {"drop": "before"},
    "a cut answer": {"malformed": True},
}


@pytest.fixture
def declared(atlas: Atlas) -> Iterator[Atlas]:
    declare(atlas.staging)
    yield atlas
    requests.delete(f"{atlas.emulator.url}/sandbox/atlas/faults", timeout=5)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_is_waited_out(declared: Atlas, fault: str) -> None:
    declared.control("/faults", {"path": USERS, "count": 1, **FAULTS[fault]})
    began = time.monotonic()
    drift, _ = check(declared.emulator.url)
    assert Status.GOOD == drift.status
    if "retry_after" in FAULTS[fault]:
        assert time.monotonic() - began >= 1


@pytest.mark.parametrize("fault", ["500", "503", "a dropped connection", "a cut answer"])
def test_a_lasting_fault_is_unknown_and_says_what_could_not_be_read(declared: Atlas, fault: str) -> None:
    declared.control("/faults", {"path": USERS, "count": 50, **FAULTS[fault]})
    drift, _ = check(declared.emulator.url)
    assert (Status.UNKNOWN, ["database users"]) == (drift.status, [each.what for each in drift.unread])


def test_a_wait_longer_than_the_deadline_is_not_begun(declared: Atlas) -> None:
    declared.control("/faults", {"path": "*", "count": 50, "status": 429, "retry_after": 600})
    began = time.monotonic()
    drift, _ = check(declared.emulator.url, seconds=5)
    assert (Status.UNKNOWN, 3) == (drift.status, len(drift.unread))
    assert "600 s, longer than the deadline allows" in drift.unread[0].why
    assert time.monotonic() - began < 5


def test_a_slow_answer_ends_at_the_deadline(declared: Atlas) -> None:
    declared.control("/faults", {"path": "*", "count": 50, "delay_seconds": 20})
    began = time.monotonic()
    drift, _ = check(declared.emulator.url, seconds=1)
    assert Status.UNKNOWN == drift.status
    assert time.monotonic() - began < 5


def test_events_that_fail_leave_the_findings(declared: Atlas) -> None:
    declared.control("/faults", {"path": "*/events*", "count": 50, "status": 403})
    declared.staging.send("DELETE", "/databaseUsers/admin/app_write")
    with client(declared.emulator.url) as asked, pytest.raises(AtlasUnread, match="Project Read Only"):
        asked.events()


def a_user(name: str = "app", **changes: Any) -> dict[str, Any]:
    roles = [{"roleName": "read", "databaseName": "askflorence"}]
    return {"username": name, "databaseName": "admin", "groupId": PROJECT, "roles": roles, **changes}


def pages(users: list[dict[str, Any]], size: int, request: Request, *, total: int | None = None) -> Answered:
    number = int(request.query["pageNum"][0])
    links = [{"rel": "next", "href": "x"}] if number * size < len(users) else []
    shown = users[(number - 1) * size : number * size]
    return Answered({"results": shown, "totalCount": len(users) if total is None else total, "links": links})


def test_pages_are_read_to_the_end() -> None:
    """A server may give smaller pages than asked for."""
    users = [a_user(f"u{number}") for number in range(25)]
    with serving(lambda request: pages(users, 10, request)) as url, client(url) as asked:
        found = asked.users()
        assert ({user["username"] for user in users}, 3) == ({user.name for user in found}, asked.requests)


def test_a_list_that_is_not_whole_is_not_used() -> None:
    users = [a_user(f"u{number}") for number in range(5)]
    with (
        serving(lambda request: pages(users, 10, request, total=9)) as url,
        client(url) as asked,
        pytest.raises(AtlasUnread, match=r"not whole: 5 of 9 came"),
    ):
        asked.users()


def test_a_list_that_changes_while_it_is_read_is_read_again() -> None:
    asked_for: list[int] = []

    def answer(request: Request) -> Answered:
        asked_for.append(1)
        users = [a_user(f"u{number}") for number in range(3)]
        return pages(users, 10, request, total=4 if len(asked_for) == 1 else 3)

    with serving(answer) as url, client(url) as asked:
        assert 3 == len(asked.users())


def test_pages_without_end_are_given_up() -> None:
    def endless(request: Request) -> Answered:
        number = request.query["pageNum"][0]
        return Answered({"results": [a_user(f"u{number}")], "links": [{"rel": "next", "href": "x"}]})

    unread = pytest.raises(AtlasUnread, match="more than 40 pages")
    with serving(endless) as url, client(url) as asked, unread:
        asked.users()


def test_additional_and_reordered_fields_and_nulls_where_nothing_is_needed_are_taken() -> None:
    changes = {"scopes": None, "labels": None, "x509Type": None, "newField": {"a": [1]}}
    odd = dict(reversed(a_user(**changes, deleteAfterDate=None).items()))
    answer = Answered({"links": [], "somethingNew": 1, "results": [odd], "totalCount": 1})
    with serving(lambda _: answer) as url, client(url) as asked:
        assert [("app", frozenset())] == [(user.name, user.scopes) for user in asked.users()]


WRONG: dict[str, tuple[Answered, str]] = {
    "no JSON": (Answered(b"<html>proxy login</html>"), "not JSON"),
    "no text": (Answered(b"\xff\xfe\x00"), "not text"),
    "no object": (Answered([1, 2]), "no list of results"),
    "a null for the name": (Answered({"results": [a_user(username=None)]}), "results|username"),
    "a number for the name": (Answered({"results": [a_user(username=7)]}), "username"),
    "no roles": (Answered({"results": [{k: v for k, v in a_user().items() if k != "roles"}]}), "roles"),
    "another project's user": (Answered({"results": [a_user(groupId="f" * 24)]}), "another project's data"),
    "a redirect": (Answered({}, 302, {"Location": "http://127.0.0.1:1/"}), "302"),
    "deep nesting": (Answered(b"[" * 200_000), "nested too deeply|not JSON"),
    "a huge answer": (Answered(b" " * (17 * 1024 * 1024)), "larger than 16 MiB"),
    "too short a body": (Answered({"results": []}, short=3), "cut short|connection failed"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_answer_that_is_wrong_is_unread_and_never_quoted(what: str) -> None:
    answer, why = WRONG[what]
    unread = pytest.raises(AtlasUnread)
    with serving(lambda _: answer) as url, client(url, seconds=10) as asked, unread as caught:
        asked.users()
    assert re.search(why, str(caught.value))
    assert "proxy" not in str(caught.value)


def test_another_cluster_than_asked_for_is_refused() -> None:
    answer = Answered({"name": "other", "groupId": PROJECT, "mongoDBVersion": "6.0.5"})
    unread = pytest.raises(AtlasUnread, match="another cluster")
    with serving(lambda _: answer) as url, client(url) as asked, unread:
        asked.cluster("staging")


def test_a_token_is_asked_for_once_and_renewed_when_refused() -> None:
    tokens: list[str] = []

    def answer(request: Request) -> Answered:
        if request.path == "/api/oauth/token":
            tokens.append(f"token-{len(tokens)}")
            return Answered({"access_token": tokens[-1], "expires_in": 3600, "token_type": "Bearer"})
        if (
            request.headers["authorization"] != "Bearer token-1"
            and len(tokens) < 2
            and "customDBRoles" in request.path
        ):
            return Answered({}, 401)
        return Answered([] if "customDBRoles" in request.path else {"results": [], "totalCount": 0})

    with serving(answer) as url, client(url, SignIn("id", "secret", service_account=True)) as asked:
        asked.users()
        asked.users()
        assert 1 == len(tokens)
        asked.roles()
        assert 2 == len(tokens)


def test_a_refused_service_account_is_reported_without_its_secret() -> None:
    sign_in = SignIn("id", "canary-secret", service_account=True)
    with (
        serving(lambda _: Answered({"error": "canary-secret"}, 401)) as url,
        client(url, sign_in) as asked,
        pytest.raises(AtlasUnread, match="client id and secret") as caught,
    ):
        asked.users()
    assert "canary" not in str(caught.value)
