"""`prove` and `who-can --live` as a person runs them, in a whole sandbox: what they say, leave behind, and return."""

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import boto3
import pytest
from pymongo import MongoClient
from world_fixture import ROOT, deployed, enter, register_proof_family, sandbox

from atlas_access.base.endpoints import Endpoints
from atlas_access.cli.main import run
from atlas_access.clients.atlas_sign_in import SignIn
from atlas_access.clients.cluster_state import await_applied, cluster_addresses
from atlas_access.clients.errors import AwsUnavailable
from atlas_access.manifest.load import load_manifest
from atlas_access.proof import stack_secrets
from atlas_access.proof.evidence import Proof, Subject
from atlas_access.proof.expectations import expectations
from atlas_access.proof.proof_task import ProofTask
from atlas_access.proof.request import ProofRequest
from atlas_access.proof.runners import Made, make
from atlas_access.proof.verdict import Verdict
from sandbox.world import World

LOG = "askflorence.agent_audit_log"
FAMILY = "atlas-access-proof"
Said = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with sandbox(tmp_path_factory.mktemp("prove"), propagation_seconds=0.3, service=True) as world:
        assert "" == deployed(world, "staging", "provision").failure
        yield world


@pytest.fixture
def here(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    return enter(world, "staging", monkeypatch)


@pytest.fixture
def said(here: World, capsys: pytest.CaptureFixture[str]) -> Said:
    """Run a command line; its exit code and all that it printed, in which no secret stands."""

    def command(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(list(arguments))
        printed = "".join(capsys.readouterr())
        assert [] == [secret for secret in here.secrets() if secret in printed]
        return code, printed

    return command


@pytest.fixture
def root(world: World) -> "Iterator[MongoClient[dict[str, object]]]":
    with MongoClient(world.of("staging").mongod.root_uri, directConnection=True) as client:
        yield client


def test_a_provisioned_stack_is_proven(said: Said) -> None:
    code, printed = said("prove", "staging")
    assert (0, True) == (code, "staging: 5/5 proven, 4 of 4 declared users (" in printed)
    assert "0 inconclusive, residue 0" in printed


def test_one_user_is_proven_by_itself_with_a_line_for_each_attempt(said: Said) -> None:
    code, printed = said("prove", "staging", "--user", "app_audit_writer", "--attempts")
    refused = [line for line in printed.splitlines() if f"● update on {LOG}: expected denied, denied" in line]
    assert (0, 1) == (code, len(refused))
    assert "13 Unauthorized" in refused[0]
    assert refused[0].endswith(" ms")


def test_every_format_carries_the_same_verdicts(said: Said) -> None:
    _, text = said("prove", "staging", "--user", "app_read", "--format", "json")
    data = json.loads(text)
    _, markdown = said("prove", "staging", "--user", "app_read", "--format", "md")
    _, junit = said("prove", "staging", "--user", "app_read", "--format", "junit")
    suites = ElementTree.fromstring(junit.partition("\n")[2])  # noqa: S314 - our own output
    assert ["proven", "proven"] == [each["verdict"] for each in data["proofs"]]
    assert 2 == markdown.count("| PROVEN | app\\_read |")
    assert [("334", "0", "0")] * 2 == [(s.get("tests"), s.get("failures"), s.get("errors")) for s in suites]


def test_the_json_is_evidence_for_the_matrix(said: Said, tmp_path: Path) -> None:
    _, text = said("prove", "staging", "--format", "json")
    (tmp_path / "evidence.json").write_text(text)
    code, printed = said("matrix", "--evidence", str(tmp_path / "evidence.json"))
    assert 0 == code
    assert "●" in printed


def test_a_role_widened_by_hand_refutes_the_stack(said: Said, root: "MongoClient[dict[str, object]]") -> None:
    before = root.admin.command("rolesInfo", "role_audit_writer", showPrivileges=True)["roles"][0][
        "privileges"
    ]
    extra = {"resource": {"db": "askflorence", "collection": "agent_audit_log"}, "actions": ["update"]}
    root.admin.command("updateRole", "role_audit_writer", privileges=[*before, extra])
    try:
        code, printed = said("prove", "staging", "--user", "app_audit_writer")
    finally:
        root.admin.command("updateRole", "role_audit_writer", privileges=before)
    assert (1, True) == (code, f"UPDATE on {LOG}" in printed)
    assert "Remedy: " in printed


def test_what_is_not_there_is_inconclusive(said: Said, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in world.environment("prod").items():
        monkeypatch.setenv(name, value)
    code, printed = said("prove", "prod", "--user", "app_write")
    expected = (
        "there is no secret prod/mongodb/app-write-v2 yet: deploy prod first (ResourceNotFoundException)"
    )
    assert (3, True) == (code, expected in printed)


def test_tasks_that_could_not_be_looked_at_are_named(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AwsUnavailable("describing the service", "AccessDeniedException")

    monkeypatch.setattr(stack_secrets, "running_revision", refused)
    code, printed = said("prove", "staging", "--set", "runbook")
    reason = "describing the service: AWS answered AccessDeniedException"
    assert (3, True) == (code, f"unknown: what running tasks hold (ECS: {reason})" in printed)


@pytest.mark.parametrize(
    ("arguments", "users", "listed"),
    [([], 4, 1), (["--legacy"], 6, 0)],
    ids=["today's users", "the users made by hand"],
)
def test_the_runbooks_twelve_pass(said: Said, arguments: list[str], users: int, listed: int) -> None:
    """Who may list no collections creates no index: nobody knows whether it is a time series."""
    code, printed = said("prove", "staging", "--set", "runbook", *arguments)
    assert (0, True) == (
        code,
        f"{users}/{users} proven ({12 - listed} attempted, {listed} by the server's list" in printed,
    )


def test_the_twelve_leave_nothing_unless_asked_to(said: Said, root: "MongoClient[dict[str, object]]") -> None:
    rows = root["askflorence"]["agent_audit_log"]
    said("prove", "staging", "--set", "runbook")
    none = rows.count_documents({"_probe": True})
    code, printed = said("prove", "staging", "--set", "runbook", "--leave-row")
    assert (0, 0, 1) == (code, none, rows.count_documents({"_probe": True}))
    assert f"wrote one row {{_probe: true}} to {LOG}. It stays" in printed


@pytest.mark.parametrize(
    ("allow", "deny", "expected"),
    [("FIND,INSERT", "UPDATE,REMOVE", 0), ("UPDATE", "", 1), ("find", "createIndex", 0), ("", "FIND", 1)],
)
def test_any_secret_is_tried_for_what_is_named(said: Said, allow: str, deny: str, expected: int) -> None:
    where = ["--secret-id", "staging/mongodb/audit-write", "--collection", "agent_audit_log"]
    code, printed = said("prove", *where, "--expect-allow", allow, "--expect-deny", deny)
    assert expected == code, printed


def test_a_missing_collection_or_secret_is_inconclusive(said: Said) -> None:
    found = ["--expect-allow", "FIND", "--collection"]
    read = said("prove", "--secret-id", "staging/mongodb/app-read-v2", *found, "nowhere")
    gone = said("prove", "--secret-id", "staging/mongodb/none", *found, "plans")
    assert (3, 3) == (read[0], gone[0])
    assert "nowhere does not exist on the server" in read[1]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["staging", "--secret-id", "x"],
        ["staging", "--user", "nobody"],
        ["staging", "--leave-row"],
        ["staging", "--set", "runbook", "--user", "app_read"],
        ["--secret-id", "x", "--expect-allow", "FIND"],
        ["--secret-id", " ", "--collection", "plans", "--expect-allow", "FIND"],
        ["--secret-id", "x", "--collection", "plans"],
        ["--secret-id", "x", "--collection", "plans", "--expect-allow", "FINDD"],
        ["--secret-id", "x", "--collection", "plans", "--expect-allow", "FIND", "--expect-deny", "FIND"],
    ],
)
def test_a_wrong_question_is_wrong_input(said: Said, arguments: list[str]) -> None:
    code, printed = said("prove", *arguments)
    assert (2, False) == (code, "Traceback" in printed)


def test_the_servers_say_who_can(said: Said) -> None:
    code, printed = said("who-can", "UPDATE", LOG, "--live", "staging")
    assert (0, "LIVE  app_write can UPDATE on askflorence.agent_audit_log, by staging's server") == (
        code,
        printed.splitlines()[0],
    )


def test_the_servers_name_those_whom_the_manifest_does_not(said: Said) -> None:
    code, printed = said(
        "who-can", "INSERT", "askflorence.agent_survey_responses", "--live", "staging", "--format", "json"
    )
    answer = json.loads(printed)
    assert (0, ["app_write", "app_writer_survey"]) == (code, answer["able"])
    assert ["app_writer_survey"] == answer["undeclared"]


def test_atlas_says_when_its_changes_are_applied_and_where_the_cluster_is(here: World) -> None:
    staging = here.of("staging")
    sign_in = SignIn(staging.atlas.public, staging.atlas.private)
    where = (staging.project_id, staging.cluster, sign_in, Endpoints.from_environment(os.environ))
    found = cluster_addresses(*where)
    assert found is not None
    assert staging.mongod.address in found.standard
    assert [1] == [len(found.private_endpoints)]
    assert await_applied(*where, lambda: 5.0)
    assert not await_applied(staging.project_id, "no-such-cluster", sign_in, where[3], lambda: 5.0)


@pytest.fixture
def place(here: World) -> ProofTask:
    role = register_proof_family(boto3.client("ecs", region_name="us-east-1"), FAMILY)
    return ProofTask("askflorence-staging", "askflorence-staging-app", FAMILY, role)


def in_task(place: ProofTask, secret: str, user: str) -> Proof:
    manifest = load_manifest((ROOT / "access.yaml").read_text())
    store = boto3.client("secretsmanager", region_name="us-east-1")
    found = store.describe_secret(SecretId=secret)
    version = next(
        version for version, stages in found["VersionIdsToStages"].items() if "AWSCURRENT" in stages
    )
    given = (expectations(manifest, user, "staging"), "staging", found["ARN"], version, "us-east-1")
    request = ProofRequest(*given, propagation_seconds=0.0)
    return make(Made(request, place), Endpoints.from_environment(os.environ), lambda _: None)


def test_a_task_proves_with_the_execution_roles_rights(place: ProofTask) -> None:
    proof = in_task(place, "staging/mongodb/audit-write", "app_audit_writer")
    assert "" == proof.reason
    assert (Verdict.PROVEN, 334) == (proof.verdict, len(proof.attempts))


def test_a_task_leaves_no_revision_and_no_process_behind(place: ProofTask) -> None:
    ecs = boto3.client("ecs", region_name="us-east-1")
    in_task(place, "staging/mongodb/audit-write", "app_audit_writer")
    active = ecs.list_task_definitions(familyPrefix=FAMILY, status="ACTIVE")["taskDefinitionArns"]
    found = [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in active]
    commands = [each["containerDefinitions"][0]["command"] for each in found]
    tasks = ecs.list_tasks(cluster=place.cluster, startedBy="atlas-access-proof")["taskArns"]
    assert ([["python"]] * len(commands), []) == (commands, tasks)


def test_the_runtimes_role_cannot_read_the_schema_secret_which_the_task_shows(place: ProofTask) -> None:
    proof = in_task(place, "staging/mongodb/admin-schema", "app_admin_schema")
    assert (Verdict.REFUTED, [Subject.SECRET]) == (proof.verdict, [each.code for each in proof.findings])
    assert "askflorence-staging-app-execution cannot read the secret" in proof.reason


def test_a_family_that_is_not_there_is_inconclusive(place: ProofTask) -> None:
    nowhere = replace(place, family="no-such-family")
    proof = in_task(nowhere, "staging/mongodb/audit-write", "app_audit_writer")
    assert (Verdict.INCONCLUSIVE, [Subject.RUNNER]) == (proof.verdict, [each.code for each in proof.findings])


def test_only_the_clients_open_sockets(here: World) -> None:
    """In a process of its own: an audit hook cannot be taken off."""
    verbs = [
        ["drift", "staging"],
        ["guard", "validate-secrets", "--stack", "staging"],
        ["legacy", "list", "staging"],
        ["prove", "staging", "--user", "app_read"],
        ["smoke", "staging"],
        ["status", "staging"],
        ["who-can", "UPDATE", LOG, "--live", "staging"],
    ]
    witness = Path(__file__).with_name("socket_witness.py")
    ended = subprocess.run(
        [sys.executable, witness, json.dumps(verbs)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    answer = json.loads(ended.stdout)
    assert {"clients/aws.py", "clients/http.py"} <= set(answer["opened"]), answer
    assert [] == [each for each in answer["opened"] if each and not each.startswith("clients/")]


def test_verbose_logs_each_remote_call_with_its_milliseconds(said: Said) -> None:
    calls = logging.getLogger("atlas_access.calls")
    try:
        code, printed = said("--verbose", "prove", "staging", "--user", "app_read")
    finally:  # a process shows them to its end, and this one has other tests
        calls.handlers.clear()
        calls.setLevel(logging.NOTSET)
    assert 0 == code
    for call in (
        r"AWS secretsmanager:GetSecretValue \S+: done, \d+ ms",
        r"HTTP GET 127\.0\.0\.1/api/atlas/v2/groups/\w+/clusters/[\w-]+: 200, \d+ ms",
        r"MongoDB admin connectionStatus: done, \d+ ms",
    ):
        assert re.search(call, printed), call
