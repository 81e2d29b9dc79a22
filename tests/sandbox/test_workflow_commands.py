"""What the workflows and people run, run in a provisioned sandbox: secrets validated and proven by the Makefile; the
migration's standing, its legacy inventory, the way back, and a developer's env file by the command."""

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from world_fixture import ROOT, run_here

from atlas_access.base import encoded_forms
from atlas_access.base.connection import ConnectionString
from sandbox.aws.clients import client_of
from sandbox.world import World

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

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "MONGOD") if name in os.environ}
        return subprocess.run(
            ["make", "-s", "-o", ".venv/installed", target],
            cwd=ROOT, env={**kept, **self.world.environment("staging"), "STACK": "staging"},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def validate(self) -> tuple[int, dict[str, list[str]], str]:
        """Exit code, what was found by secret, and everything that was shown."""
        asked = ("guard", "validate-secrets", "--stack", "staging", "--format", "json")
        code, printed, errors = run_here(self.world, "staging", *asked)
        found: dict[str, list[str]] = {}
        for each in json.loads(printed)["guards"][0]["findings"]:
            found.setdefault(each["path"], []).append(each["what"])
        return code, found, printed + errors

    def run(self, *arguments: str, **more: str) -> tuple[int, str]:
        """Exit code and everything that the command showed."""
        code, printed, errors = run_here(self.world, "staging", *arguments, **more)
        return code, printed + errors

    def client(self) -> Any:
        return client_of(self.world, "staging", "secretsmanager")


@pytest.fixture
def provisioned(provisioned_world: World) -> Provisioned:
    return Provisioned(provisioned_world)


def value_of(provisioned: Provisioned, secret: str) -> str:
    return str(provisioned.client().get_secret_value(SecretId=secret)["SecretString"])


def test_every_stored_secret_is_valid_and_none_is_shown(provisioned: Provisioned) -> None:
    code, found, shown = provisioned.validate()
    assert (0, {}) == (code, found), shown
    for secret in SECRETS:
        password = ConnectionString.parse(value_of(provisioned, secret)).password
        assert password is not None
        assert password.reveal() not in shown


@pytest.mark.parametrize("target", ["secrets-check", "prove"])
def test_a_workflows_command_is_green_in_a_provisioned_sandbox(target: str, provisioned: Provisioned) -> None:
    done = provisioned.make(target)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_drift_command_names_what_differs_from_the_manifest(provisioned: Provisioned) -> None:
    done = provisioned.make("drift")
    assert "Traceback" not in done.stdout + done.stderr
    assert "staging" in done.stdout


def test_credentials_of_another_account_leave_a_stack_unproven_and_say_so(provisioned: Provisioned) -> None:
    code, shown = provisioned.run("prove", "prod")
    accounts = "these credentials act in AWS account 111111111111, but prod is 222222222222"
    assert (3, True, False) == (code, accounts in shown, "deploy prod first" in shown), shown


def test_who_can_says_unknown_where_no_server_could_be_asked(provisioned: Provisioned) -> None:
    code, shown = provisioned.run("who-can", "UPDATE", "askflorence.agent_audit_log", "--live", "prod")
    assert (3, True) == (code, shown.startswith("UNKNOWN  who can UPDATE on askflorence.agent_audit_log")), (
        shown
    )


@pytest.mark.parametrize(
    ("secret", "broken", "expected"),
    [
        ("staging/mongodb/app-write-v2", lambda value: value.replace("app_write", "app_read"),
         {"holds the credential of app_read, not of app_write", "is refused by the server"}),
        ("staging/mongodb/app-write-v2", lambda value: value.replace("/askflorence?", "/admin?"),
         {"does not name the database askflorence"}),
        ("staging/mongodb/app-read-v2", lambda value: value.replace("w=majority", "w=1"),
         {"has the option w, which weakens the connection"}),
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


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """An env file in a repository that ignores it, as ENG-279 found it: bound to the wrong user, with old variables."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(".env.*\n")
    path = tmp_path / ".env.local"
    host = "app_read_staging:hunter22@askflorence-staging.abc.mongodb.net/askflorence"
    path.write_text(f"NEXT_PUBLIC=1\nMONGODB_URI=mongodb+srv://{host}\nMONGODB_URI_PLANS_WRITE=old\n")
    return path


def test_an_env_file_is_found_wrong_set_right_and_put_back(provisioned: Provisioned, env_file: Path) -> None:
    was = env_file.read_text()
    code, shown = provisioned.run("env", "--check", str(env_file))
    assert (1, True) == (code, "holds the credential of app_read_staging, not of app_read" in shown)
    code, more = provisioned.run("env", "staging", "--write", str(env_file))
    assert (0, 0o600) == (code, env_file.stat().st_mode & 0o777), more
    lines = dict(line.split("=", 1) for line in env_file.read_text().splitlines())
    expected = {
        "NEXT_PUBLIC": "1",
        "MONGODB_URI": value_of(provisioned, "staging/mongodb/app-read-v2"),
        "MONGODB_REFERENCE_URI": value_of(provisioned, "staging/mongodb/app-read-v2"),
        "MONGODB_WRITE_URI": value_of(provisioned, "staging/mongodb/app-write-v2"),
        "MONGODB_AUDIT_WRITE_URI": value_of(provisioned, "staging/mongodb/audit-write"),
    }
    assert expected == lines
    assert (0, 0) == (
        provisioned.run("env", "--check", str(env_file))[0],
        provisioned.run("env", "staging", "--check", str(env_file))[0],
    )
    code, last = provisioned.run("env", "--restore", str(env_file))
    assert (0, was) == (code, env_file.read_text())
    for value in expected.values():
        assert (
            value == "1" or (ConnectionString.parse(value).password or "").reveal() not in shown + more + last
        )  # type: ignore[union-attr]
    assert "hunter22" not in shown + more + last


def test_a_wrong_users_secret_is_not_handed_to_a_developer(provisioned: Provisioned, env_file: Path) -> None:
    right, was = value_of(provisioned, "staging/mongodb/app-write-v2"), env_file.read_text()
    wrong = right.replace("app_write", "app_read")
    provisioned.client().put_secret_value(SecretId="staging/mongodb/app-write-v2", SecretString=wrong)
    try:
        code, shown = provisioned.run("env", "staging", "--write", str(env_file))
    finally:
        provisioned.client().put_secret_value(SecretId="staging/mongodb/app-write-v2", SecretString=right)
    assert (1, was) == (code, env_file.read_text())
    assert "app-write-v2 holds the credential of app_read, not of app_write" in shown


def test_prods_credentials_go_to_no_machine(provisioned: Provisioned, env_file: Path) -> None:
    was = env_file.read_text()
    code, shown = provisioned.run("env", "prod", "--write", str(env_file))
    assert (2, was, True) == (code, env_file.read_text(), "never go to a developer's machine" in shown)


def test_the_legacy_estate_is_listed_with_what_binds_it_in_both_accounts(provisioned: Provisioned) -> None:
    code, shown = provisioned.run("legacy", "staging", "--format", "json")
    found = json.loads(shown)
    users = {row["name"]: row for row in found["users"]}
    assert (0, 9, [], []) == (code, len(found["left"]), found["surprises"], found["unread"])
    bound = {
        (use["environment"], use["revision"]) for use in users["app_read_staging"]["uses"] if use["running"]
    }
    assert {("staging", "askflorence-staging-app:7"), ("prod", "askflorence-prod-app:12")} == bound
    assert "stays" == users["app_read"]["belongs"]
    assert isinstance(users["app_read"]["login"], str)  # it was proven


def test_the_standing_of_a_provisioned_stack_names_what_is_next(provisioned: Provisioned) -> None:
    code, shown = provisioned.run(
        "status", "staging", "--format", "json", "--env-file", "/nowhere/.env.local"
    )
    found = {each["phase"]: each for each in json.loads(shown)["phases"]}
    states = {phase: each["state"] for phase, each in found.items()}
    done = dict.fromkeys(("B", "C", "D.0", "H"), "done")
    waits = dict.fromkeys(("D.1", "D.2", "D.3", "G"), "blocked")
    assert done | waits | {"A": "next", "E": "unknown", "F": "unknown"} == states
    assert (3, "A", "5 of 5 credentials, 4 of 4 declared users proven just now") == (
        code,
        json.loads(shown)["next"],
        found["D.0"]["evidence"],
    )


def test_what_nobody_uses_may_be_taken_back(provisioned: Provisioned) -> None:
    code, shown = provisioned.run("undo", "staging", "B")
    assert (0, True) == (code, "--destroy --config unprotect=true" in shown), shown


def test_the_evidence_carries_its_facts_and_digests_and_no_password(
    provisioned: Provisioned, tmp_path: Path
) -> None:
    out = tmp_path / "evidence"
    code, shown = provisioned.run("evidence", "staging", "--out", str(out))
    assert (3, True) == (code, shown.startswith(f"UNKNOWN  staging: 14 files in {out}")), shown
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=out, check=False)
    assert 0 == checked.returncode
    context = json.loads((out / "proof.json").read_text())["context"]
    assert all(
        json.loads((out / f"{name}.json").read_text())["context"] == context for name in ("drift", "matrix")
    )
    law = (ROOT / "policy" / "policy-config.json").read_bytes()
    assert (hashlib.sha256(law).hexdigest(), ["tier"]) == (context["law_digest"], context["not_asked"])
    assert context["by"].startswith("arn:aws:")
    assert set(SECRETS) == set(context["secret_versions"])
    assert (True, 4) == (bool(context["server_versions"]), len(context["expectations_digests"]))
    acceptance = (out / "acceptance.md").read_text().replace("\\", "")
    assert "- [x] Every credential is proven, what it may not do included: PROVEN" in acceptance
    assert "- [ ] unknown: Every phase of the migration is done" in acceptance
    handover = (out / "handover.md").read_text().replace("\\", "")
    words = ("69e31af12fd2c0aef51bbb41", "askflorence-staging", "127.0.0.1", "app_read: read@askflorence")
    assert [] == [word for word in (*SECRETS, *words) if word not in handover]
    kept = "".join(path.read_text() for path in out.iterdir())
    assert [] == [each for each in provisioned.world.secrets() if len(each) > 7 and each in kept]
    for secret in SECRETS:
        password = ConnectionString.parse(value_of(provisioned, secret)).password
        assert password is not None
        assert [] == [form for form in encoded_forms(password.reveal()) if form in kept + shown]


@pytest.mark.parametrize("command", ["prove", "drift"])
def test_a_report_in_json_says_when_by_whom_and_of_what(command: str, provisioned: Provisioned) -> None:
    context = json.loads(run_here(provisioned.world, "staging", command, "staging", "--format", "json")[1])[
        "context"
    ]
    law = hashlib.sha256((ROOT / "policy" / "policy-config.json").read_bytes()).hexdigest()
    assert (law, "staging", []) == (context["law_digest"], context["stack"], context["not_asked"])
    assert context["by"].startswith("arn:aws:")
    assert all(context[name] for name in ("at", "clock", "commit", "program", "manifest_digest"))


def test_evidence_is_never_mixed_with_what_was_there(provisioned: Provisioned, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("x")
    assert 2 == provisioned.run("evidence", "staging", "--out", str(tmp_path))[0]


def test_a_review_adds_what_differs_from_what_is_deployed(provisioned: Provisioned) -> None:
    _, shown = provisioned.run("review", "--base", "HEAD", "--stack", "staging")
    assert "Deployed now: CLEAN  staging: " in shown
    code, shown = provisioned.run(
        "review", "--base", "HEAD", "--stack", "staging", MONGODB_ATLAS_BASE_URL="http://127.0.0.1:9/"
    )
    assert (True, True) == (
        code in (1, 3),  # 1 while the files here widen access
        "what is deployed now is unknown in part" in shown.splitlines()[0],
    )
