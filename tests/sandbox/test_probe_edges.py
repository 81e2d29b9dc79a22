"""The edges: no byte goes to an address that is not permitted, and progress never breaks a proof."""

from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from http_fixture import Answered, serving
from mongod_fixture import LOOPBACK
from pulumi.runtime.proto import engine_pb2_grpc

from atlas_access.base.endpoints import EndpointRefused
from atlas_access.clients import AwsUnavailable, client, read_connection_string
from atlas_access.clients.http import session
from atlas_access.proof.progress import Row


class _Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, bool]] = []

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        self.lines.append((request.urn, request.message, request.ephemeral))
        return empty_pb2.Empty()


@pytest.fixture
def redirecting() -> Iterator[str]:
    """A server that answers every request with a redirect to a host on another machine."""
    with serving(lambda _: Answered({}, 302, {"Location": "http://service.example.com/"})) as url:
        yield url


@pytest.mark.parametrize(
    "url", ["http://service.example.com/", "https://127.0.0.1.example.com/", "http://10.0.0.1/"]
)
def test_a_request_that_leaves_the_machine_is_refused(url: str) -> None:
    with session(LOOPBACK) as opened, pytest.raises(EndpointRefused):
        opened.get(url)


def test_a_redirect_that_leaves_the_machine_is_refused(redirecting: str) -> None:
    with session(LOOPBACK) as opened, pytest.raises(EndpointRefused):
        opened.get(redirecting)


def test_a_proxy_is_not_used_in_the_sandbox(redirecting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    with session(LOOPBACK) as opened:
        assert 302 == opened.get(redirecting, allow_redirects=False).status_code


def test_an_aws_request_that_leaves_the_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    sts = client("sts", "us-east-1", LOOPBACK)
    sts.meta.events.register_first("request-created", _sent_elsewhere)
    with pytest.raises(EndpointRefused):
        sts.get_caller_identity()


def _sent_elsewhere(request: Any, **_: object) -> None:
    request.url = "http://sts.example.com/"


def test_an_aws_that_cannot_be_reached_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with pytest.raises(AwsUnavailable) as caught:
        read_connection_string("staging/any", "1" * 32, region="us-east-1", endpoints=LOOPBACK)
    assert "secretsmanager:GetSecretValue staging/any: AWS answered EndpointConnectionError" == str(
        caught.value
    )


def test_progress_reaches_the_resource_s_own_row() -> None:
    engine = _Engine()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    row = Row("urn:of:the:proof", f"127.0.0.1:{port}")
    row("app_read: logging in")
    row.close()
    server.stop(0)
    assert [("urn:of:the:proof", "app_read: logging in", True)] == engine.lines


@pytest.mark.parametrize("address", ["127.0.0.1:1", "", "no address", "-c"])
def test_progress_that_nobody_listens_to_is_harmless(address: str) -> None:
    row = Row("urn:of:the:proof", address)
    row("a line")
    row("another line")
    row.close()
