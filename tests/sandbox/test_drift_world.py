"""The command in a whole sandbox: clean after a deploy, drift by hand is reported, a refresh and a deploy heal it."""

import json
import re
from typing import Any

import pytest
from atlas_fixture import Api
from drift_fixture import add_user, change_role, change_user, done, find, held
from http_fixture import serving
from requests.adapters import HTTPAdapter
from requests.auth import HTTPDigestAuth
from test_drift_github import TOKEN, Repository
from urllib3.util import Retry
from world_fixture import deployed, enter

from atlas_access.cli.main import run
from sandbox.aws.clients import client_of
from sandbox.world import World

HEALED = {"extra action", "missing scope", "escalation by a built-in role", "user missing"}
NAMED = {"user unmanaged", "secret with a resource policy"}


@pytest.fixture
def here(provisioned_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    return enter(provisioned_world, "staging", monkeypatch)


def api(world: World) -> Api:
    key = world.of("staging").atlas
    made = Api(
        world.atlas_url.rstrip("/"), world.of("staging").project_id, HTTPDigestAuth(key.public, key.private)
    )
    again = Retry(total=4, status_forcelist=[429], allowed_methods=None, backoff_factor=0.1)
    made.session.mount("http://", HTTPAdapter(max_retries=again))
    return made


def secrets_manager(world: World) -> Any:
    return client_of(world, "staging", "secretsmanager")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = run(["drift", "staging", "--format", "json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_drift_is_reported_healed_by_refresh_and_deploy_or_named(
    here: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One story, because each step needs the one before; the issue follows it."""
    code, printed = answer(capsys)
    assert (0, "CLEAN", [], []) == (code, printed["label"], printed["unread"], printed["not_reached"])
    assert 17 == printed["checked"]["collections"]

    atlas, secret = api(here), "staging/mongodb/app-read-v2"
    audit = [find("agent_audit_log"), find("agent_audit_log", "INSERT"), find("agent_audit_log", "UPDATE")]
    change_role(atlas, "role_audit_writer", audit)
    change_user(atlas, "app_read", roles=held("read@askflorence", "readWrite@askflorence"))
    change_user(atlas, "app_admin_schema", scopes=[])
    done(atlas.send("DELETE", "/databaseUsers/admin/app_write"))
    add_user(atlas, "intruder", "atlasAdmin@admin")
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }
    secrets_manager(here).put_resource_policy(SecretId=secret, ResourcePolicy=json.dumps(policy))

    repository = Repository()
    with serving(repository.answer) as github:
        monkeypatch.setenv("GITHUB_API_URL", github)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        code, printed = answer(capsys, "--github", "owner/name", "--dry-run")
        assert (1, []) == (code, repository.issues)
        code, printed = answer(capsys, "--github", "owner/name")
        kinds = {each["kind"] for each in printed["findings"]}
        assert kinds >= HEALED | NAMED
        assert 1 == code
        assert ["open"] == repository.states

        heal(here)
        code, printed = answer(capsys, "--github", "owner/name")
        assert NAMED == {each["kind"] for each in printed["findings"]}
        assert not any(each["heals"] for each in printed["findings"])
        assert ["closed", "open"] == repository.states

        done(atlas.send("DELETE", "/databaseUsers/admin/intruder"))
        secrets_manager(here).delete_resource_policy(SecretId=secret)
        code, printed = answer(capsys, "--github", "owner/name")
        assert (0, ["closed", "closed"]) == (code, repository.states)
    assert all(value not in repr(repository.issues) for value in here.secrets())


def heal(world: World) -> None:
    """What `sandbox deploy staging --refresh` does: a managed user is made again, what was changed is put back."""
    healed = deployed(world, "staging", "provision", refresh=True)
    steps = {(step.operation, step.name) for step in healed.steps if step.changing}
    assert ("", True) == (
        healed.failure,
        steps >= {("create", "app_write"), ("update", "app_read"), ("update", "role_audit_writer")},
    )
    proofs = {step.name for step in healed.steps if step.changing and step.kind == "PrivilegeProof"}
    assert {"app-write-v2"} == proofs
    assert "proofs 5/5 proven, 4 of 4 declared users (" in healed.proof_line
    assert re.search(r", 4 on record since 20\d\d-\d\d-\d\d \d\d:\d\d UTC, not asked now$", healed.proof_line)


def test_a_clean_stack_whose_issue_cannot_be_written_is_not_zero(
    here: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Repository().answer) as github:
        monkeypatch.setenv("GITHUB_API_URL", github)
        monkeypatch.setenv("GITHUB_TOKEN", "wrong-token")
        assert 3 == run(["drift", "staging", "--github", "owner/name"])
    assert "renew GITHUB_TOKEN" in capsys.readouterr().err


def test_atlas_that_does_not_answer_is_unknown(
    here: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGODB_ATLAS_BASE_URL", "http://127.0.0.1:1/")
    assert 3 == run(["drift", "staging"])
    printed = capsys.readouterr().out
    parts = "database users, custom roles, cluster askflorence-staging"
    assert printed.startswith(f"UNKNOWN  staging: {parts} could not be read")
    assert "database users: could not be read: the connection failed" in printed
