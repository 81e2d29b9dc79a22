"""One bounded connection to a MongoDB server, and its answers as records.

It must never retry a command, follow a topology away from the address that is being proven, or let a driver's
exception out: those carry the server's messages, which quote commands and documents.
"""

import struct
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from bson import CodecOptions
from bson.binary import UuidRepresentation
from bson.errors import BSONError
from pymongo import MongoClient
from pymongo.client_session import ClientSession
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

from access.connection import ConnectionString
from access.endpoints import Endpoints
from access.equality import Identity
from access.privileges import server_privileges
from access.verdict import Answer, Failure, Login, judge_login

APP_NAME = "atlas-access proof"
_UUIDS: CodecOptions[Mapping[str, Any]] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
_POLL_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.0)
_NO_REPLY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, the document that came with it (empty unless it succeeded), and the milliseconds it took."""

    answer: Answer
    document: Mapping[str, Any]
    ms: float


class Server(AbstractContextManager["Server"]):
    """A client of one address with at most one connection for commands; opened lazily, closed by `close`."""

    def __init__(self, connection: ConnectionString, endpoints: Endpoints, *, wait_seconds: float) -> None:
        """Prepare a client; raises `EndpointRefused` before a byte is sent, `ValueError` for options it refuses.

        `wait_seconds` bounds each connecting, each server selection and each answer.
        """
        endpoints.permit_connection(connection)
        milliseconds = max(1, int(wait_seconds * 1000))
        options: dict[str, Any] = {
            "appname": APP_NAME,
            "maxPoolSize": 1,
            "retryReads": False,
            "retryWrites": False,
            "serverSelectionTimeoutMS": milliseconds,
            "connectTimeoutMS": milliseconds,
            "socketTimeoutMS": milliseconds,
            "serverMonitoringMode": "poll",
        }
        if len(connection.hosts) == 1 and not connection.is_srv:
            options["directConnection"] = True
        try:
            self._client: MongoClient[Mapping[str, Any]] = MongoClient(connection.reveal(), **options)
        except (ConfigurationError, InvalidURI, ValueError, TypeError) as error:
            raise ValueError(f"the driver refuses the connection string ({type(error).__name__})") from None
        self._session: ClientSession | None = None
        self._databases: dict[str, Database[Mapping[str, Any]]] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        """Close the connection."""
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

    def command(self, database: str, command: Mapping[str, object], *, in_transaction: bool = False) -> Reply:
        """Send one command, inside a transaction that is always aborted when asked for."""
        started = time.perf_counter()
        document: Mapping[str, Any] = _NO_REPLY
        try:
            if in_transaction:
                document = self._aborted(database, command)
            else:
                document = self._database(database).command(_document(command), codec_options=_UUIDS)
            answer = _success(document)
        except OperationFailure as error:
            answer = _refusal(error.code, error.details)
        except NotPrimaryError as error:
            details = error.details if isinstance(error.details, Mapping) else {}
            answer = _refusal(details.get("code", 10107), details)
        except NetworkTimeout:
            answer = Answer(failure=Failure.TIMEOUT)
        except ConnectionFailure:
            answer = Answer(failure=Failure.NETWORK)
        except (ProtocolError, BSONError, UnicodeDecodeError, struct.error):
            answer = Answer(failure=Failure.GARBLED)
        except PyMongoError as error:
            answer = Answer(code_name=type(error).__name__, failure=Failure.NETWORK)
        return Reply(answer, document, (time.perf_counter() - started) * 1000)

    def identity(self) -> Identity | Answer:
        """Ask who is logged in and what it may do; an `Answer` when that could not be asked or understood."""
        reply = self.command("admin", {"connectionStatus": 1, "showPrivileges": True})
        if not reply.answer.ok:
            return reply.answer
        try:
            about = reply.document["authInfo"]
            users = about["authenticatedUsers"]
            return Identity(
                user=users[0]["user"] if users else "",
                database=users[0]["db"] if users else "",
                roles=frozenset(f"{role['role']}@{role['db']}" for role in about["authenticatedUserRoles"]),
                privileges=server_privileges(about["authenticatedUserPrivileges"]),
            )
        except (KeyError, TypeError, ValueError):
            return Answer(failure=Failure.GARBLED)

    def _database(self, name: str) -> Database[Mapping[str, Any]]:
        if name not in self._databases:
            self._databases[name] = self._client[name]
        return self._databases[name]

    def _aborted(self, database: str, command: Mapping[str, object]) -> Mapping[str, Any]:
        if self._session is None:
            self._session = self._client.start_session()
        self._session.start_transaction()
        try:
            return self._database(database).command(
                _document(command), codec_options=_UUIDS, session=self._session
            )
        finally:
            self._session.abort_transaction()


def _document(command: Mapping[str, object]) -> MutableMapping[str, Any]:
    return command if isinstance(command, dict) else dict(command)


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
