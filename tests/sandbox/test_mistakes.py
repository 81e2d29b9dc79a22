"""Likely mistakes made by hand past the gates on a running service: what users notice, and what catches each.

The stack only goes forward: first nothing is deployed, then it is provisioned, and last it is bound. A build that is
broken is in test_rollout_gated.py.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from atlas_fixture import PASSWORD, Api
from drift_by_hand import AUDIT, AUDIT_ACTIONS
from drift_fixture import change_role, find
from pymongo import MongoClient
from requests.auth import HTTPDigestAuth
from service_fixture import COUPLE, Running, until
from world_fixture import ROOT, UNGATED, deployed, run_command, sandbox

from atlas_access.review import Deployment
from sandbox.ecs.releases import Pipeline
from sandbox.replays.product import refused
from sandbox.replays.stage import Stage

NEW = {
    "MONGODB_URI": "app-read-v2",
    "MONGODB_REFERENCE_URI": "reference-uri-v2",
    "MONGODB_WRITE_URI": "app-write-v2",
}
ERROR = {"error": "database error"}
CHANGES_AN_ENTRY = (
    "import os, pymongo; log = pymongo.MongoClient(os.environ['MONGODB_AUDIT_WRITE_URI']).askflorence.agent_audit_log;"
    "made = log.insert_one({'who': 'them'}).inserted_id;"
    "print(log.update_one({'_id': made}, {'$set': {'who': 'another'}}).modified_count, 'entry changed')"
)
DROPS_AN_INDEX = (
    "import os, pymongo; rows = pymongo.MongoClient(os.environ['MONGODB_URI_ADMIN_SCHEMA'])"
    ".askflorence.agent_survey_responses; rows.create_index([('mistake', 1)], name='mistake');"
    "rows.drop_index('mistake'); print('an index dropped')"
)
ON_RUNTIME = {
    "    MONGODB_AUDIT_WRITE_URI: {user: app_audit_writer}\n  schema_task:": (
        "    MONGODB_AUDIT_WRITE_URI: {user: app_audit_writer}\n"
        "    MONGODB_URI_ADMIN_SCHEMA: {user: app_admin_schema}\n  schema_task:"
    )
}
PAST_THE_MANIFEST = {
    "\n\nmain()\n": """

from dataclasses import replace

from atlas_access.manifest.records import (Consumer)

_args = ServiceAccess._binding_args


def _with_schema(self, consumer):
    args = _args(self, consumer)
    if consumer is not Consumer.SERVICE:
        return args
    return replace(args, secrets=[*args.secrets, *_args(self, Consumer.SCHEMA_TASK).secrets])


ServiceAccess._binding_args = _with_schema
main()
"""
}
"""A defect of the program's own: what the manifest says is right, what the program makes of it is not."""
OWNED = """resource "aws_ecs_service" "app" {
  name            = "askflorence-staging-app"
  cluster         = "askflorence-staging"
  task_definition = aws_ecs_task_definition.app.arn
}

resource "aws_ecs_task_definition" "app" {
  family                = "askflorence-staging-app"
  container_definitions = jsonencode([{ name = "app", image = var.image, secrets = local.secrets }])
}
"""


