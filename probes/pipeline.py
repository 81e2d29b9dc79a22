"""Sends many commands on one connection before the first answer is awaited, and pairs each with its answer.

A server answers a connection's messages in their order, so that a proof costs one round trip a batch, not one a
command. Each command is its own message and succeeds or fails by itself. It must never leave a transaction open, or
take an answer for another command's: a connection that breaks is closed, and nothing is sent again.
"""

import itertools
import struct
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bson
from bson import CodecOptions, Int64
from pymongo import MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.monitoring import ConnectionClosedReason

BATCH_COMMANDS = 64
BATCH_BYTES = 24 * 1024
"""No more is sent ahead of the answers than what the buffers between take: a server that waits until its answers are
read must not keep us from sending the rest."""

_OP_MSG = 2013
_HEADER = struct.Struct("<iiiiIB")
_REQUESTS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Sending:
    """A command for a database; `in_transaction` in one of its own, which is aborted before anything else is done."""

    database: str
    command: Mapping[str, object]
    in_transaction: bool = False


@dataclass(frozen=True, slots=True)
class Arrived:
    """A server's answer as it came, and the milliseconds since the answer before it."""

    document: Mapping[str, Any]
    ms: float


class Pipeline:
    """Commands ahead of their answers, on the one connection of a client."""

    def __init__(
        self, client: MongoClient[Mapping[str, Any]], options: CodecOptions[Mapping[str, Any]]
    ) -> None:
        """Take a client of at most one connection."""
        self._client, self._options = client, options
        self._session: ClientSession | None = None
        self._transactions = 0

    def send(self, sendings: Sequence[Sending]) -> Generator[Arrived, None, None]:
        """Send as many as are given, batch by batch, and give their answers in the same order.

        Raises what the driver raises for a connection that fails; what was not answered until then never will be, nor
        when the generator is closed before its end.
        """
        # The driver lends no connection in public; the pinned version does it by this name, and a test holds it to it.
        with self._client._conn_for_reads(ReadPreference.PRIMARY, None, "proof") as (connection, preference):
            prefer = {"$readPreference": preference.document} if preference.mode else {}
            ended = False
            try:
                for batch in _batches(self._messages(sendings, prefer)):
                    began = time.perf_counter()
                    connection.send_message(b"".join(message.content for message in batch), 0)
                    for message in batch:
                        answer = connection.receive_message(message.request)
                        document = bson.decode(answer.payload_document, self._options)
                        now = time.perf_counter()
                        if message.asked:
                            yield Arrived(document, (now - began) * 1000)
                            began = time.perf_counter()
                ended = True
            finally:
                if not ended:
                    connection.close_conn(ConnectionClosedReason.ERROR)

    def close(self) -> None:
        """Give the session back, so that closing the client ends it on the server with whatever it had open."""
        if self._session is not None:
            self._session.end_session()

    def _messages(self, sendings: Sequence[Sending], prefer: Mapping[str, Any]) -> "Iterator[_Message]":
        for sending in sendings:
            if not sending.in_transaction:
                yield self._message({**sending.command, "$db": sending.database, **prefer})
                continue
            self._transactions += 1
            transaction = self._transaction()
            start = {"$db": sending.database, **transaction, "startTransaction": True}
            yield self._message({**sending.command, **start})
            # Whether the abort itself has reached a majority is nobody's concern: nothing was written.
            end = {"abortTransaction": 1, "$db": "admin", **transaction, "writeConcern": {"w": 1}}
            yield self._message(end, asked=False)

    def _transaction(self) -> dict[str, Any]:
        if self._session is None:
            self._session = self._client.start_session()
        return {
            "lsid": self._session.session_id,
            "txnNumber": Int64(self._transactions),
            "autocommit": False,
        }

    def _message(self, document: Mapping[str, Any], *, asked: bool = True) -> "_Message":
        body = bson.encode(document, codec_options=self._options)
        request = next(_REQUESTS)
        return _Message(request, _HEADER.pack(21 + len(body), request, 0, _OP_MSG, 0, 0) + body, asked)


@dataclass(frozen=True, slots=True)
class _Message:
    """One OP_MSG; `asked` when somebody waits for its answer."""

    request: int
    content: bytes
    asked: bool


def _batches(messages: Iterator[_Message]) -> Iterator[list[_Message]]:
    batch: list[_Message] = []
    size = 0
    for message in messages:
        if batch and (len(batch) >= BATCH_COMMANDS or size + len(message.content) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += len(message.content)
    if batch:
        yield batch
