"""The load-balanced address: turns, checks, drains, and what it answers when a target fails."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from sandbox.ecs.balancer import Balancer
from sandbox.ecs.targets import Health, Target
from sandbox.ports import HOST


@dataclass
class Backend:
    """A server whose health and speed a test sets."""

    name: str
    healthy: bool = True
    breaks: bool = False
    hold: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def start(self) -> None:
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status = 200
                if self.path == "/healthz":
                    status = 200 if backend.healthy else 500
                else:
                    backend.asked.append(f"{self.command} {self.path} {body.decode()}".strip())
                if self.path == "/slow":
                    backend.arrived.set()
                    backend.hold.wait(20)
                if backend.breaks and self.path != "/healthz":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(status)
                self.send_header("X-Task-Revision", backend.name)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - named by the library

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer((HOST, 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Setup:
    balancer: Balancer
    backends: list[Backend] = field(default_factory=list)

    def add(self, name: str, **settings: bool) -> tuple[Backend, Target]:
        backend = Backend(name, **settings)
        backend.start()
        self.backends.append(backend)
        target = self.balancer.register(HOST, backend.server.server_port, "/healthz")
        return backend, target

    def healthy(self, name: str) -> tuple[Backend, Target]:
        backend, target = self.add(name)
        until(lambda: target.health is Health.HEALTHY)
        return backend, target

    def get(self, path: str = "/") -> requests.Response:
        return requests.get(self.balancer.url + path, timeout=10)


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def setup() -> Iterator[Setup]:
    made = Setup(Balancer())
    made.balancer.start()
    yield made
    made.balancer.stop()
    for backend in made.backends:
        backend.stop()


def test_without_a_target_the_answer_is_503(setup: Setup) -> None:
    answer = setup.get()
    assert (503, "503 Service Unavailable: no target is healthy\n") == (answer.status_code, answer.text)


def test_requests_that_fail_are_counted_with_their_time(setup: Setup) -> None:
    setup.get()
    setup.healthy("one")
    setup.get()
    assert (1, 0) == (setup.balancer.failed(60), setup.balancer.failed(0))


def test_healthy_targets_are_asked_in_turn_over_one_connection(setup: Setup) -> None:
    setup.healthy("one")
    setup.healthy("two")
    with requests.Session() as session:
        observed = [session.get(setup.balancer.url, timeout=5).headers["X-Task-Revision"] for _ in range(6)]
    assert [3, 3] == [observed.count("one"), observed.count("two")]


def test_a_body_goes_there_and_comes_back_whole(setup: Setup) -> None:
    setup.healthy("one")
    body = "x" * 300_000
    assert body == requests.post(setup.balancer.url + "/echo?a=b", data=body, timeout=10).text


def test_a_target_that_was_never_healthy_gets_nothing(setup: Setup) -> None:
    backend, target = setup.add("ill", healthy=False)
    until(lambda: target.failures > 2)
    assert (503, Health.NEW, []) == (setup.get().status_code, target.health, backend.asked)


def test_a_target_that_falls_ill_is_left_out_and_comes_back(setup: Setup) -> None:
    backend, target = setup.healthy("one")
    backend.healthy = False
    setup.healthy("two")
    until(lambda: target.health is Health.UNHEALTHY)
    assert {"two"} == {setup.get().headers["X-Task-Revision"] for _ in range(4)}
    backend.healthy = True
    until(lambda: setup.get().headers["X-Task-Revision"] == "one")


def test_a_draining_target_finishes_what_it_has_and_gets_nothing_new(setup: Setup) -> None:
    old, target = setup.healthy("old")
    answers: list[requests.Response] = []
    slow = threading.Thread(target=lambda: answers.append(setup.get("/slow")))
    slow.start()
    old.arrived.wait(10)
    setup.balancer.drain(target)
    until(lambda: target.draining)
    setup.healthy("new")
    assert {"new"} == {setup.get().headers["X-Task-Revision"] for _ in range(5)}
    assert not target.drained
    old.hold.set()
    slow.join()
    until(lambda: target.drained)
    assert [(200, "old")] == [(a.status_code, a.headers["X-Task-Revision"]) for a in answers]


def test_where_nothing_listens_any_more_the_next_target_is_asked(setup: Setup) -> None:
    dead, _ = setup.healthy("dead")
    dead.stop()
    setup.healthy("alive")
    answers = [requests.post(setup.balancer.url, data="x", timeout=5) for _ in range(4)]
    assert {(200, "alive")} == {(a.status_code, a.headers["X-Task-Revision"]) for a in answers}


def test_a_request_that_reached_a_target_is_never_sent_twice(setup: Setup) -> None:
    breaking, _ = setup.healthy("breaking")
    other, _ = setup.healthy("other")
    breaking.breaks = True
    statuses = [
        requests.post(setup.balancer.url + "/once", data="x", timeout=5).status_code for _ in range(4)
    ]
    assert [200, 200, 502, 502] == sorted(statuses)
    assert 4 == len(breaking.asked) + len(other.asked)