class Hand(Running):
    """Somebody with access to staging, and no gates."""

    def secret(self, name: str) -> str:
        return self.client("secretsmanager").describe_secret(SecretId=f"staging/mongodb/{name}")["ARN"]

    def runs(self, *, image: str = "", **secrets: str) -> str:
        """Deploy the first revision again with these secrets bound, and wait until ECS is content."""

        def change(container: dict[str, Any]) -> None:
            kept = [each for each in container["secrets"] if each["name"] not in secrets]
            container["secrets"] = kept + [{"name": n, "valueFrom": arn} for n, arn in secrets.items()]
            if image:
                container["image"] = f"{container['image'].rpartition(':')[0]}:{image}"

        revision = self.register(change)
        self.deploy(revision)
        assert 2 == self.settled()["runningCount"]
        return revision

    def back(self) -> None:
        self.deploy("askflorence-staging-app:7")
        self.settled()

    def answers(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        reply = requests.post(self.url + path, json=body, timeout=30)
        return reply.status_code, reply.json() if reply.status_code >= 400 else {}

    def joins(self, address: str) -> int:
        return self.answers("/api/agent-waitlist", {"email": address, "state": "UT"})[0]

    def rows(self, address: str) -> tuple[int, int]:
        found = []
        for stack in ("staging", "prod"):
            with MongoClient[dict[str, Any]](
                self.world.of(stack).mongod.root_uri, directConnection=True
            ) as root:
                found.append(root.askflorence.agent_waitlist_submissions.count_documents({"email": address}))
        return found[0], found[1]

    def task(self, revision: str, program: str) -> str:
        """The last line that a one-off task of a revision prints."""
        where = {"cluster": self.names["cluster"]}
        command = {"containerOverrides": [{"name": "app", "command": ["python", "-c", program]}]}
        network = self.service()["networkConfiguration"]
        asked = {"taskDefinition": revision, "launchType": "FARGATE", "networkConfiguration": network}
        (task,) = self.ecs.run_task(**where, **asked, overrides=command)["tasks"]
        ended = {**where, "tasks": [task["taskArn"]]}
        until(lambda: self.ecs.describe_tasks(**ended)["tasks"][0]["lastStatus"] == "STOPPED")
        stream = f"service/app/{task['taskArn'].rpartition('/')[2]}"
        return next(iter(self.log_lines(stream)), "")

    @property
    def atlas(self) -> Api:
        key = self.world.of("staging").atlas
        url = self.world.atlas_url.rstrip("/")
        return Api(url, self.world.of("staging").project_id, HTTPDigestAuth(key.public, key.private))

    def propagation(self, seconds: float) -> None:
        asked = {"projectId": self.world.of("staging").project_id, "seconds": seconds}
        url = f"{self.world.atlas_url.rstrip('/')}/sandbox/atlas"
        requests.post(f"{url}/propagation", json=asked, timeout=20).raise_for_status()
        if not seconds:
            requests.post(f"{url}/settle", json={}, timeout=60).raise_for_status()

    def may_read(self, *arns: str) -> None:
        statement = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": list(arns)}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = "askflorence-staging-app-execution"
        self.client("iam").put_role_policy(RoleName=role, PolicyName="by-hand", PolicyDocument=policy)

    def update(self, phase: str, **settings: str) -> Deployment:
        return deployed(self.world, "staging", phase, settings={**UNGATED, **settings})

    def drift(self, phase: str) -> set[str]:
        done = run_command(self.world, "staging", "drift", "staging", "--phase", phase, "--format", "json")
        return {each["kind"] for each in json.loads(done.stdout)["findings"]}

    def guard(self, *arguments: str) -> list[str]:
        done = run_command(
            self.world, "staging", "guard", *arguments, "--stack", "staging", "--format", "json"
        )
        return [each["guard"] for each in json.loads(done.stdout)["guards"] if each["findings"]]


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    options = {"service": True, "propagation_seconds": 0.2, "ecs_step_seconds": 0.05, "easy": True}
    with sandbox(tmp_path_factory.mktemp("mistakes"), **options) as world:
        yield Hand(world)


def test_a_new_user_that_the_cluster_does_not_know_yet_refuses_logins_and_its_proof_stops_the_swap(
    hand: Hand,
) -> None:
    """Everything was made and deployed in one go, while Atlas still had it in its queue: ECS is content."""
    hand.propagation(300.0)
    assert (
        201
        == hand.atlas.add_user(
            "by_hand", roles=[{"roleName": "read", "databaseName": "askflorence"}]
        ).status_code
    )
    address = hand.world.of("staging").mongod.address
    value = f"mongodb://by_hand:{PASSWORD}@{address}/askflorence?authSource=admin&directConnection=true"
    store = hand.client("secretsmanager")
    arn = store.create_secret(Name="staging/mongodb/by-hand", SecretString=value)["ARN"]
    hand.may_read(arn)
    hand.runs(MONGODB_URI=arn)
    assert (500, ERROR) == hand.answers("/api/plans", COUPLE)
    assert any("the database refused the login (code 18)" in line for line in hand.log_lines())
    hand.back()

    stopped = hand.update("bind", proofDeadlineSeconds="6")

    assert {"inconclusive"} == {each.verdict for each in stopped.proofs if each.user != "app_admin_schema"}
    assert "askflorence-staging-app:7" == hand.service()["taskDefinition"].rpartition("/")[2]
    store.delete_secret(SecretId="staging/mongodb/by-hand", ForceDeleteWithoutRecovery=True)
    hand.propagation(0.0)
    hand.propagation(0.2)
    assert 204 == hand.atlas.send("DELETE", "/databaseUsers/admin/by_hand").status_code
    assert ["proven"] * 5 == [each.verdict for each in hand.update("provision").proofs]


def refuted(hand: Hand, *reasons: str) -> None:
    """The state still says proven, and a proof does not read as the execution role: the pre-flight asks both anew."""
    before = hand.world.state_file("staging").read_bytes()
    failure = hand.update("bind").failure
    hand.world.state_file("staging").write_bytes(before)
    assert "NOT STARTED" in failure
    assert [] == [reason for reason in reasons if reason not in failure]
    assert "askflorence-staging-app:7" == hand.service()["taskDefinition"].rpartition("/")[2]


def test_a_role_that_is_widened_after_its_proof_lets_a_task_change_the_log_and_stops_the_swap(
    hand: Hand,
) -> None:
    change_role(hand.atlas, AUDIT, [*AUDIT_ACTIONS, find("agent_audit_log", "UPDATE")])
    revision = hand.register(
        lambda each: each["secrets"].append(
            {"name": "MONGODB_AUDIT_WRITE_URI", "valueFrom": hand.secret("audit-write")}
        )
    )
    assert "1 entry changed" == hand.task(revision, CHANGES_AN_ENTRY)
    refuted(hand, "app_audit_writer")
    assert {"extra action"} == hand.drift("provision")
    change_role(hand.atlas, AUDIT, AUDIT_ACTIONS)


def test_a_key_that_tasks_cannot_use_is_undone_silently_by_ecs_and_stops_the_swap(hand: Hand) -> None:
    store, name = hand.client("secretsmanager"), "staging/mongodb/app-read-v2"
    ours = store.describe_secret(SecretId=name)["KmsKeyId"]
    theirs = hand.client("kms").create_key(Description="somebody else's")["KeyMetadata"]["Arn"]
    store.update_secret(SecretId=name, KmsKeyId=theirs)
    hand.runs(MONGODB_URI=hand.secret("app-read-v2"))
    reasons = {each.get("stoppedReason", "") for each in hand.tasks("STOPPED")}
    assert any("Access to KMS is not allowed" in reason for reason in reasons)
    assert "askflorence-staging-app:7" == hand.service()["taskDefinition"].rpartition("/")[2]
    refuted(hand, "kms:Decrypt")
    assert {"secret under another key"} == hand.drift("provision")
    store.update_secret(SecretId=name, KmsKeyId=ours)


@pytest.mark.parametrize(
    ("file", "changes", "catcher"),
    [
        ("access.yaml", ON_RUNTIME, "bindings.service.MONGODB_URI_ADMIN_SCHEMA"),
        ("__main__.py", PAST_THE_MANIFEST, "bindings-by-law"),
    ],
)
def test_the_schema_secret_on_the_runtime_is_refused_in_the_manifest_and_past_it(
    hand: Hand, file: str, changes: dict[str, str], catcher: str
) -> None:
    assert [catcher] == [each.catch.name for each in refused(Stage(hand.world, ROOT), file, changes)]


def test_with_the_schema_secret_any_task_could_drop_an_index_and_users_notice_nothing(hand: Hand) -> None:
    hand.may_read(hand.secret("admin-schema"))
    revision = hand.runs(MONGODB_URI_ADMIN_SCHEMA=hand.secret("admin-schema"))
    assert "an index dropped" == hand.task(revision, DROPS_AN_INDEX)
    assert 200 == hand.answers("/api/plans", COUPLE)[0]
    hand.back()
    hand.client("iam").delete_role_policy(RoleName="askflorence-staging-app-execution", PolicyName="by-hand")


def test_the_other_environments_value_stores_rows_in_prod_and_reaches_no_task_of_ours(hand: Hand) -> None:
    store, name = hand.client("secretsmanager"), "staging/mongodb/app-write-v2"
    versions = store.describe_secret(SecretId=name)["VersionIdsToStages"]
    proven = next(version for version, stages in versions.items() if "AWSCURRENT" in stages)
    theirs = (
        Running(hand.world, "prod")
        .client("secretsmanager")
        .get_secret_value(SecretId="prod/mongodb/app-write")
    )
    wrong = store.put_secret_value(SecretId=name, SecretString=theirs["SecretString"])["VersionId"]
    hand.runs(image="current", **{variable: hand.secret(each) for variable, each in NEW.items()})
    assert (201, (0, 1)) == (hand.joins("strayed@example.com"), hand.rows("strayed@example.com"))
    hand.back()

    assert ["validate-secrets"] == hand.guard("validate-secrets")
    asked = ("prove", "staging", "--user", "app_write", "--format", "json")
    proofs = json.loads(run_command(hand.world, "staging", *asked).stdout)["proofs"]
    assert {"refuted"} == {each["verdict"] for each in proofs}
    image = "registry.example.com/askflorence/app:current"
    assert "" == hand.update("bind", containerImage=image).failure
    assert (201, (1, 0)) == (hand.joins("arrived@example.com"), hand.rows("arrived@example.com"))
    moved = {"VersionStage": "AWSCURRENT", "MoveToVersionId": proven, "RemoveFromVersionId": wrong}
    store.update_secret_version_stage(SecretId=name, **moved)


def test_legacy_bindings_that_another_tool_brings_back_are_drift_and_the_next_update_binds_anew(
    hand: Hand, tmp_path: Path
) -> None:
    old = hand.ecs.describe_task_definition(taskDefinition="askflorence-staging-app:7")["taskDefinition"]
    legacy = old["containerDefinitions"][0]["secrets"]
    pipeline = Pipeline(hand.world, "staging")
    pipeline.changed(lambda each: each["containerDefinitions"][0].update(secrets=legacy))
    assert 500 == hand.joins("back@example.com")
    (tmp_path / "ecs.tf").write_text(OWNED, encoding="utf-8")
    assert ["terraform-ownership"] == hand.guard("terraform-ownership", "--source", str(tmp_path))
    assert {"legacy binding", "missing binding"} == hand.drift("bind")

    assert "" == hand.update("bind").failure

    (container,) = pipeline.service.definition(pipeline.observe().revision)["containerDefinitions"]
    (writer,) = [each["valueFrom"] for each in container["secrets"] if each["name"] == "MONGODB_WRITE_URI"]
    assert (True, 201) == (":::" in writer, hand.joins("repaired@example.com"))
