"""One bounded connection to a MongoDB server, and its answers as records.

It must never retry a command, follow a topology away from the address that is being proven, or let a driver's
exception out: those carry the server's messages, which quote commands and documents.
"""

import atexit
import re
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import pymongo
from bson import CodecOptions
from bson.binary import UuidRepresentation
from bson.errors import BSONError
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ProtocolError,
    PyMongoError,
)
from pymongo.synchronous import monitor

from atlas_access.base import ConnectionString, Endpoints
from atlas_access.clients.calls import log_call, logs_calls
from atlas_access.clients.mongo_answers import Answer, Failure, Login, judge_login
from atlas_access.clients.pipeline import Arrived, Pipeline, Sending

# Whoever opens a client here closes it. The driver would still keep the process from ending for half a second, until
# its monitors, which are daemons, have slept it out.
atexit.unregister(monitor._shutdown_resources)

APP_NAME = "atlas-access proof"
CLOSE_SECONDS = 2.0
_UUIDS: CodecOptions[Mapping[str, Any]] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
_POLL_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.0)
_FAILURES = (PyMongoError, BSONError, UnicodeDecodeError, struct.error)
_UNRESOLVED = re.compile(r"\[Errno -\d+\]|nodename nor servname")
"""What the operating systems say of a name; only errors of name resolution have negative numbers."""

_NO_REPLY: Mapping[str, Any] = {}
T = TypeVar("T")


_TURNS: defaultdict[tuple[str, ...], threading.Lock] = defaultdict(threading.Lock)
"""Commands sent ahead keep a core of the server busy: one client at a time leaves the others to the applications."""


class ServerUnusable(ValueError):
    """No client can be made of a connection string here; the message names the host, file or option."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, the document that came with it (empty unless it succeeded), and the milliseconds it took."""

    answer: Answer
    document: Mapping[str, Any]
    ms: float


class Server(AbstractContextManager["Server"]):
    """A client of one address with at most one connection for commands; opened lazily, closed by `close`."""

    def __init__(self, connection: ConnectionString, endpoints: Endpoints, *, wait_seconds: float) -> None:
        """Prepare a client; raises `EndpointRefused` before a byte is sent, `ServerUnusable` when none can be made.

        `wait_seconds` bounds each connecting, each server selection and each answer.
        """
        endpoints.permit_connection(connection)
        milliseconds = max(1, int(wait_seconds * 1000))
        options: dict[str, Any] = {
            "appname": APP_NAME,
            "maxPoolSize": 1,
            "minPoolSize": 0,
            "retryReads": False,
            "retryWrites": False,
            "serverSelectionTimeoutMS": milliseconds,
            "connectTimeoutMS": milliseconds,
            "socketTimeoutMS": milliseconds,
            "timeoutMS": None,
            "serverMonitoringMode": "poll",
        }
        balanced = connection.option("loadBalanced") == "true"
        if len(connection.hosts) == 1 and not connection.is_srv and not balanced:
            options["directConnection"] = True
        try:
            self._client: MongoClient[Mapping[str, Any]] = MongoClient(connection.reveal(), **options)
        except (ConfigurationError, InvalidURI, ValueError, TypeError, OSError) as error:
            raise _unusable(connection, error) from None
        self._pipeline = Pipeline(self._client, _UUIDS)
        self._turn = _TURNS[connection.hosts]
        self._databases: dict[str, Database[Mapping[str, Any]]] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        """Close the connection; a server that does not answer is left after a moment."""
        with pymongo.timeout(CLOSE_SECONDS):
            self._pipeline.close()
            self._client.close()

    def login(self, until: Callable[[], float]) -> Reply:
        """Log in; only a refused login is tried again, while `until()` (seconds left to propagate) is positive."""
        tries = 0
        while True:
            reply = self.command("admin", {"ping": 1})
            left = until()
            if judge_login(reply.answer) is not Login.REFUSED or left <= 0:
                return reply
            time.sleep(min(_POLL_SECONDS[min(tries, len(_POLL_SECONDS) - 1)], left))
            tries += 1

    def command(self, database: str, command: Mapping[str, object]) -> Reply:
        """Send one command."""
        started = time.perf_counter()
        document: Mapping[str, Any] = _NO_REPLY
        try:
            document = self._database(database).command(_document(command), codec_options=_UUIDS)
            answer = _success(document)
        except _FAILURES as error:
            answer = _failed(error)
            if answer.failure in (Failure.NETWORK, Failure.TIMEOUT) and (why := self._why_unreached()):
                answer = Answer(failure=why)
        log_call("MongoDB", f"{database} {next(iter(command), '')}", started, _outcome(answer))
        return Reply(answer, document, (time.perf_counter() - started) * 1000)

    def commands(self, sendings: Sequence[Sending], left: Callable[[], float] = lambda: 1.0) -> list[Reply]:
        """Send all of them ahead of their answers, once no other client of this process does so on the same server.

        Fewer replies than sent when the connection failed, by the last of them, or when `left()` (seconds) ran out.
        """
        replies: list[Reply] = []
        if not self._turn.acquire(timeout=max(0.0, left())):
            return replies
        started = time.perf_counter()
        try:
            for arrived in self._pipeline.send(sendings, left):
                replies.append(_reply(arrived))
                started = time.perf_counter()
        except _FAILURES as error:
            if len(replies) < len(sendings):
                replies.append(Reply(_failed(error), _NO_REPLY, (time.perf_counter() - started) * 1000))
        finally:
            self._turn.release()
        for sent, reply in zip(sendings, replies, strict=False) if logs_calls() else ():
            operation = f"{sent.database} {next(iter(sent.command), '')}"
            log_call("MongoDB", operation, time.perf_counter() - reply.ms / 1000, _outcome(reply.answer))
        return replies

    def ask(self, command: Mapping[str, object], read: Callable[[Mapping[str, Any]], T]) -> T | Answer:
        """Send a command to `admin` and read its document; an `Answer` when it failed or has another shape."""
        reply = self.command("admin", command)
        if not reply.answer.ok:
            return reply.answer
        try:
            return read(reply.document)
        except (KeyError, TypeError, ValueError):
            return Answer(failure=Failure.GARBLED)

    def _why_unreached(self) -> Failure | None:
        """Why no host could be used, from what the driver's monitors met; None where they met nothing particular."""
        topology = self._client.topology_description
        found = topology.server_descriptions().values()
        errors = [each.error for each in found if each.error is not None]
        said = "; ".join(map(str, errors))  # the driver takes off an error's cause
        if "SSL handshake failed" in said:
            return Failure.TLS
        if _UNRESOLVED.search(said):
            return Failure.NAME
        wrong_set = any(isinstance(each, ConfigurationError) for each in errors)
        return Failure.REPLICA_SET if wrong_set or not found else None

    def _database(self, name: str) -> Database[Mapping[str, Any]]:
        if name not in self._databases:
            self._databases[name] = self._client[name]
        return self._databases[name]


