"""The eight gates on the sandbox's own service: captured, green by its own answers, and nothing left behind."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from smoke_fixture import ROOT

from probes.browser_found import find_chromium
from sandbox import lifecycle
from sandbox.world import Options, World

DEADLINE = 150


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    directory = tmp_path / "sandbox"
    yield lifecycle.up(directory, Options(service=True))
    lifecycle.down(directory)


def command(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    # In the sandbox no log line arrives late.
    scenarios = world.directory / "smoke.yaml"
    scenarios.write_text((ROOT / "smoke.yaml").read_text().replace("logs_seconds: 5", "logs_seconds: 0"))
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments, "--scenarios", str(scenarios)],
        cwd=ROOT,
        env={**os.environ, **world.environment("staging")},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def synthetic_rows(world: World) -> int:
    with MongoClient[dict[str, object]](world.mongod("staging").root_uri, directConnection=True) as client:
        rows = client["askflorence"]["agent_waitlist_submissions"]
        return rows.count_documents({"email": {"$regex": "^smoke"}})


def test_the_running_service_is_green_by_its_own_baseline(world: World) -> None:
    captured = command(world, "baseline", "capture", "staging")
    if not find_chromium():
        assert (3, True) == (captured.returncode, "no browser is installed here" in captured.stdout)
        return
    assert (0, "") == (captured.returncode, captured.stderr), captured.stdout
    checked = command(world, "smoke", "staging", "--format", "json")
    report = json.loads(checked.stdout)
    standings = [gate["standing"] for one in report["rounds"] for gate in one["gates"]]
    assert (0, ["met"] * 16, ["askflorence-staging-app:7"]) == (
        checked.returncode,
        standings,
        report["rounds"][0]["revisions"],
    )
    assert 0 == synthetic_rows(world)
    told = captured.stdout + checked.stdout
    assert [] == [secret for secret in world.secrets() if secret in told]
