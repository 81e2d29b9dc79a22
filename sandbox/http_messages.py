"""Reads complete HTTP/1.1 messages for the balancer, without hop-by-hop headers; ambiguous messages are refused."""

import asyncio
import re
from dataclasses import dataclass
from http import HTTPStatus

MAX_BODY = 1024 * 1024
_MAX_ANSWER = 16 * MAX_BODY
_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
_REQUEST = re.compile(rb"([A-Z]{3,10}) (/[!-~]*) HTTP/1\.([01])")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: (.*))?")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
Headers = tuple[tuple[bytes, bytes], ...]


class Malformed(ValueError):
    """A message that cannot be passed on."""


class TooLarge(Malformed):
    """A message past the limits."""


@dataclass(frozen=True)
class Request:
    """A request; `keep_alive` is whether its connection stays open after the answer."""

    method: str
    target: str
    headers: Headers
    body: bytes
    keep_alive: bool


@dataclass(frozen=True)
class Answer:
    """A target's answer."""

    status: int
    reason: bytes
    headers: Headers
    body: bytes
    length: int | None


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """Read the next request of a connection, None when there is none. Raises `Malformed`."""
    head = await _head(reader)
    if head is None:
        return None
    first, headers = _parsed(head)
    match = _REQUEST.fullmatch(first)
    if match is None:
        raise Malformed("the request line is not one of HTTP/1.1")
    if _values(headers, b"transfer-encoding"):
        raise Malformed("a body must come with its length")
    length = _length(headers) or 0
    if length > MAX_BODY:
        raise TooLarge(f"a body may have {MAX_BODY} bytes")
    if length and b"100-continue" in _tokens(headers, b"expect"):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await reader.readexactly(length) if length else b""
    asked = _tokens(headers, b"connection")
    keep_alive = b"close" not in asked if match[3] == b"1" else b"keep-alive" in asked
    return Request(match[1].decode(), match[2].decode(), headers, body, keep_alive)


async def read_answer(reader: asyncio.StreamReader, method: str) -> Answer:
    """Read a target's answer whole. Raises `Malformed`, or `EOFError` when it ends too early."""
    while True:
        head = await _head(reader)
        if head is None:
            raise EOFError("the target closed the connection")
        first, headers = _parsed(head)
        match = _STATUS.fullmatch(first)
        if match is None or _values(headers, b"transfer-encoding"):
            raise Malformed("not an answer that is understood here")
        status = int(match[1])
        if status >= 200:
            break
    length = _length(headers)
    if method == "HEAD" or status in (204, 304):
        return Answer(status, match[2] or b"", headers, b"", length)
    if (length or 0) > _MAX_ANSWER:
        raise TooLarge("the answer is too large")
    body = await _to_the_end(reader) if length is None else await reader.readexactly(length)
    return Answer(status, match[2] or b"", headers, body, len(body))


def forwarded(request: Request, host: str) -> bytes:
    """Return a request as a target is sent it, on a connection of its own."""
    own = ((b"X-Forwarded-For", b"127.0.0.1"), (b"X-Forwarded-Proto", b"http"), (b"Connection", b"close"))
    dropped = {b"expect", b"content-length"} | {name.lower() for name, _ in own}
    kept = [(name, value) for name, value in _end_to_end(request.headers) if name.lower() not in dropped]
    if not _values(request.headers, b"host"):
        kept.append((b"Host", host.encode()))
    if request.body or request.method not in ("GET", "HEAD"):
        kept.append((b"Content-Length", str(len(request.body)).encode()))
    first = f"{request.method} {request.target} HTTP/1.1".encode()
    return _written(first, (*kept, *own)) + request.body


def relayed(answer: Answer, *, keep_alive: bool) -> bytes:
    """Return a target's answer as the caller is sent it."""
    kept = [(n, v) for n, v in _end_to_end(answer.headers) if n.lower() != b"content-length"]
    if answer.length is not None and answer.status != 204:
        kept.append((b"Content-Length", str(answer.length).encode()))
    if not keep_alive:
        kept.append((b"Connection", b"close"))
    return _written(b"HTTP/1.1 %d %s" % (answer.status, answer.reason), kept) + answer.body


def plain(status: int, message: str, *, keep_alive: bool = False) -> bytes:
    """Return an answer of the balancer's own."""
    body = f"{status} {HTTPStatus(status).phrase}: {message}\n".encode()
    headers = ((b"Content-Type", b"text/plain; charset=utf-8"),)
    reason = HTTPStatus(status).phrase.encode()
    return relayed(Answer(status, reason, headers, body, len(body)), keep_alive=keep_alive)


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise Malformed("the headers end too early") from None
        return None
    except asyncio.LimitOverrunError:
        raise TooLarge("the headers are too large") from None


async def _to_the_end(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while more := await reader.read(65536):
        body += more
        if len(body) > _MAX_ANSWER:
            raise TooLarge("the answer is too large")
    return bytes(body)


def _parsed(head: bytes) -> tuple[bytes, Headers]:
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    headers = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or _NAME.fullmatch(name) is None or b"\n" in value or b"\r" in value:
            raise Malformed("a header is not of the form name: value")
        headers.append((name, value.strip(b" \t")))
    return first, tuple(headers)


def _values(headers: Headers, name: bytes) -> list[bytes]:
    return [value for found, value in headers if found.lower() == name]


def _tokens(headers: Headers, name: bytes) -> set[bytes]:
    return {part.strip().lower() for value in _values(headers, name) for part in value.split(b",")}


def _length(headers: Headers) -> int | None:
    lengths = set(_values(headers, b"content-length"))
    if not lengths:
        return None
    (text, *others) = lengths
    if others or not re.fullmatch(rb"[0-9]{1,12}", text):
        raise Malformed("the body's length is not a number")
    return int(text)


def _end_to_end(headers: Headers) -> list[tuple[bytes, bytes]]:
    dropped = _HOP_BY_HOP | _tokens(headers, b"connection")
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def _written(first: bytes, headers: "tuple[tuple[bytes, bytes], ...] | list[tuple[bytes, bytes]]") -> bytes:
    return b"\r\n".join([first, *(name + b": " + value for name, value in headers), b"", b""])
