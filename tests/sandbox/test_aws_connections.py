"""HTTP of the AWS front: connections that stay open, their end, and answers that are never a page of HTML."""

import http.client
import json
import socket
from typing import Any

import pytest
from aws_fixture import Aws


@pytest.fixture
def connection(aws: Aws) -> Any:
    opened = http.client.HTTPConnection(aws.url.removeprefix("http://"), timeout=10)
    yield opened
    opened.close()


def ask(aws: Aws, connection: Any, action: str, body: Any, **headers: str) -> tuple[int, Any]:
    """Send a request of Secrets Manager, and return the answer's status and document."""
    scope = f"{aws.sessions['staging'].access_key_id}/20260101/us-east-1/secretsmanager/aws4_request"
    sent = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    sent |= {"X-Amz-Target": f"secretsmanager.{action}", "Content-Type": "application/x-amz-json-1.1"}
    connection.request("POST", "/", body if isinstance(body, bytes) else json.dumps(body), sent | headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.mark.parametrize("action", ["ListSecretVersionIds", "DescribeSecret"])
def test_a_connection_stays_open_for_the_next_request(aws: Aws, connection: Any, action: str) -> None:
    sockets = set()
    for name in ("staging/mongodb/app-read", "none", "staging/mongodb/app-read"):
        ask(aws, connection, action, {"SecretId": name})
        sockets.add(connection.sock)
    assert (1, False) == (len(sockets), None in sockets)


@pytest.mark.parametrize(
    "headers", [{"Content-Length": "x"}, {"Content-Length": "9" * 5000}, {"Transfer-Encoding": "chunked"}]
)
def test_a_connection_whose_next_request_cannot_be_found_is_closed(
    aws: Aws, connection: Any, headers: dict[str, str]
) -> None:
    status, _ = ask(aws, connection, "ListSecretVersionIds", b"", **headers)
    assert (400, None) == (status, connection.sock)


@pytest.mark.parametrize("headers", [{"Content-Length": "x"}, {"Transfer-Encoding": "chunked"}])
def test_a_request_whose_body_cannot_be_read_is_not_taken_for_one_without_parameters(
    aws: Aws, connection: Any, headers: dict[str, str]
) -> None:
    status, answer = ask(aws, connection, "ListSecrets", b"", **headers)
    assert (400, "MalformedHttpRequestException") == (status, answer["__type"])


def raw(aws: Aws, sent: bytes) -> bytes:
    """Send bytes, and return the answer up to the end of the connection."""
    host, port = aws.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as opened:
        opened.sendall(sent)
        return b"".join(iter(lambda: opened.recv(65536), b""))


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (400, b"nonsense\r\n\r\n"),
        (400, b"GET / HTTP/x\r\n\r\n"),
        (414, b"GET /" + b"x" * 65532),
        (431, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101),
        (505, b"GET / HTTP/2.0\r\n\r\n"),
    ],
)
def test_what_is_no_request_is_answered_in_the_form_of_aws(aws: Aws, status: int, sent: bytes) -> None:
    head, _, body = raw(aws, sent).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert body.startswith(b"<ErrorResponse><Error><Type>Sender</Type><Code>MalformedHttpRequestException")


def test_a_client_that_expects_100_continue_receives_it(aws: Aws) -> None:
    host, port = aws.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as opened:
        opened.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert b"HTTP/1.1 100 Continue\r\n\r\n" == opened.recv(65536)


def test_an_operation_that_does_not_exist_is_unknown(aws: Aws, connection: Any) -> None:
    status, answer = ask(aws, connection, "ListNothing", {})
    assert (400, "UnknownOperationException") == (status, answer["__type"])


@pytest.mark.parametrize(
    ("asked", "code"), [({"SecretId": 7}, "SerializationException"), ({}, "ValidationException")]
)
def test_what_is_passed_on_is_held_to_the_services_model_as_well(
    aws: Aws, connection: Any, asked: dict[str, Any], code: str
) -> None:
    status, answer = ask(aws, connection, "DescribeSecret", asked)
    assert (400, code) == (status, answer["__type"])


def test_a_failure_behind_the_front_is_answered_in_the_services_form(aws: Aws, connection: Any) -> None:
    status, answer = ask(aws, connection, "StopReplicationToReplica", {"SecretId": "x"})
    assert (500, "InternalServiceError") == (status, answer["__type"])
