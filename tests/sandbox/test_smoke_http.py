"""Bad answers of the application: each is a clear failure of its gate, reported in one line, within its deadline."""

import time
from pathlib import Path
from typing import Any

import pytest
import requests
from mongod_fixture import LOOPBACK
from smoke_fixture import FAST, FakeApp, send, stream

from atlas_access.base.endpoints import Endpoints
from atlas_access.clients.http import session
from atlas_access.smoke.http import Asker
from atlas_access.smoke.replies import Reply, Trouble

PATH = "/api/plans"


def ask(app: FakeApp, *, revision: str = "", once: bool = False, **limits: Any) -> Reply:
    return Asker(app.url, LOOPBACK, FAST.model_copy(update=limits), revision).ask(
        PATH, {"zip": "84094"}, once=once
    )


def test_a_good_answer_is_handed_on(app: FakeApp) -> None:
    app.answers(PATH, {"plans": []})
    reply = ask(app)
    assert ({"plans": []}, "", 1) == (reply.body, reply.fault, reply.tries)


def test_html_instead_of_json_is_named(app: FakeApp) -> None:
    app.answers_raw(PATH, b"<html>hello</html>", Content_Type="text/html; charset=utf-8")
    assert "the answer is not JSON: HTML (text/html; charset=utf-8)" == ask(app).fault


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": NaN}', b"[" * 50_000, b"9" * 5_000])
def test_what_is_no_json_is_named(app: FakeApp, body: bytes) -> None:
    app.answers_raw(PATH, body, Content_Type="application/json")
    assert Trouble.NOT_JSON is ask(app).trouble


def test_json_that_is_no_object_is_named(app: FakeApp) -> None:
    app.answers(PATH, [1, 2])
    assert "the answer is JSON, but not an object" == ask(app).fault


def test_a_server_error_fails_at_once_with_its_own_words(app: FakeApp) -> None:
    app.answers(PATH, {"error": "database error"}, status=500)
    reply = ask(app)
    assert ("HTTP 500 (database error)", 1) == (reply.fault, reply.tries)


def test_an_answer_of_ten_megabytes_is_refused_by_its_length_and_not_read(app: FakeApp) -> None:
    app.answers_raw(PATH, b" " * 10_000_000, Content_Type="application/json")
    assert "the answer is too large: more than 100000 bytes" == ask(app).fault


def test_a_large_answer_without_a_length_is_read_to_the_limit_only(app: FakeApp) -> None:
    app.handlers[PATH] = stream(b" " * 65536, pause=0.0)
    assert Trouble.TOO_LARGE is ask(app).trouble


@pytest.mark.parametrize("piece", [b" ", b" " * 100])
def test_an_endless_answer_ends_with_the_deadline(app: FakeApp, piece: bytes) -> None:
    app.handlers[PATH] = stream(piece, pause=0.05)
    began = time.monotonic()
    reply = ask(app, request_seconds=0.6)
    assert (Trouble.TIMEOUT, True) == (reply.trouble, time.monotonic() - began < 3.0)


def test_headers_that_trickle_in_end_with_the_deadline(app: FakeApp) -> None:
    def trickle(request: Any, _: object) -> None:
        for number in range(200):
            send(request, b"HTTP/1.1 200 OK\r\n" if number == 0 else b"X-Slow: 1\r\n")
            time.sleep(0.05)

    app.handlers[PATH] = trickle
    began = time.monotonic()
    assert Trouble.TIMEOUT is ask(app, request_seconds=0.5).trouble
    assert time.monotonic() - began < 3.0


def test_an_application_that_does_not_answer_ends_with_the_deadline(app: FakeApp) -> None:
    app.handlers[PATH] = lambda *_: time.sleep(1.5)
    assert Trouble.TIMEOUT is ask(app, request_seconds=0.4).trouble


def test_an_answer_that_is_compressed_is_refused(app: FakeApp) -> None:
    app.answers_raw(PATH, b"\x1f\x8b", Content_Encoding="gzip")
    assert Trouble.NOT_JSON is ask(app).trouble


def test_an_unreachable_address_is_tried_again_within_its_budget() -> None:
    reply = ask(FakeApp(url="http://127.0.0.1:9"))
    assert "unreachable: the connection is refused" == reply.fault
    assert reply.tries > 1
    assert reply.seconds < 2.0


def test_what_must_not_happen_twice_is_sent_once() -> None:
    assert 1 == ask(FakeApp(url="http://127.0.0.1:9"), once=True).tries


def test_an_answer_that_breaks_off_is_asked_for_again(app: FakeApp) -> None:
    good = app.handlers[PATH]
    broken = iter([True, False])

    def sometimes(request: Any, body: Any) -> Any:
        if next(broken):
            send(request, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            return None
        return good(request, {**body, "income": 1})

    app.handlers[PATH] = sometimes
    reply = ask(app)
    assert ("", 2) == (reply.fault, reply.tries)


def test_a_redirect_to_another_host_is_refused(app: FakeApp) -> None:
    app.answers_raw(PATH, b"", 302, Location="http://service.example.com/api/plans?key=hidden")
    assert (
        "redirects elsewhere: HTTP 302 to http://service.example.com; set smokeUrl to where the application is"
        == ask(app).fault
    )


def test_a_redirect_to_another_port_of_this_machine_is_refused(app: FakeApp) -> None:
    app.answers_raw(PATH, b"", 307, Location="http://127.0.0.1:9/api/plans")
    assert Trouble.REDIRECT is ask(app).trouble


def test_a_redirect_within_the_host_that_keeps_the_method_is_followed(app: FakeApp) -> None:
    app.answers_raw(PATH, b"", 308, Location="/api/here")
    app.answers("/api/here", {"plans": []})
    assert {"plans": []} == ask(app).body


def test_redirects_without_end_are_refused(app: FakeApp) -> None:
    app.answers_raw(PATH, b"", 307, Location=PATH)
    assert "redirects elsewhere: more than 3 times" == ask(app).fault


def test_an_address_off_the_machine_is_refused_in_the_sandbox() -> None:
    reply = ask(FakeApp(url="http://service.example.com"))
    assert (
        "the address is not permitted: sandbox mode: service.example.com is not loopback; nothing was sent"
        == (reply.fault)
    )


def test_another_revision_is_waited_out(app: FakeApp) -> None:
    app.revision = "family:7"
    usual_answer = app.handlers[PATH]

    def then_new(request: Any, body: Any) -> Any:
        app.revision = "family:8" if len(app.asked) > 2 else "family:7"
        return usual_answer(request, {**body, "income": 1})

    app.handlers[PATH] = then_new
    reply = ask(
        app, revision="arn:aws:ecs:us-east-1:111111111111:task-definition/family:8", revision_seconds=5.0
    )
    assert ("", "family:8", 3) == (reply.fault, reply.revision, reply.tries)


def test_another_revision_that_stays_fails(app: FakeApp) -> None:
    app.revision = "family:7"
    app.answers(PATH, {"plans": []})
    assert "another revision answers: family:7 answered, not family:8" == ask(app, revision="family:8").fault


def test_an_expired_certificate_is_named_and_not_tried_again(expired: tuple[FakeApp, Path]) -> None:
    made, authority = expired

    def trusting(endpoints: Endpoints) -> requests.Session:
        opened = session(endpoints)
        opened.verify = str(authority)
        return opened

    reply = Asker(made.url, LOOPBACK, FAST, open_session=trusting).ask(PATH, {})
    assert ("its certificate is refused: certificate has expired", 1) == (reply.fault, reply.tries)


def test_a_certificate_of_an_unknown_authority_is_refused(expired: tuple[FakeApp, Path]) -> None:
    assert Trouble.CERTIFICATE is Asker(expired[0].url, LOOPBACK, FAST).ask(PATH, {}).trouble
