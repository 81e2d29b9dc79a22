"""Drift of secrets, task definitions and collections, made by hand in a real AWS stand-in and a real server."""

import json
from dataclasses import replace
from typing import Any

import pytest
from aws_fixture import Aws
from drift_fixture import MANIFEST, endpoints, wanted
from mongod_fixture import LOOPBACK, Cluster

from atlas_access.base import Status
from atlas_access.base.endpoints import Endpoints
from atlas_access.base.observed import Unread
from atlas_access.base.settings import Phase
from atlas_access.clients.ecs import RunningRevision
from atlas_access.clients.issues import Issue
from atlas_access.clients.model import ObservedCluster
from atlas_access.drift import Wanted, observe_collections as collections
from atlas_access.drift.compare import compare
from atlas_access.drift.finding import Drift, Kind
from atlas_access.drift.issue import body, decide, title
from atlas_access.drift.model import NotReached, Observed, ObservedCollections, ObservedView
from atlas_access.drift.observe_account import Account, policy_text, read_account, seen_task
from atlas_access.drift.observe_collections import list_collections
from atlas_access.manifest.records import Consumer

CANARY = "Sup3rS3cretCanary"
OPEN = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "secretsmanager:GetSecretValue"}
POLICY = {"Version": "2012-10-17", "Statement": [{**OPEN, "Resource": "*"}]}


class Inventory:
    """Staging's account, checked as phase provision: the inventory's secrets and the revision that runs."""

    def __init__(self, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aws = aws
        aws.sign_in(monkeypatch)
        self.endpoints: Endpoints = endpoints("http://127.0.0.1:1", aws=aws.url)
        self.store = aws.client("secretsmanager")
        key = aws.client("kms").describe_key(KeyId="alias/askflorence-staging")["KeyMetadata"]["Arn"]
        for name in self.rules().inventory.wanted_secrets:
            if not self.exists(name):
                self.store.create_secret(Name=name, SecretString=CANARY, KmsKeyId=key)

    def exists(self, name: str) -> bool:
        return bool(self.store.list_secrets(Filters=[{"Key": "name", "Values": [name]}])["SecretList"])

    def rules(self, phase: Phase = Phase.PROVISION) -> Wanted:
        rules = wanted()
        changes = {"aws_account_id": self.aws.account(), "phase": phase}
        return replace(rules, settings=rules.settings.model_copy(update=changes))

    def read(self) -> Account:
        rules = self.rules()
        names = (*rules.inventory.wanted_secrets, *rules.inventory.legacy_secrets)
        return read_account(rules.settings, names, self.endpoints)

    def check(self, phase: Phase = Phase.PROVISION) -> Drift:
        read = self.read()
        away = Unread("Atlas", "this test is about AWS")
        cluster = ObservedCluster("staging", "6.0.5", 1)
        rest = NotReached("collections", "this test is about AWS")
        observed = Observed(away, away, cluster, read.key, read.secrets, read.tasks, rest, read.other_tasks)
        drift = compare(self.rules(phase), observed)
        return replace(drift, unread=tuple(each for each in drift.unread if each != away))

    def kinds(self, phase: Phase = Phase.PROVISION) -> set[Kind]:
        drift = self.check(phase)
        assert CANARY not in repr(drift)
        return {finding.kind for finding in drift.findings}


@pytest.fixture
def inventory(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Inventory:
    return Inventory(aws, monkeypatch)


READ = "staging/mongodb/app-read-v2"


def test_the_estate_with_its_new_secrets_is_clean_in_provision(inventory: Inventory) -> None:
    drift = inventory.check()
    assert (Status.GOOD, (), ()) == (drift.status, drift.findings, drift.unread)


def test_a_deleted_secret_is_found_with_its_remedy(inventory: Inventory) -> None:
    inventory.store.delete_secret(SecretId=READ, RecoveryWindowInDays=7)
    (found,) = inventory.check().findings
    assert Kind.SECRET_RECOVERY == found.kind
    assert f"restore-secret --secret-id {READ}" in found.remedy
    assert found.since is not None


def test_a_secret_that_is_gone_for_good_is_missing(inventory: Inventory) -> None:
    inventory.store.delete_secret(SecretId=READ, ForceDeleteWithoutRecovery=True)
    assert {Kind.SECRET_MISSING} == inventory.kinds()


def test_a_deleted_legacy_secret_is_found_before_its_retirement(inventory: Inventory) -> None:
    inventory.store.delete_secret(SecretId="staging/mongodb/plans-write", RecoveryWindowInDays=30)
    assert {Kind.SECRET_RECOVERY} == inventory.kinds()


def test_another_key_is_found(inventory: Inventory) -> None:
    inventory.aws.foreign_key(READ)
    other = inventory.store.describe_secret(SecretId=READ)["KmsKeyId"]
    (found,) = inventory.check().findings
    assert (Kind.SECRET_KEY, True) == (found.kind, other in found.what)


def test_a_resource_policy_is_found_and_said_in_words(inventory: Inventory) -> None:
    inventory.store.put_resource_policy(SecretId=READ, ResourcePolicy=json.dumps(POLICY))
    (found,) = inventory.check().findings
    assert (Kind.SECRET_POLICY, "let * do secretsmanager:GetSecretValue") == (found.kind, found.permits)


def bind(inventory: Inventory, change: Any, *, deploy: bool = True) -> None:
    arn = inventory.aws.register(change)
    if deploy:
        inventory.aws.update(taskDefinition=arn)  # the agent stands still: no breaker puts it back


def test_a_legacy_binding_after_the_move_is_found(inventory: Inventory) -> None:
    assert Kind.BINDING_LEGACY in inventory.kinds(Phase.BIND)


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"name": "MONGODB_URI", "secret": "staging/mongodb/app-write-v2"}, Kind.BINDING_WRONG),
        ({"name": "MONGODB_SIDE_DOOR", "secret": READ}, Kind.BINDING_UNDECLARED),
        ({"name": "CACHE_URL", "secret": READ}, Kind.BINDING_UNDECLARED),
    ],
)
@pytest.mark.parametrize("deploy", [True, False], ids=["deployed", "registered only"])
def test_a_binding_changed_by_hand_is_found(
    inventory: Inventory, entry: dict[str, str], kind: Kind, deploy: bool
) -> None:
    arn = inventory.aws.secret_arn(entry["secret"])

    def change(container: dict[str, Any]) -> None:
        kept = [each for each in container["secrets"] if each["name"] != entry["name"]]
        container["secrets"] = [*kept, {"name": entry["name"], "valueFrom": arn}]

    bind(inventory, change, deploy=deploy)
    (found,) = inventory.check().findings
    assert (kind, entry["name"]) == (found.kind, found.subject)
    assert ("not deployed" in found.what) is not deploy


