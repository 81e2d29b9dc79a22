"""Sends many commands on one connection before the first answer is awaited, and pairs each with its answer.

A server answers a connection's messages in their order, so that a proof costs one round trip a batch, not one a
command. Each command is its own message and succeeds or fails by itself. No transaction is left open. A connection that
breaks is closed, and nothing is sent again.
"""

from __future__ import annotations

import itertools
import struct
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import bson
from bson import CodecOptions, Int64
from pymongo import MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError
from pymongo.monitoring import ConnectionClosedReason

if TYPE_CHECKING:
    from pymongo.synchronous.pool import Connection

BATCH_COMMANDS = 4
"""A longer run of commands keeps a core of the server for milliseconds, and clients' slowest writes wait for it."""

BATCH_BYTES = 24 * 1024
"""No more is sent ahead of the answers than what the buffers between take: a server that waits until its answers are
read must not keep us from sending the rest."""

GRACE_SECONDS = 2.0
"""How long past the deadline what was sent already is waited for, so that its transactions are known to have ended."""

_OP_MSG = 2013
_HEADER = struct.Struct("<iiiiIB")
_REQUESTS = itertools.count(1)


class Sending(NamedTuple):
    """A command for a database; `in_transaction` in one of its own, which the next one or an abort ends."""

    database: str
    command: Mapping[str, object]
    in_transaction: bool = False


class Arrived(NamedTuple):
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
        self._broke = False

    def send(self, sendings: Sequence[Sending], left: Callable[[], float]) -> Generator[Arrived, None, None]:
        """Send as many as are given, batch by batch, and give their answers in the same order.

        Once `left()` (seconds) is not positive no further batch is sent, and what was sent is waited for a moment only.
        Raises what the driver raises for a connection that fails. What was not answered until then never will be, nor
        when the generator is closed before its end.
        """
        # The driver lends no connection in public; the pinned version does it by this name, and tests hold it to it.
        with self._client._conn_for_reads(ReadPreference.PRIMARY, None, "proof") as (connection, preference):
            prefer = {"$readPreference": preference.document} if preference.mode else {}
            settled = True
            try:
                for batch in _batches(self._message_of(each, prefer) for each in sendings):
                    if left() <= 0:
                        break
                    settled = False
                    settled = yield from _answered(connection, batch, self._options, left)
            finally:
                if not settled:
                    self._broke = True
                    connection.close_conn(ConnectionClosedReason.ERROR)

    def close(self) -> None:
        """Give the session back; where a break may have left a transaction open, the server ends it now.

        A server that still cannot be reached ends it after a minute (`transactionLifetimeLimitSeconds`).
        """
        if self._session is None:
            return
        if self._broke:
            with suppress(PyMongoError):
                # Anyone may end sessions of their own (MongoDB manual, killSessions).
                self._client.admin.command({"killSessions": [self._session.session_id]})
        self._session.end_session()

    def _message_of(self, sending: Sending, prefer: Mapping[str, Any]) -> _Message:
        """What is sent for one command, and in a transaction what ends it."""
        if not sending.in_transaction:
            return self._message({**sending.command, "$db": sending.database, **prefer})
        if self._session is None:
            self._session = self._client.start_session()
        # A session has one transaction: the next number's first statement aborts the one before it.
        self._transactions += 1
        transaction: dict[str, Any] = {
            "lsid": self._session.session_id,
            "txnNumber": Int64(self._transactions),
            "autocommit": False,
        }
        start = {"$db": sending.database, **transaction, "startTransaction": True}
        # Whether the abort itself has reached a majority is nobody's concern: nothing was written.
        end = {"abortTransaction": 1, "$db": "admin", **transaction, "writeConcern": {"w": 1}}
        return self._message({**sending.command, **start}, self._message(end))

    def _message(self, document: Mapping[str, Any], abort: _Message | None = None) -> _Message:
        body = bson.encode(document, codec_options=self._options)
        request = next(_REQUESTS)
        return _Message(request, _HEADER.pack(21 + len(body), request, 0, _OP_MSG, 0, 0) + body, abort)


class _Message(NamedTuple):
    """One OP_MSG, and the one that ends its transaction once it has succeeded and no later one has ended it.

    A statement that fails ends its transaction itself, or began none; servers write a no-op into the oplog for an abort
    of the session's latest transaction where that is not open.
    """

    request: int
    content: bytes
    abort: _Message | None


def _answered(
    connection: Connection,
    batch: Sequence[_Message],
    options: CodecOptions[Mapping[str, Any]],
    left: Callable[[], float],
) -> Generator[Arrived, None, bool]:
    """Send a batch and give its answers; returns whether all of them came in time."""
    late = 0.0
    opened: _Message | None = None
    began = time.perf_counter()
    connection.send_message(b"".join(message.content for message in batch), 0)
    for message in batch:
        answer = connection.receive_message(message.request)
        document = bson.decode(answer.payload_document, options)
        now = time.perf_counter()
        yield Arrived(document, (now - began) * 1000)
        if message.abort is not None and document.get("ok") != 0 and not document.get("writeErrors"):
            opened = message.abort
        if opened is not None and message is batch[-1]:
            connection.send_message(opened.content, 0)
            connection.receive_message(opened.request)
        began = time.perf_counter()
        if left() <= 0:
            late = late or now
            if now - late > GRACE_SECONDS:
                return message is batch[-1]
    return True


def _batches(messages: Iterable[_Message]) -> Iterator[list[_Message]]:
    """Transactions are sent apart from the rest, so that none is open when anything else is done."""
    batch: list[_Message] = []
    size = 0
    for message in messages:
        more = len(message.content)
        apart = batch and (message.abort is None) != (batch[-1].abort is None)
        if batch and (apart or len(batch) >= BATCH_COMMANDS or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += more
    if batch:
        yield batch
