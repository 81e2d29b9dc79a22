"""The application's MongoDB clients: one per variable, connected on first use, so a wrong credential fails there."""

import threading
from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from atlas_access.base import ConnectionInvalid, ConnectionString, EndpointRefused, Endpoints
from sandbox.app.builds import Build, Use, VariableUnset, variable

Document = dict[str, Any]
_DATABASE = "askflorence"
_SELECTION_MS = 3000
_POOL = 10


class Databases:
    """The databases of one task, by use. Methods may be called by any thread."""

    def __init__(self, build: Build, environment: Mapping[str, str], endpoints: Endpoints) -> None:
        self._build = build
        self._environment = environment
        self._endpoints = endpoints
        self._clients: dict[str, MongoClient[Document]] = {}
        self._lock = threading.Lock()

    def of(self, use: Use) -> Database[Document]:
        """Return the database for a use. Raises `VariableUnset`, also for a value that is no permitted address."""
        name = variable(self._build, use, self._environment)
        with self._lock:
            client = self._clients.get(name)
            if client is None:
                client = self._clients[name] = self._open(name)
        return client.get_default_database(_DATABASE)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for client in self._clients.values():
                client.close()

    def _open(self, name: str) -> MongoClient[Document]:
        text = self._environment[name]
        try:
            self._endpoints.permit_connection(ConnectionString.parse(text))
        except (ConnectionInvalid, EndpointRefused):
            raise VariableUnset(f"{name} does not hold a connection string that may be used here") from None
        return MongoClient(
            text,
            serverSelectionTimeoutMS=_SELECTION_MS,
            maxPoolSize=_POOL,
            serverMonitoringMode="poll",
            appname="askflorence",
        )