def test_a_connection_string_in_plain_environment_is_found_and_not_shown(inventory: Inventory) -> None:
    def change(container: dict[str, Any]) -> None:
        container["environment"].append({"name": "CACHE_URL", "value": f"mongodb://app:{CANARY}@db/x"})

    bind(inventory, change)
    assert {Kind.BINDING_PLAIN} == inventory.kinds()


def test_another_accounts_credentials_are_unknown_and_ask_nothing_more(inventory: Inventory) -> None:
    rules = inventory.rules()
    foreign = rules.settings.model_copy(update={"aws_account_id": "999999999999"})
    read = read_account(foreign, ("staging/mongodb/app-read",), inventory.endpoints)
    assert isinstance(read.key, Unread)
    assert "this stack is 999999999999" in read.key.why
    assert ((), ()) == (read.secrets, read.tasks)


def test_an_account_that_does_not_answer_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    read = read_account(wanted().settings, ("a",), endpoints("http://127.0.0.1:1"))
    assert isinstance(read.key, Unread)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", ""),
        ("nonsense", "not readable"),
        ('{"Statement": {"Effect": "Deny", "Principal": "*", "Action": ["a", "b"]}}', "keep * from a, b"),
        (
            '{"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "x"}, "Action": "a"}]}',
            "everyone but x",
        ),
        ('{"Statement": [7]}', "not readable"),
    ],
)
def test_a_policy_is_shown_in_words(text: str, words: str) -> None:
    assert (words in policy_text(text)) if words else policy_text(text) == ""


