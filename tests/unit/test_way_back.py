"""The way back: which recorded revision can run again, and with which credentials its definition is registered anew."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from rollout_world import NEW, OLD, FakeEcs

from atlas_access.base import SecretReference
from atlas_access.clients import AwsUnavailable
from atlas_access.rollout.readable import Problem
from atlas_access.rollout.service import Service
from atlas_access.rollout.steps import Chosen
from atlas_access.rollout.way_back import Credential, WayBack, with_deprecated

ROLE = "arn:aws:iam::111111111111:role/execution"
REFUSED = Credential(dead="the server refuses its login")
UNASKED = Credential(unasked="the connection failed")
NOTHING: Any = None


def secret(name: str) -> str:
    return f"arn:aws:secretsmanager:us-east-1:111111111111:secret:{name}-aBcDeF"


def pinned(name: str, version: str) -> str:
    return f"{secret(name)}:::{version}"


def today(**versions: str) -> dict[str, SecretReference]:
    return {name: SecretReference(secret("new"), version=version) for name, version in versions.items()}


@dataclass
class Registry(FakeEcs):
    """Definitions that are described and registered."""

    definition: dict[str, Any] = field(default_factory=dict)
    registered: list[dict[str, Any]] = field(default_factory=list)
    refuses: Exception | None = None

    def describe_task_definition(self, *, taskDefinition: str, include: list[str]) -> Any:  # noqa: N803
        tags = [{"key": key, "value": "x"} for key in ("team", "aws:cloudformation:x", "atlas-access/repair")]
        return {"taskDefinition": {"taskDefinitionArn": OLD, "revision": 7, **self.definition}, "tags": tags}

    def register_task_definition(self, **asked: Any) -> Any:
        if self.refuses:
            raise self.refuses
        self.registered.append(asked)
        return {"taskDefinition": {"taskDefinitionArn": NEW}}


@dataclass
class World:
    ecs: Registry
    said: list[str] = field(default_factory=list)
    asked: list[SecretReference] = field(default_factory=list)
    answers: dict[str, Credential] = field(default_factory=dict)
    versions: dict[str, SecretReference] | None = None
    problems: tuple[Problem, ...] = ()

    def way_back(self) -> WayBack:
        def log_in(reference: SecretReference) -> Credential:
            self.asked.append(reference)
            return self.answers.get(reference.version, Credential())

        def proven() -> dict[str, SecretReference]:
            assert self.versions is not None, "nothing had to be proven"
            return self.versions

        return WayBack(
            Service(self.ecs, "c", "app"), log_in, proven, lambda *_: self.problems, self.said.append
        )

    def bound(self) -> dict[str, str]:
        (asked,) = self.ecs.registered
        return {each["name"]: each["valueFrom"] for each in asked["containerDefinitions"][0]["secrets"]}


@pytest.fixture
def world() -> World:
    secrets = [
        {"name": "MONGODB_URI", "valueFrom": pinned("read", "v1")},
        {"name": "MONGODB_WRITE_URI", "valueFrom": pinned("write", "v1w")},
        {"name": "MONGODB_URI_AGENTS_WRITE", "valueFrom": pinned("write", "v1w")},
        {"name": "HUBSPOT_TOKEN", "valueFrom": secret("hubspot")},
    ]
    containers = [{"name": "app", "image": "app:old", "secrets": secrets}, {"name": "sidecar"}]
    registry = Registry.running()
    registry.definition = {"family": "app", "status": "ACTIVE", "containerDefinitions": containers}
    registry.definition |= {"executionRoleArn": ROLE, "cpu": "256", "volumes": None}
    return World(registry)


def test_a_recorded_revision_whose_credentials_log_in_is_the_way_back(world: World) -> None:
    assert Chosen(OLD) == world.way_back()(OLD)
    assert ([], []) == (world.ecs.registered, world.said)
    assert {"v1", "v1w"} == {each.version for each in world.asked}
    assert 2 == len(world.asked)


def test_a_refused_login_gives_the_same_definition_with_proven_versions(world: World) -> None:
    world.answers = {"v1w": REFUSED}
    world.versions = today(MONGODB_URI="v2", MONGODB_WRITE_URI="v2w", MONGODB_URI_AGENTS_WRITE="v2w")
    assert Chosen(NEW) == world.way_back()(OLD)
    (asked,) = world.ecs.registered
    assert {"family", "containerDefinitions", "executionRoleArn", "cpu", "tags"} == asked.keys()
    assert (["team"], "app:old") == (
        [each["key"] for each in asked["tags"]],
        asked["containerDefinitions"][0]["image"],
    )
    assert {
        "MONGODB_URI": pinned("new", "v2"),
        "MONGODB_WRITE_URI": pinned("new", "v2w"),
        "MONGODB_URI_AGENTS_WRITE": pinned("new", "v2w"),
        "HUBSPOT_TOKEN": secret("hubspot"),
    } == world.bound()
    assert any("app:7: MONGODB_WRITE_URI: the server refuses its login" in each for each in world.said)
    assert world.said[-1].startswith("app:8 is the definition of app:7 with today's proven credentials")


def test_an_inactive_revision_is_registered_again_and_keeps_what_no_proof_replaces(world: World) -> None:
    world.ecs.definition["status"] = "INACTIVE"
    world.versions = today(MONGODB_URI="v2")
    assert Chosen(NEW) == world.way_back()(OLD)
    assert (pinned("new", "v2"), pinned("write", "v1w")) == (
        world.bound()["MONGODB_URI"],
        world.bound()["MONGODB_WRITE_URI"],
    )


def test_what_cannot_be_asked_is_reported_and_does_not_stop_an_undo(world: World) -> None:
    world.answers = {"v1": UNASKED}
    world.problems = (Problem("app:7: whether it reads its secrets is unknown", known=False),)
    way_back = world.way_back()
    assert (Chosen(OLD), ()) == (way_back(OLD), way_back.resolves(OLD)(NOTHING))
    assert [
        "whether app:7 logs in could not be asked: MONGODB_URI: the connection failed",
        "app:7: whether it reads its secrets is unknown. This does not stop the rollback",
    ] == world.said


def test_a_definition_that_cannot_be_described_does_not_stop_an_undo(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(**_: Any) -> Any:
        raise AwsUnavailable("ecs:DescribeTaskDefinition", "AccessDeniedException")

    monkeypatch.setattr(world.ecs, "describe_task_definition", closed)
    way_back = world.way_back()
    assert (Chosen(OLD), ()) == (way_back(OLD), way_back.resolves(OLD)(NOTHING))
    assert "whether app:7 can run again could not be asked" in world.said[0]


@pytest.mark.parametrize("kept", [True, False])
def test_a_deleted_revision_is_registered_from_what_was_recorded_or_is_no_way_back(
    world: World, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    def gone(**_: Any) -> Any:
        raise AwsUnavailable("ecs:DescribeTaskDefinition", "ClientException")

    recorded = {name: each for name, each in world.ecs.definition.items() if name != "status"}
    monkeypatch.setattr(world.ecs, "describe_task_definition", gone)
    world.versions = today(MONGODB_URI="v2")
    way_back = replace(world.way_back(), kept={OLD: recorded} if kept else {})
    chosen = way_back(OLD)
    if kept:
        assert (Chosen(NEW), pinned("new", "v2")) == (chosen, world.bound()["MONGODB_URI"])
        assert world.said[0].startswith("app:7 is DELETED: the way back is its definition")
    else:
        assert "there is no way back to app:7: ECS does not know it any more" in chosen.refusal


@pytest.mark.parametrize(
    ("versions", "refuses", "why"),
    [
        ({}, None, "MONGODB_URI: the server refuses its login, and no proven version takes its place"),
        (
            today(MONGODB_URI="v2"),
            AwsUnavailable("ecs:RegisterTaskDefinition", "AccessDeniedException"),
            "could not be registered again: ecs:RegisterTaskDefinition",
        ),
        (today(MONGODB_URI="v2"), KeyError("x"), "could not be registered again: KeyError: 'x'"),
    ],
)
def test_where_nothing_proven_takes_the_place_there_is_no_way_back(
    world: World, versions: dict[str, SecretReference], refuses: Exception | None, why: str
) -> None:
    world.answers, world.versions, world.ecs.refuses = {"v1": REFUSED}, versions, refuses
    chosen = world.way_back()(OLD)
    assert OLD == chosen.revision
    assert why in chosen.refusal


def test_before_a_swap_nothing_is_registered_and_every_problem_is_a_reason(world: World) -> None:
    world.answers, world.versions = {"v1": REFUSED}, {}
    world.problems = (Problem("app:7: the role may not read"), Problem("app:7: unknown", known=False))
    (reason,) = world.way_back().before(OLD)(NOTHING)
    assert "there is no way back to app:7: MONGODB_URI" in reason
    world.versions = today(MONGODB_URI="v2")
    assert ("app:7: the role may not read", "app:7: unknown") == world.way_back().before(OLD)(NOTHING)
    assert [] == world.ecs.registered


def test_a_known_problem_of_the_revision_stops_a_rollback(world: World) -> None:
    world.problems = (Problem("app:7: the secret is marked for deletion; restore it"),)
    assert (world.problems[0].text,) == world.way_back().resolves(OLD)(NOTHING)


def test_a_deprecated_variable_takes_its_successors_version() -> None:
    named = today(MONGODB_WRITE_URI="v2w", MONGODB_URI_OWN="v3")
    deprecated = {"MONGODB_URI_AGENTS_WRITE": "MONGODB_WRITE_URI", "MONGODB_URI_OWN": "MONGODB_WRITE_URI"}
    assert today(MONGODB_WRITE_URI="v2w", MONGODB_URI_OWN="v3", MONGODB_URI_AGENTS_WRITE="v2w") == (
        with_deprecated(named, deprecated)
    )
