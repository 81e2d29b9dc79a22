"""What tasks hold, container by container: a credential anywhere but in the runtime container is reported."""

from dataclasses import replace
from typing import Any

import pytest
from drift_cases import MANIFEST, arn, check, clean, only

from atlas_access.base import Status
from atlas_access.base.settings import Phase
from atlas_access.clients.ecs import RunningRevision
from atlas_access.drift.finding import Drift, Kind
from atlas_access.drift.observe_account import seen_task
from atlas_access.manifest.records import Consumer

READ = f"{arn('staging/mongodb/app-read-v2')}:::v1"
SECRETS = [
    {"name": each.variable, "valueFrom": f"{arn(each.secret_name)}:::v1"}
    for each in MANIFEST.bindings_for("staging", Consumer.SERVICE)
]
APP = {"name": "app", "secrets": SECRETS}
URI = "mongodb://app:Sup3rS3cretCanary@db.example/x"


def running(*containers: dict[str, Any], phase: Phase = Phase.BIND, **more: Any) -> Drift:
    """Check a clean environment whose service runs these containers."""
    definition = {"family": "f", "containerDefinitions": list(containers), **more}
    revision = RunningRevision("arn:aws:ecs:r:1:task-definition/f:6", definition)
    observed = clean()
    service = seen_task(revision, Consumer.SERVICE, "app", running=True)
    drift = check(replace(observed, tasks=(service, observed.tasks[1])), phase=phase)
    assert "Canary" not in repr(drift)
    return drift


def bound_in(value_from: str) -> dict[str, Any]:
    entries = [each for each in SECRETS if each["name"] != "MONGODB_URI"]
    return {"name": "app", "secrets": [*entries, {"name": "MONGODB_URI", "valueFrom": value_from}]}


def test_the_declared_bindings_in_the_runtime_container_are_clean() -> None:
    assert Status.GOOD == running(APP, {"name": "side", "secrets": []}).status


def test_credentials_that_moved_into_a_sidecar_are_missing_where_they_belong() -> None:
    drift = running({"name": "app"}, {"name": "side", "secrets": SECRETS})
    missing = {each.subject for each in drift.findings if each.kind is Kind.BINDING_MISSING}
    assert {entry["name"] for entry in SECRETS} == missing


@pytest.mark.parametrize("phase", [Phase.PROVISION, Phase.BIND])
def test_a_sidecar_that_is_given_the_credentials_too_is_found(phase: Phase) -> None:
    drift = running(APP, {"name": "side", "secrets": SECRETS}, phase=phase)
    assert {Kind.BINDING_UNDECLARED} == {each.kind for each in drift.findings}
    assert len(SECRETS) == len(drift.findings)


def test_a_sidecars_own_secret_is_its_own_affair() -> None:
    own = {"name": "DD_API_KEY", "valueFrom": arn("datadog")}
    assert () == running(APP, {"name": "side", "secrets": [own]}).findings


def test_another_environments_credential_is_found_under_whatever_variable() -> None:
    entry = {"name": "CACHE", "valueFrom": arn("prod/mongodb/app-write-v2")}
    found = only(running({"name": "app", "secrets": [*SECRETS, entry]}))
    assert (Kind.BINDING_UNDECLARED, "CACHE") == (found.kind, found.subject)


@pytest.mark.parametrize(
    "field",
    [
        {"logConfiguration": {"secretOptions": [{"name": "splunk-token", "valueFrom": READ}]}},
        {"repositoryCredentials": {"credentialsParameter": READ}},
        {"command": ["sh", "-c", f"aws secretsmanager get-secret-value --secret-id {READ} | node x"]},
    ],
    ids=["log driver", "registry", "command"],
)
def test_a_credential_that_another_field_is_handed_is_found(field: dict[str, Any]) -> None:
    found = only(running({**APP, **field}))
    assert (Kind.BINDING_UNDECLARED, next(iter(field))) == (found.kind, found.subject)


@pytest.mark.parametrize(
    "field",
    [
        {"command": ["sh", "-c", f"MONGODB_URI={URI} node x"]},
        {"entryPoint": [URI]},
        {"healthCheck": {"command": ["CMD-SHELL", f"mongosh {URI}"]}},
        {"dockerLabels": {"db": URI}},
    ],
    ids=["command", "entry point", "health check", "label"],
)
def test_a_connection_string_in_another_field_is_found_and_not_shown(field: dict[str, Any]) -> None:
    found = only(running({**APP, **field}))
    assert (Kind.BINDING_PLAIN, f"{next(iter(field))} of the container app") == (found.kind, found.subject)


def test_a_connection_string_around_the_containers_is_found() -> None:
    found = only(running(APP, proxyConfiguration={"properties": [{"name": "x", "value": URI}]}))
    assert (Kind.BINDING_PLAIN, "proxyConfiguration") == (found.kind, found.subject)


def test_an_environment_file_makes_the_answer_unknown() -> None:
    """It can set any variable, and nobody reads it here."""
    file = {"type": "s3", "value": "arn:aws:s3:::b/x.env"}
    drift = running({**APP, "environmentFiles": [file]})
    assert (Status.UNKNOWN, ()) == (drift.status, drift.findings)
    assert "environment file arn:aws:s3:::b/x.env of the container app" in drift.unread[0].what


@pytest.mark.parametrize(
    "value_from",
    [
        READ.replace("111111111111", "999999999999"),
        READ.replace("us-east-1", "eu-west-1"),
        READ.replace("AbCdEf", "ZyXwVu"),
        "staging/mongodb/app-read-v2",
    ],
    ids=["account", "region", "made anew", "no ARN"],
)
@pytest.mark.parametrize("phase", [Phase.PROVISION, Phase.BIND])
def test_a_secret_of_the_right_name_elsewhere_is_another_secret(value_from: str, phase: Phase) -> None:
    found = only(running(bound_in(value_from), phase=phase))
    assert (Kind.BINDING_WRONG, "MONGODB_URI") == (found.kind, found.subject)


def test_a_reference_without_the_random_suffix_is_the_same_secret() -> None:
    assert () == running(bound_in(READ.replace("-AbCdEf", ""))).findings