def test_a_sidecars_bindings_count_as_well() -> None:
    containers = [
        {"name": "side", "secrets": [{"name": "MONGODB_URI", "valueFrom": "x"}]},
        {"name": "app", "environment": None},
    ]
    revision = RunningRevision("arn:aws:ecs:r:1:task-definition/f:3", {"containerDefinitions": containers})
    observed = seen_task(revision, Consumer.SERVICE, "app", running=True)
    assert ("f:3", ["MONGODB_URI"]) == (observed.revision, [each.variable for each in observed.bound])


def listed(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, uri: str) -> Any:
    monkeypatch.setattr(collections, "read_connection_string", lambda *_, **__: uri)
    return list_collections("app_read", "askflorence", "s", region="us-east-1", endpoints=LOOPBACK)


def seen_with(part: Any) -> Drift:
    away = Unread("the rest", "this test is about collections")
    return compare(wanted(), Observed(away, away, ObservedCluster("staging", "6.0.5", 1), away, (), (), part))


def test_the_declared_collections_are_clean(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    observed = listed(cluster, monkeypatch, cluster.uri("app_read"))
    assert isinstance(observed, ObservedCollections)
    assert () == seen_with(observed).findings


def test_a_collection_made_by_hand_is_found(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    database = cluster.root[MANIFEST.database]
    names = [f"scratch_{number}" for number in range(120)]
    try:
        for name in names:
            database.create_collection(name)
        observed = listed(cluster, monkeypatch, cluster.uri("app_read"))
    finally:
        for name in names:
            database.drop_collection(name)
    found = seen_with(observed).findings
    assert {Kind.COLLECTION_UNDECLARED} == {each.kind for each in found}
    assert {f"askflorence.{name}" for name in names} == {each.subject for each in found}


def test_what_a_view_shows_is_read_where_a_family_is_declared(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = cluster.root[MANIFEST.database]
    steps = [{"$match": {"npn": "7"}}, {"$project": {"email": 0}}]
    database.command("create", "agent_7", viewOn="agent_waitlist_submissions", pipeline=steps)
    monkeypatch.setattr(collections, "read_connection_string", lambda *_, **__: cluster.uri("app_read"))
    try:
        observed = list_collections(
            "app_read", MANIFEST.database, "s", region="us-east-1", endpoints=LOOPBACK, views=True
        )
    finally:
        database.drop_collection("agent_7")
    assert isinstance(observed, ObservedCollections)
    assert ObservedView("agent_7", "agent_waitlist_submissions", ("npn",)) in observed.views


def test_a_reader_that_may_do_more_is_found(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster.holding("app_read", {"role": "readWrite", "db": "askflorence"}):
        observed = listed(cluster, monkeypatch, cluster.uri("app_read"))
    assert [Kind.PRIVILEGE_EXTRA] == [each.kind for each in seen_with(observed).findings]


def test_a_server_that_does_not_answer_is_unknown_and_leaves_the_issue_open(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = cluster.root[MANIFEST.database]
    try:
        database.create_collection("scratch")
        observed = listed(cluster, monkeypatch, cluster.uri("app_read"))
    finally:
        database.drop_collection("scratch")
    first = replace(seen_with(observed), unread=())
    issue = Issue(7, title(first), body(first), open=True)
    monkeypatch.setattr(collections, "WAIT_SECONDS", 0.3)
    away = seen_with(listed(cluster, monkeypatch, cluster.uri("app_read", address="127.0.0.1:1")))
    second = replace(away, unread=tuple(each for each in away.unread if each.what != "the rest"))
    assert (Status.BAD, Status.UNKNOWN) == (first.status, second.status)
    assert () == decide(second, [issue])


def test_a_refused_login_an_unreachable_cluster_and_a_wrong_string_are_unread(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections, "WAIT_SECONDS", 0.3)
    refused = listed(cluster, monkeypatch, cluster.uri("app_read", login="nobody"))
    away = listed(cluster, monkeypatch, cluster.uri("app_read", address="127.0.0.1:1"))
    another = listed(cluster, monkeypatch, cluster.uri("app_write"))
    garbage = listed(cluster, monkeypatch, f"not a string {CANARY}")
    assert [Unread] * 4 == [type(each) for each in (refused, away, another, garbage)]
    assert CANARY not in repr((refused, away, another, garbage))
