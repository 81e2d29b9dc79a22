"""`make preview`, `make deploy` and `make policy` as the workflows run them, in a checkout of its own with a real CLI.

The stack's settings are the sandbox's. Runs where a `pulumi` CLI is on PATH; where none is, one test says so by its
name.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from world_fixture import ROOT, UNGATED, sandbox

from atlas_access.base.clock import advance
from sandbox.deploy import Order, checked
from sandbox.engine.pulumi_cli import prepare_project
from sandbox.world import World


class Checkout:
    """The tracked files of this repository, with a sandbox's settings for staging and a stack that is not deployed."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.sandbox = folder, world.directory
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "MONGOD", "PULUMI_HOME") if name in os.environ
        }
        self.environment = {**kept, **world.environment("staging"), "STACK": "staging"}
        tracked = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in filter(None, tracked.stdout.split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        project = prepare_project(
            world.directory,
            checked(Order("staging", phase="provision", program_dir=folder, settings=UNGATED)),
        )
        shutil.copy2(project / "Pulumi.staging.yaml", folder / "Pulumi.staging.yaml")
        Path(self.environment["PULUMI_BACKEND_URL"].removeprefix("file://")).mkdir(
            parents=True, exist_ok=True
        )
        self.run(
            "pulumi", "stack", "init", "staging", "--secrets-provider", "passphrase", "--non-interactive"
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        shown = {"capture_output": True, "text": True, "check": False, "timeout": 240}
        return subprocess.run(command, cwd=self.folder, env=self.environment, **shown)

    def make(self, target: str) -> tuple[int, str]:
        """Exit code and everything that was shown."""
        done = self.run("make", "-s", "-o", ".venv/installed", target)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    (tmp_path / "checkout").mkdir()
    with sandbox(tmp_path / "sandbox", propagation_seconds=0.2) as world:
        yield Checkout(tmp_path / "checkout", world)


if shutil.which("pulumi"):

    def test_a_plan_is_previewed_deployed_as_it_was_reviewed_and_judged(
        checkout: Checkout, record_property: Callable[[str, object], None]
    ) -> None:
        code, shown = checkout.make("preview")
        kept = (checkout.folder / "preview-staging.txt").read_text()
        assert (0, True) == (code, "to create" in kept and kept in shown), shown
        assert (checkout.folder / "plan-staging.json").is_file()
        for target in ("deploy", "policy"):
            code, shown = checkout.make(target)
            assert 0 == code, shown
        left = checkout.run(
            "pulumi", "preview", "--stack", "staging", "--expect-no-changes", "--non-interactive"
        )
        assert 0 == left.returncode, left.stdout + left.stderr
        record_property(
            "says", "make preview, deploy, policy: a reviewed plan deployed, nothing left to change"
        )

    def test_a_rotation_its_finish_and_an_abort_are_played_from_saved_plans(
        checkout: Checkout, record_property: Callable[[str, object], None]
    ) -> None:
        command = str(ROOT / ".venv" / "bin" / "atlas-access")

        def planned() -> str:
            for target in ("preview", "deploy"):
                code, shown = checkout.make(target)
                assert 0 == code, shown
            return shown

        def rotated(*asked: str) -> str:
            done = checkout.run(command, "rotate", "staging", *asked)
            assert 0 == done.returncode, done.stdout + done.stderr
            return planned()

        planned()
        for key, value in (("phase", "bind"), ("soakMinutes", "30")):
            checkout.run("pulumi", "config", "set", f"atlas-access:{key}", value, "--stack", "staging")
        planned()
        rotated("app_write")
        assert "app_write stays for now" in rotated("app_write", "--finish")
        advance(checkout.sandbox, 31 * 60)
        shown = planned()
        assert "deleted" in shown, shown
        rotated("app_read")
        rotated("app_read", "--abort")
        advance(checkout.sandbox, 31 * 60)
        shown = planned()
        assert "deleted" in shown, shown
        left = checkout.run(
            "pulumi", "preview", "--stack", "staging", "--expect-no-changes", "--non-interactive"
        )
        assert 0 == left.returncode, left.stdout + left.stderr
        record_property("says", "rotate, finish, abort: each a reviewed plan, nothing left to change")

else:

    def test_make_preview_and_deploy_not_run_no_pulumi_cli_on_path() -> None:
        assert shutil.which("pulumi") is None
