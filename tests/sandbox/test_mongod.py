"""Starting, taking up and ending real servers."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from sandbox.mongod import process as module
from sandbox.mongod.process import MongodError, MongodProcess, end_leftover, find_mongod, running_on

SECRET = "canary-root-4711"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongodProcess]:
    started = MongodProcess.start(tmp_path_factory.mktemp("one"), root_password=SECRET, replica_set="rs-test")
    yield started
    started.kill()


def test_without_a_login_nothing_can_be_read(server: MongodProcess) -> None:
    refused = pytest.raises(OperationFailure)
    with MongoClient(server.address, directConnection=True) as stranger, refused as refusal:
        stranger.shop.orders.find_one()
    assert refusal.value.code == 13


def test_it_listens_on_loopback_only(server: MongodProcess) -> None:
    listening = [c.laddr.ip for c in psutil.Process(server.pid).net_connections() if c.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


def test_the_root_password_is_shown_nowhere(server: MongodProcess) -> None:
    command = " ".join(psutil.Process(server.pid).cmdline())
    assert SECRET not in repr(server) + command + server.log_path.read_text()


def test_the_key_is_readable_by_its_owner_only(server: MongodProcess) -> None:
    assert stat.S_IMODE((server.data_dir / "keyfile").stat().st_mode) == 0o600


def test_a_second_server_on_the_same_folder_is_refused(server: MongodProcess) -> None:
    with pytest.raises(MongodError, match=rf"mongod {server.pid} already serves .*sandbox down"):
        MongodProcess.start(server.data_dir, root_password=SECRET)


def test_a_port_in_use_is_refused_before_anything_starts(server: MongodProcess, tmp_path: Path) -> None:
    with pytest.raises(MongodError, match=f"port {server.port} on 127.0.0.1 is in use"):
        MongodProcess.start(tmp_path / "two", root_password=SECRET, port=server.port)
    assert not (tmp_path / "two").exists()


def test_a_server_that_has_died_is_reported_with_its_code(tmp_path: Path) -> None:
    server = MongodProcess.start(tmp_path, root_password=SECRET)
    os.kill(server.pid, signal.SIGKILL)
    server._process.wait()
    with pytest.raises(MongodError, match=rf"port {server.port} has ended with code -9"):
        server.check()


def test_a_stale_lock_of_a_foreign_process_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "mongod.lock").write_text(f"{os.getpid()}\n")
    assert (running_on(tmp_path), end_leftover(tmp_path)) == (None, None)


def test_a_leftover_is_found_by_its_folder_and_ended(tmp_path: Path) -> None:
    server = MongodProcess.start(tmp_path, root_password=SECRET)
    ended = end_leftover(tmp_path)
    assert (ended, running_on(tmp_path), server.alive()) == (server.pid, None, False)


def test_without_any_mongod_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(MongodError, match="set MONGOD"):
        find_mongod({"PATH": ""})
