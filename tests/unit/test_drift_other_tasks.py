"""What drift observes beside the own tasks: other tasks' credentials, and what Secrets Manager says of a secret."""

from dataclasses import replace
from typing import Any

import pytest
from drift_cases import arn, check, clean, only, settings

from atlas_access.base import Status
from atlas_access.base.endpoints import Endpoints
from atlas_access.base.observed import Unread
from atlas_access.base.settings import Phase
from atlas_access.clients import AwsUnavailable
from atlas_access.drift import observe_other_tasks as other_tasks
from atlas_access.drift.finding import Kind
from atlas_access.drift.model import BoundVariable, ObservedOtherTask
from atlas_access.drift.observe_account import beside_of, seen_secret
from atlas_access.drift.observe_other_tasks import read_other_tasks


def beside(secret: str) -> tuple[ObservedOtherTask, ...]:
    return (ObservedOtherTask("night-job", "night-job:3", (BoundVariable("DB", arn(secret), "job"),)),)


@pytest.mark.parametrize("secret", ["staging/mongodb/app-write-v2", "prod/mongodb/app-read-v2"])
def test_a_family_beside_the_service_may_be_handed_no_credential(secret: str) -> None:
    found = only(check(replace(clean(), other_tasks=beside(secret))))
    assert (Kind.BINDING_UNDECLARED, "night-job") == (found.kind, found.subject)


def test_another_familys_own_secret_is_its_own_affair() -> None:
    assert () == check(replace(clean(), other_tasks=beside("night-job/token"))).findings


def test_a_legacy_secret_beside_the_service_is_drift_once_it_is_retired() -> None:
    observed = replace(clean(), other_tasks=beside("staging/mongodb/plans-write"))
    findings = [
        [each.kind for each in check(observed, phase=phase).findings if each.subject == "night-job"]
        for phase in (Phase.BIND, Phase.RETIRE)
    ]
    assert [[], [Kind.BINDING_UNDECLARED]] == findings


def test_families_that_could_not_be_listed_are_unknown() -> None:
    drift = check(replace(clean(), other_tasks=Unread("other task definitions", "AccessDenied")))
    assert (Status.UNKNOWN, ()) == (drift.status, drift.findings)


class Ecs:
    """Lists in pages of one; every family binds one secret."""

    def __init__(self, *families: str, failures: tuple[str, ...] = (), refuses: str = "") -> None:
        self._families, self._failures, self._refuses = families, failures, refuses

    def list_task_definition_families(self, nextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        self._may("families")
        at = int(nextToken)
        more = {"nextToken": str(at + 1)} if at + 1 < len(self._families) else {}
        return {"families": self._families[at : at + 1], **more}

    def list_services(self, **_: Any) -> dict[str, Any]:
        return {"serviceArns": ["arn:x/service"]}

    def describe_services(self, **_: Any) -> dict[str, Any]:
        services = [{"taskDefinition": "arn:x/other:1", "deployments": [{"taskDefinition": "arn:x/other:2"}]}]
        return {"services": services, "failures": list(self._failures)}

    def list_tasks(self, **_: Any) -> dict[str, Any]:
        self._may("tasks")
        return {"taskArns": ["arn:x/task"]}

    def describe_tasks(self, **_: Any) -> dict[str, Any]:
        return {"tasks": [{"taskDefinitionArn": "arn:x/by-hand:7"}], "failures": []}

    def describe_task_definition(self, taskDefinition: str, include: list[str]) -> dict[str, Any]:  # noqa: N803
        name = taskDefinition.rpartition("/")[2]
        arn_ = f"arn:x/{name if ':' in name else name + ':4'}"
        return {"taskDefinition": {"taskDefinitionArn": arn_, "containerDefinitions": []}}

    def _may(self, what: str) -> None:
        if what == self._refuses:
            raise AwsUnavailable(what, "AccessDeniedException")


def read(monkeypatch: pytest.MonkeyPatch, ecs: Ecs) -> tuple[ObservedOtherTask, ...] | Unread:
    monkeypatch.setattr(other_tasks, "client", lambda *_, **__: ecs)
    return read_other_tasks(settings(), frozenset({"app"}), Endpoints.from_environment({}))


def test_every_page_every_deployment_and_every_task_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    observed = read(monkeypatch, Ecs("app", "job", "proof"))
    assert not isinstance(observed, Unread)
    assert {"job:4", "proof:4", "other:1", "other:2", "by-hand:7"} == {each.revision for each in observed}


@pytest.mark.parametrize(
    "ecs",
    [Ecs("app", refuses="families"), Ecs("app", refuses="tasks"), Ecs("app", failures=("MISSING",))],
    ids=["families refused", "tasks refused", "a service missing"],
)
def test_a_list_that_is_not_whole_is_unread(monkeypatch: pytest.MonkeyPatch, ecs: Ecs) -> None:
    assert isinstance(read(monkeypatch, ecs), Unread)


def test_beside_a_service_that_could_not_be_read_nothing_is_known() -> None:
    """Its own revisions would be taken for a stranger's."""
    away = Unread("service", "AccessDenied")
    assert isinstance(beside_of(settings(), (away,), Endpoints.from_environment({})), Unread)


FUNCTION = "arn:aws:lambda:us-east-1:999999999999:function:x"


class Store:
    """Answers as Secrets Manager does for one secret."""

    def __init__(self, **about: Any) -> None:
        self._about = {"ARN": "arn:x", "Name": "x", "VersionIdsToStages": {"v1": ["AWSCURRENT"]}, **about}

    def describe_secret(self, **_: str) -> dict[str, Any]:
        return self._about

    def get_resource_policy(self, **_: str) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("about", "rotates"),
    [
        ({}, ""),
        ({"RotationEnabled": False, "RotationLambdaARN": FUNCTION}, ""),
        ({"RotationEnabled": True, "RotationLambdaARN": FUNCTION}, FUNCTION),
        ({"RotationEnabled": True}, "AWS"),
    ],
)
def test_who_rotates_a_secret_is_read(about: dict[str, Any], rotates: str) -> None:
    assert rotates == seen_secret(Store(**about), "x").rotates


def test_the_regions_that_hold_copies_are_read() -> None:
    copies = [{"Region": "eu-west-1", "KmsKeyId": "alias/aws/secretsmanager", "Status": "InSync"}]
    assert ("eu-west-1",) == seen_secret(Store(ReplicationStatus=copies), "x").replicas
