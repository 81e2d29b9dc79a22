"""A server that is away or hangs: changes wait for it, and nobody else does."""

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from atlas_fixture import STAGING, Atlas, status, until

from sandbox.atlas import AtlasEmulator, EmulatorError, ProjectSpec
from sandbox.mongod import MongodProcess, running_on


@pytest.fixture
def other(tmp_path: Path) -> Iterator[MongodProcess]:
    server = MongodProcess.start(tmp_path / "other", root_password="root-secret")
    yield server
    server.kill()


def test_a_server_that_is_away_is_one_clear_line(other: MongodProcess, specs: Sequence[ProjectSpec]) -> None:
    other.kill()
    spec = replace(specs[0], mongod_uri=other.root_uri)
    with pytest.raises(EmulatorError, match="mongod of cluster staging does not answer") as refusal:
        AtlasEmulator([spec], 0.0).start()
    assert "root-secret" not in str(refusal.value)


def test_changes_wait_for_a_server_that_is_away(
    other: MongodProcess, specs: Sequence[ProjectSpec], atlas: Atlas
) -> None:
    spec = replace(specs[0], mongod_uri=other.root_uri)
    emulator = AtlasEmulator([spec], 0.05)
    atlas.staging.url = emulator.start()
    try:
        other.kill()
        atlas.staging.add_user("late")
        pending = status(atlas)
        back = MongodProcess.start(other.data_dir, root_password="root-secret", port=other.port)
        applied = until(lambda: status(atlas) == "APPLIED")
        with back.client() as root:
            users = [user["user"] for user in root.admin.command("usersInfo")["users"]]
        back.kill()
    finally:
        emulator.stop()
    assert (pending, applied, "late" in users) == ("PENDING", True, True)


def test_a_server_that_hangs_does_not_hold_up_the_status(
    other: MongodProcess, specs: Sequence[ProjectSpec], atlas: Atlas
) -> None:
    emulator = AtlasEmulator([replace(specs[0], mongod_uri=other.root_uri)], 0.0)
    url = emulator.start()
    atlas.staging.url, asker = url, replace(atlas.staging, url=url, session=requests.Session())
    os.kill(running_on(other.data_dir), signal.SIGSTOP)
    with ThreadPoolExecutor() as pool:
        adding = pool.submit(atlas.staging.add_user, "late")
        assert until(lambda: emulator.status()[STAGING]["pending"] == 1)
        answer = asker.send("GET", "/clusters/staging/status").json()
        meanwhile = not adding.done()
        os.kill(running_on(other.data_dir), signal.SIGCONT)
        made = adding.result()
    emulator.stop()
    assert (answer["changeStatus"], meanwhile, made.status_code) == ("PENDING", True, 201)


def test_a_change_reaches_a_server_that_hung_when_it_is_back(
    other: MongodProcess, specs: Sequence[ProjectSpec], atlas: Atlas
) -> None:
    emulator = AtlasEmulator([replace(specs[0], mongod_uri=other.root_uri)], 0.05)
    atlas.staging.url = emulator.start()
    try:
        os.kill(running_on(other.data_dir), signal.SIGSTOP)
        atlas.staging.add_user("late")
        atlas.staging.send("DELETE", "/databaseUsers/admin/late")
        atlas.staging.add_user("later")
        hanging = not until(lambda: status(atlas) == "APPLIED", 4.0)
        os.kill(running_on(other.data_dir), signal.SIGCONT)
        applied = until(lambda: status(atlas) == "APPLIED")
        with other.client() as root:
            users = sorted(user["user"] for user in root.admin.command("usersInfo")["users"])
    finally:
        os.kill(running_on(other.data_dir), signal.SIGSTOP)
        emulator.stop()
    assert (hanging, applied, users) == (True, True, ["later", "root"])
    assert emulator.status()[STAGING]["refused"] == []
