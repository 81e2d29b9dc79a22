"""What a first update needs: rights as IAM decides, the key's scope and end, the CLI and its secrets provider."""

import importlib
import json
import os
import re
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from atlas_access.base import Finding, Status
from atlas_access.cli.main import run
from atlas_access.clients import DEPLOYER, AwsUnavailable, ObservedCredentials
from atlas_access.clients.atlas_answers import ServiceAccountAnswer, SystemStatusAnswer
from atlas_access.setup.judge import judge_clock, judge_credentials, judge_version, unset
from atlas_access.setup.local import backend, browser, pulumi_cli, python_version, secrets_provider
from atlas_access.setup.rights import Right, judge_rights, rights
from sandbox.world import overlay

ROOT = Path(__file__).parents[2]
GOOD, BAD, UNKNOWN = Status.GOOD, Status.BAD, Status.UNKNOWN
PROJECT, ADMIN = "69e31af12fd2c0aef51bbb41", "GROUP_DATABASE_ACCESS_ADMIN"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def documented() -> dict[str, set[str]]:
    """The rights of the deployer by purpose, as docs/permissions.md lists them."""
    table = (
        (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8").partition("## The nightly checks")[0]
    )
    found = {}
    for purpose, actions, _ in re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", table, re.MULTILINE):
        service, names = "", set()
        for name in re.findall(r"`([A-Za-z:]+)`", actions):
            prefix, colon, rest = name.partition(":")
            service = prefix if colon else service
            names.add(f"{service}:{rest if colon else name}")
        found |= {purpose: names} if names else {}
    return found


def test_every_right_of_the_documentation_is_simulated_and_no_other() -> None:
    listed: dict[str, set[str]] = {}
    for each in rights():
        listed.setdefault(each.purpose, set()).add(each.action)
    assert documented() == listed


READ, DECRYPT = (
    Right("secrets", "secretsmanager:GetSecretValue", "secrets"),
    Right("key", "kms:Decrypt", "key"),
)


@pytest.mark.parametrize(
    ("decisions", "worst"),
    [
        (("allowed", "allowed", "allowed"), GOOD),
        (("allowed", "implicitDeny", "allowed"), BAD),
        (("explicitDeny", "allowed", "allowed"), BAD),
        (("allowed", "missing aws:SourceVpc", "allowed"), UNKNOWN),
        (("allowed", None, "allowed"), UNKNOWN),
        (("allowed", "allowed", "implicitDeny"), UNKNOWN),
        (("allowed", "allowed", "explicitDeny"), BAD),
    ],
)
def test_a_right_is_good_only_where_iam_allows_it_on_every_resource(
    decisions: tuple[str | None, ...], worst: Status
) -> None:
    asked = [(READ.action, "a"), (READ.action, "b"), (DECRYPT.action, "k")]
    answers = {name: each for name, each in zip(asked, decisions, strict=True) if each}
    found = judge_rights((READ, DECRYPT), {"secrets": ["a", "b"], "key": ["k"]}, answers, "")
    assert worst is found[0].status
    assert (worst is GOOD) == (len(found) == 1)


def test_a_right_that_could_not_be_simulated_is_unknown_and_one_that_is_not_used_does_not_count() -> None:
    on = {"secrets": "on what is unknown (AWS answered AccessDenied)", "key": []}
    first, second = judge_rights((READ, DECRYPT), on, {}, "")
    assert (UNKNOWN, "0 of 1 allowed, as IAM simulates the caller's own policies") == (
        first.status,
        first.message,
    )
    assert (UNKNOWN, "rights for secrets") == (second.status, second.subject)
    [refused] = judge_rights(
        (READ, DECRYPT), {"secrets": ["a"], "key": ["k"]}, {}, "iam:SimulatePrincipalPolicy: no"
    )
    assert (UNKNOWN, "none of 2 simulated: iam:SimulatePrincipalPolicy: no") == (
        refused.status,
        refused.message,
    )


@pytest.mark.parametrize(
    ("roles", "ends", "expected"),
    [
        ({(ADMIN, PROJECT)}, None, [GOOD, GOOD]),
        ({("GROUP_OWNER", PROJECT), ("ORG_MEMBER", "")}, None, [GOOD, GOOD]),
        ({("GROUP_READ_ONLY", PROJECT)}, None, [BAD, GOOD]),
        (set(), None, [BAD, GOOD]),
        ({(ADMIN, PROJECT), (ADMIN, "0" * 24)}, None, [BAD, GOOD]),
        ({(ADMIN, PROJECT), ("ORG_OWNER", "")}, None, [BAD, GOOD]),
        ({(ADMIN, PROJECT)}, datetime(2026, 6, 10, tzinfo=UTC), [GOOD, BAD]),
        ({(ADMIN, PROJECT)}, datetime(2026, 9, 1, tzinfo=UTC), [GOOD, GOOD]),
        ({(ADMIN, PROJECT)}, datetime(2026, 5, 1, tzinfo=UTC), [GOOD, BAD]),
    ],
)
def test_a_key_has_the_role_in_its_own_project_alone_and_does_not_end_soon(
    roles: set[tuple[str, str]], ends: datetime | None, expected: list[Status]
) -> None:
    found = judge_credentials(ObservedCredentials(frozenset(roles), ends), PROJECT, NOW.timestamp())
    assert expected == [each.status for each in found]


def test_versions_clock_and_placeholders_are_judged() -> None:
    assert [GOOD, UNKNOWN, UNKNOWN] == [judge_version(each).status for each in ("7.0.12", "11.0.0", "")]
    assert [GOOD, GOOD, BAD, BAD] == [judge_clock(each).status for each in (0.4, -60, 61, -400)]
    assert [GOOD, BAD] == [python_version(each).status for each in ((3, 11, 0), (3, 10, 9))]
    names = ("awsAccountId",)
    assert [GOOD, GOOD, BAD] == [
        unset("dev", (), sandbox=False).status,
        unset("dev", names, sandbox=True).status,
        unset("dev", names, sandbox=False).status,
    ]


def cli(folder: Path, version: str, who: str) -> dict[str, str]:
    """An environment whose `pulumi` answers so; an empty `who` is a refusal."""
    script = f"""#!/bin/sh
if test "$1" = version; then echo '{version}'; exit 0; fi
if test -n '{who}'; then echo '{who}'; exit 0; fi
echo 'error: no credentials' >&2; exit 255
"""
    (folder / "pulumi").write_text(script, encoding="utf-8")
    (folder / "pulumi").chmod(0o700)
    return {"PATH": str(folder)}


@pytest.mark.parametrize(
    ("version", "expected"), [("v3.200.0", GOOD), ("v3.199.9", BAD), ("v4.0.0", GOOD), ("nonsense", UNKNOWN)]
)
def test_the_cli_is_recent_enough(tmp_path: Path, version: str, expected: Status) -> None:
    found = pulumi_cli(cli(tmp_path, version, ""), sandbox=False)
    assert (expected, bool(found.path)) == (found.finding.status, expected is not UNKNOWN)


def test_without_a_cli_only_a_sandbox_deploys(tmp_path: Path) -> None:
    nowhere = {"PATH": str(tmp_path)}
    assert [GOOD, BAD] == [pulumi_cli(nowhere, sandbox=each).finding.status for each in (True, False)]
    assert [GOOD, UNKNOWN] == [backend("", nowhere, tmp_path, sandbox=each).status for each in (True, False)]
    assert [GOOD, BAD] == [browser(nowhere, sandbox=each).status for each in (True, False)]


def test_a_backend_is_known_only_where_the_cli_is_signed_in(tmp_path: Path) -> None:
    environment = cli(tmp_path, "v3.200.0", '{"user": "x", "url": "s3://states"}')
    path = str(tmp_path / "pulumi")
    found = backend(path, environment, tmp_path, sandbox=False)
    assert (GOOD, "s3://states") == (found.status, found.message)
    refused = backend(path, cli(tmp_path, "v3.200.0", ""), tmp_path, sandbox=False)
    assert (UNKNOWN, "error: no credentials") == (refused.status, refused.message)


_STATE = Finding(GOOD, "backend", "s3://states")
_CLOUD = Finding(GOOD, "backend", "https://app.pulumi.com/team")
_UNKNOWN = Finding(UNKNOWN, "backend", "no answer")


@pytest.mark.parametrize(
    ("head", "environment", "state", "expected"),
    [
        ("secretsprovider: awskms://alias/state\n", {}, _STATE, GOOD),
        ("", {}, _CLOUD, GOOD),
        ("", {}, _STATE, BAD),
        ("", {"PULUMI_CONFIG_PASSPHRASE": ""}, _STATE, GOOD),
        ("encryptionsalt: v1:abc\n", {}, _CLOUD, BAD),
        ("", {"PULUMI_CONFIG_PASSPHRASE": "x"}, _UNKNOWN, UNKNOWN),
        (None, {}, _STATE, UNKNOWN),
    ],
)
def test_the_secrets_provider_is_named_or_can_be_used(
    tmp_path: Path, head: str | None, environment: Mapping[str, str], state: Finding, expected: Status
) -> None:
    if head is not None:
        (tmp_path / "Pulumi.dev.yaml").write_text(f"{head}config: {{}}\n", encoding="utf-8")
    assert expected is secrets_provider("dev", tmp_path, environment, state).status


REMOTE = {
    "AWS credentials", "rights", "Atlas credentials", "server version", "propagation",
    "network, public address of prod", "network, private address of staging", "deployment strategy", "clock",
}  # fmt: skip


def test_with_nothing_reachable_no_line_about_the_cloud_is_ok(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    for name, value in overlay(closed, closed, closed, "prod", "us-east-1", "").items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", *DEPLOYER[1]):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr(importlib.import_module("atlas_access.setup.observe"), "_ATLAS_SECONDS", 0.5)
    monkeypatch.chdir(ROOT)
    code = run(["doctor", "prod", "--format", "json"])
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["checks"]}
    assert REMOTE == {name for name in found if name in REMOTE}
    assert {"unknown"} == {found[name]["state"] for name in REMOTE}
    assert code == 1  # no baseline is there


def test_without_credentials_the_lines_name_the_variables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [each for each in os.environ if each.startswith(("AWS_", "ATLAS_", "MONGODB_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(importlib.import_module("atlas_access.setup.observe"), "server_time", _unread)
    monkeypatch.chdir(ROOT)
    assert run(["doctor", "staging", "--format", "json"]) == 1
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["checks"]}
    assert {"wrong"} == {
        found[each]["state"] for each in ("AWS credentials", "Atlas credentials", "placeholders")
    }
    assert "MONGODB_ATLAS_PUBLIC_API_KEY" in found["Atlas credentials"]["message"]
    assert {"unknown"} == {found[each]["state"] for each in ("rights", "server version", "clock")}


def _unread(*_: object) -> float:
    raise AwsUnavailable("asking AWS for the time", "nothing")


def test_a_stack_that_is_no_environment_is_wrong_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "nowhere", "--manifest", str(ROOT / "access.yaml")]) == 2
    assert "no environment of the manifest" in capsys.readouterr().err


def test_atlas_shows_a_key_its_roles_and_a_service_account_when_its_secrets_end() -> None:
    role = {"roleName": ADMIN, "groupId": PROJECT, "unknown": 1}
    status = {"apiKey": {"publicKey": "k", "roles": [role, {"roleName": "ORG_MEMBER", "orgId": "o"}]}}
    key = SystemStatusAnswer.model_validate(status).observed()
    assert ObservedCredentials(frozenset({(ADMIN, PROJECT), ("ORG_MEMBER", "")})) == key
    secrets = [{"expiresAt": f"2026-0{month}-01T00:00:00Z", "maskedSecretValue": "x"} for month in (5, 9)]
    account = ServiceAccountAnswer.model_validate({"roles": [ADMIN], "secrets": secrets}).observed(PROJECT)
    assert ObservedCredentials(frozenset({(ADMIN, PROJECT)}), datetime(2026, 9, 1, tzinfo=UTC)) == account