def _unusable(connection: ConnectionString, error: Exception) -> ServerUnusable:
    files = [
        name
        for name in ("tlsCAFile", "tlsCertificateKeyFile", "tlsCRLFile")
        if connection.option(name) is not None
    ]
    if files and isinstance(error, OSError | ConfigurationError) and not connection.is_srv:
        named = " or ".join(files)
        return ServerUnusable(
            f"the file of {named} cannot be read here as a certificate", "Correct the option's path."
        )
    if connection.is_srv and isinstance(error, ConfigurationError | OSError):
        text = f"the name {connection.hosts[0]} could not be resolved (SRV record)"
        return ServerUnusable(text, "Check the name and this machine's DNS, then prove again.")
    text = f"the driver refuses the connection string ({type(error).__name__})"
    return ServerUnusable(text, "Write the secret anew.")


def _outcome(answer: Answer) -> object:
    return "done" if answer.ok else answer.failure or answer.code_name or answer.code or "write refused"


def _document(command: Mapping[str, object]) -> MutableMapping[str, Any]:
    return command if isinstance(command, dict) else dict(command)


def _reply(arrived: Arrived) -> Reply:
    document = arrived.document
    if document.get("ok") == 1:
        return Reply(_success(document), document, arrived.ms)
    understood = isinstance(document.get("code"), int) or _refused_without_a_code(document)
    answer = _refusal(document.get("code"), document) if understood else Answer(failure=Failure.GARBLED)
    return Reply(answer, _NO_REPLY, arrived.ms)


def _refused_without_a_code(document: Mapping[str, Any]) -> bool:
    """Whether a command was refused in words alone, as `setParameter` does; not so a server that is no primary."""
    said = document.get("errmsg")
    return (
        document.get("ok") == 0
        and isinstance(said, str)
        and not any(words in said for words in ("not master", "not primary", "node is recovering"))
    )


def _failed(error: Exception) -> Answer:
    match error:
        case OperationFailure():
            return _refusal(error.code, error.details)
        case NotPrimaryError():
            details = error.details if isinstance(error.details, Mapping) else {}
            return _refusal(details.get("code", 10107), details)
        case NetworkTimeout():
            return Answer(failure=Failure.TIMEOUT)
        case ConnectionFailure():
            return Answer(failure=Failure.NETWORK)
        case ConfigurationError():  # of a server that answered; what a string holds was refused before
            return Answer(failure=Failure.MODE)
        case ProtocolError() | BSONError() | UnicodeDecodeError() | struct.error():
            return Answer(failure=Failure.GARBLED)
        case _:
            return Answer(code_name=type(error).__name__, failure=Failure.NETWORK)


def _success(document: Mapping[str, Any]) -> Answer:
    errors = document.get("writeErrors")
    written = document.get("n", 0)
    return Answer(
        write_codes=tuple(int(each.get("code", 0)) for each in errors) if errors else (),
        written=int(written) if isinstance(written, int) else 0,
    )


def _refusal(code: object, details: Mapping[str, Any] | None) -> Answer:
    about = details or {}
    return Answer(
        code=code if isinstance(code, int) else 0,
        code_name=str(about.get("codeName", "")),
        message=str(about.get("errmsg", "")),
    )
