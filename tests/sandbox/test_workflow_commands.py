"""What the workflows run, run in the sandbox: secrets are validated, proven and compared by the Makefile."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from access.connection import ConnectionString
from sandbox import lifecycle
from sandbox.deploy import Engine, Order, deploy
from sandbox.world import Options, World

ROOT = Path(__file__).parents[2]
SECRETS = [
    "staging/mongodb/app-read-v2",
    "staging/mongodb/reference-uri-v2",
    "staging/mongodb/app-write-v2",
    "staging/mongodb/audit-write",
    "staging/mongodb/admin-schema",
]


@dataclass
class Provisioned:
    """A sandbox whose staging stack is provisioned."""

    world: World

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "MONGOD") if name in os.environ}
        return {**kept, **self.world.environment("staging"), "STACK": "staging", "COLUMNS": "200"}

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "-s", "-o", ".venv/installed", target],
            cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def validate(self, *options: str) -> tuple[int, dict[str, list[str]], str]:
        """Exit code, what was found by secret, and everything that was shown."""
        command = [
            ".venv/bin/atlas-access",
            "guard",
            "validate-secrets",
            "--stack",
            "staging",
            "--format",
            "json",
        ]
        told = subprocess.run(
            [*command, *options],
            cwd=ROOT, env=self.environment(), capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        found: dict[str, list[str]] = {}
        for each in json.loads(told.stdout)["guards"][0]["findings"]:
            found.setdefault(each["path"], []).append(each["what"])
        return told.returncode, found, told.stdout + told.stderr

    def client(self) -> Any:
        environment = self.world.environment("staging")
        return boto3.client(
            "secretsmanager",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name=environment["AWS_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environment["AWS_SESSION_TOKEN"],
        )


@pytest.fixture(scope="module")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provisioned]:
    directory = tmp_path_factory.mktemp("world")
    world = lifecycle.up(directory, Options(propagation_seconds=0.2))
    try:
        order = Order("staging", phase="provision", engine=Engine.EMBEDDED, program_dir=ROOT)
        done = deploy(world, order, lambda _: None)
        assert "" == done.failure
        yield Provisioned(world)
    finally:
        lifecycle.down(directory)


def value_of(provisioned: Provisioned, secret: str) -> str:
    return str(provisioned.client().get_secret_value(SecretId=secret)["SecretString"])


def test_every_stored_secret_is_valid_and_none_is_shown(provisioned: Provisioned) -> None:
    code, found, shown = provisioned.validate()
    assert (0, {}) == (code, found), shown
    for secret in SECRETS:
        password = ConnectionString.parse(value_of(provisioned, secret)).password
        assert password is not None
        assert password.reveal() not in shown


@pytest.mark.parametrize("target", ["secrets-check", "prove", "guards", "docs-check"])
def test_a_workflows_command_ends_green_in_a_provisioned_sandbox(
    target: str, provisioned: Provisioned
) -> None:
    told = provisioned.make(target)
    assert 0 == told.returncode, told.stdout + told.stderr


def test_the_drift_command_tells_what_differs_from_the_manifest(provisioned: Provisioned) -> None:
    told = provisioned.make("drift")
    assert "Traceback" not in told.stdout + told.stderr
    assert "staging" in told.stdout


@pytest.mark.parametrize(
    ("secret", "broken", "expected"),
    [
        ("staging/mongodb/app-write-v2", lambda value: value.replace("app_write", "app_read"),
         {"holds the credential of app_read, not of app_write", "is refused by the server"}),
        ("staging/mongodb/app-write-v2", lambda value: value.replace("/askflorence?", "/admin?"),
         {"does not name the database askflorence"}),
        ("staging/mongodb/app-read-v2", lambda value: value.replace("w=majority", "w=1"),
         {"lacks the option w=majority"}),
        ("staging/mongodb/app-read-v2", lambda value: value.replace("@127.0.0.1:", "@127.0.0.9:"),
         {"does not lead to the public address of cluster askflorence-staging"}),
        ("staging/mongodb/audit-write", lambda value: "not a connection string",
         {"is no connection string: holds a space, a line break or a character that must be percent-encoded"}),
    ],
)  # fmt: skip
def test_each_kind_of_wrong_value_is_found_and_not_shown(
    secret: str, broken: Any, expected: set[str], provisioned: Provisioned
) -> None:
    right = value_of(provisioned, secret)
    provisioned.client().put_secret_value(SecretId=secret, SecretString=broken(right))
    try:
        code, found, shown = provisioned.validate()
    finally:
        provisioned.client().put_secret_value(SecretId=secret, SecretString=right)
    password = ConnectionString.parse(right).password
    assert password is not None
    assert (1, {secret: sorted(expected)}) == (code, {name: sorted(what) for name, what in found.items()})
    assert password.reveal() not in shown
