"""Clients of each cluster that are never idle: one holds a transaction open, one writes all the time."""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from sandbox.app.databases import Document

_HELD_SECONDS = 5.0
_PAUSE_SECONDS = 0.2
_AGENT = {"npn": "9000001"}  # of the seed


class BusyClients:
    """Both clients of every cluster, from now until `stop`. What they leave is what an application would."""

    def __init__(self, root_uris: Iterable[str], database: str) -> None:
        self._ended = threading.Event()
        self._database = database
        works: tuple[Callable[[Database[Document]], None], ...] = (self._hold, self._write)
        self._threads = [
            threading.Thread(target=self._repeat, args=(uri, work), daemon=True)
            for uri in root_uris
            for work in works
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End them; open transactions are aborted."""
        self._ended.set()
        for thread in self._threads:
            thread.join(2.0)

    def _repeat(self, uri: str, work: Callable[[Database[Document]], None]) -> None:
        # By the emulator's own login, which no access history shows.
        with MongoClient[Document](uri, directConnection=True, serverSelectionTimeoutMS=1000) as client:
            while not self._ended.is_set():
                try:
                    work(client[self._database])
                except PyMongoError:  # a test has stopped or blocked the server
                    self._ended.wait(_PAUSE_SECONDS)

    def _hold(self, database: Database[Document]) -> None:
        """Hold locks on the collections with agents' data: rows that nobody else sees, and that are never committed."""
        now = datetime.now(UTC)
        with database.client.start_session() as session, session.start_transaction():
            row = {"email": "undecided@example.com", "state": "UT", "submitted_at": now}
            database.agent_waitlist_submissions.insert_one(row, session=session)
            entry = {"action": "undecided", "actor": "system", "at": now}
            database.agent_audit_log.insert_one(entry, session=session)
            self._ended.wait(_HELD_SECONDS)
            session.abort_transaction()

    def _write(self, database: Database[Document]) -> None:
        """Append to the audit log, and change one row again and again."""
        now = datetime.now(UTC)
        database.agent_audit_log.insert_one({"action": "agent_seen", "actor": "agent", "at": now})
        database.agent_sessions.update_one(_AGENT, {"$set": {"seen_at": now}}, upsert=True)
        self._ended.wait(_PAUSE_SECONDS)
