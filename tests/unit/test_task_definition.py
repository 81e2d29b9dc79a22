"""What a running task definition becomes when its Mongo secrets are replaced."""

import copy
from typing import Any

import pytest
from hypothesis import given, strategies as st

from atlas_access.base.task_definition import (
    BoundSecret,
    DefinitionUnusable,
    MongoVariables,
    bind,
    canonical_containers,
    registrable,
    secret_references,
)

VARIABLES = MongoVariables(
    bound=frozenset({"MONGODB_URI", "MONGODB_WRITE_URI"}),
    deprecated={"MONGODB_URI_PLANS_WRITE": "MONGODB_WRITE_URI", "MONGODB_URI_AUDIT_READ": "MONGODB_URI"},
)
SECRETS = [BoundSecret("MONGODB_URI", "arn:r", "v1"), BoundSecret("MONGODB_WRITE_URI", "arn:w", "v2")]


def running(*names: str, **container: Any) -> dict[str, Any]:
    """A definition as ECS describes it, its container bound to legacy secrets under these names."""
    return {
        "taskDefinitionArn": "arn:aws:ecs:us-east-1:111111111111:task-definition/app:7",
        "revision": 7,
        "status": "ACTIVE",
        "family": "app",
        "cpu": "256",
        "containerDefinitions": [
            {
                "name": "app",
                "image": "registry.example.com/app:1",
                "environment": [{"name": "NODE_ENV", "value": "production"}],
                "secrets": [{"name": name, "valueFrom": f"arn:legacy:{name}"} for name in names],
                **container,
            },
            {"name": "sidecar", "image": "registry.example.com/log:1"},
        ],
    }


def bound(definition: dict[str, Any], *, keep: bool = True, image: str = "") -> dict[str, Any]:
    return bind(
        definition, container="app", secrets=SECRETS, variables=VARIABLES, keep_deprecated=keep, image=image
    )


def test_every_bound_variable_reads_its_pinned_version() -> None:
    """`valueFrom` ends in the version id, so a later value cannot reach the task."""
    assert secret_references(bound(running("MONGODB_URI"))) == {
        "MONGODB_URI": "arn:r:::v1",
        "MONGODB_WRITE_URI": "arn:w:::v2",
    }


def test_a_deprecated_variable_that_is_bound_receives_its_successors_secret() -> None:
    """Unchanged code keeps working while the stack is in `bind`."""
    definition = bound(running("MONGODB_URI", "MONGODB_URI_PLANS_WRITE"))
    assert secret_references(definition)["MONGODB_URI_PLANS_WRITE"] == "arn:w:::v2"


def test_a_deprecated_variable_that_is_not_bound_is_not_added() -> None:
    """Aliases keep what works working; they spread nothing."""
    assert "MONGODB_URI_AUDIT_READ" not in secret_references(bound(running("MONGODB_URI")))


def test_deprecated_variables_go_when_they_are_no_longer_kept() -> None:
    """From `retire` on, only the current names are bound."""
    definition = bound(running("MONGODB_URI", "MONGODB_URI_PLANS_WRITE"), keep=False)
    assert set(secret_references(definition)) == {"MONGODB_URI", "MONGODB_WRITE_URI"}


def test_everything_but_the_mongo_secrets_is_kept() -> None:
    definition = running("HUBSPOT_TOKEN", "MONGODB_URI")
    after = bound(definition)
    assert after["containerDefinitions"][0]["secrets"][0] == {
        "name": "HUBSPOT_TOKEN",
        "valueFrom": "arn:legacy:HUBSPOT_TOKEN",
    }
    assert after["containerDefinitions"][1] == definition["containerDefinitions"][1]
    assert after["cpu"] == "256"


def test_what_ecs_adds_to_a_revision_is_left_out() -> None:
    """Revision numbers and ARNs cannot be registered again."""
    assert {"taskDefinitionArn", "revision", "status"} & set(bound(running())) == set()


def test_binding_twice_changes_nothing() -> None:
    """The revision that we registered yields itself, so a second update has nothing to do."""
    once = bound(running("MONGODB_URI_PLANS_WRITE", "HUBSPOT_TOKEN"))
    assert canonical_containers(bound(once)) == canonical_containers(once)


def test_binding_leaves_its_input_alone() -> None:
    definition = running("MONGODB_URI")
    before = copy.deepcopy(definition)
    bound(definition)
    assert definition == before


def test_an_image_replaces_the_running_one_in_the_bound_container_only() -> None:
    """The override is for the application, not for its sidecars."""
    after = bound(running(), image="registry.example.com/app:2")
    assert [each["image"] for each in after["containerDefinitions"]] == [
        "registry.example.com/app:2",
        "registry.example.com/log:1",
    ]


def test_a_missing_container_is_refused_by_name() -> None:
    with pytest.raises(DefinitionUnusable, match=r"no container named 'web' \(it has: app, sidecar\)"):
        bind(running(), container="web", secrets=SECRETS, variables=VARIABLES, keep_deprecated=True)


def test_a_mongo_secret_that_the_manifest_does_not_know_is_refused() -> None:
    with pytest.raises(DefinitionUnusable, match=r"MONGODB_URI_REPORTS, which access.yaml does not know"):
        bound(running("MONGODB_URI_REPORTS"))


def test_a_bound_variable_in_plain_environment_is_refused() -> None:
    """ECS would refuse the duplicate name, and the value would be a leak."""
    definition = running(environment=[{"name": "MONGODB_URI", "value": "x"}])
    with pytest.raises(DefinitionUnusable, match="MONGODB_URI set in plain environment"):
        bound(definition)


@given(st.permutations(["MONGODB_URI", "MONGODB_URI_PLANS_WRITE", "A", "B", "MONGODB_WRITE_URI"]))
def test_the_result_does_not_depend_on_the_order_of_what_runs(names: list[str]) -> None:
    after = bound(running(*names))
    listed = [entry["name"] for entry in after["containerDefinitions"][0]["secrets"]]
    assert sorted(listed) == sorted(set(names))


def test_nulls_where_lists_belong_are_empty_lists() -> None:
    definition = running(environment=None) | {"volumes": None, "tags": None, "placementConstraints": None}
    definition["containerDefinitions"][0]["secrets"] = None
    definition["containerDefinitions"][1]["secrets"] = None
    after = bound(definition)
    assert {"MONGODB_URI", "MONGODB_WRITE_URI"} == set(secret_references(after))
    assert set() == {"volumes", "tags", "placementConstraints"} & set(after)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"containerDefinitions": None}, r"app: no container named 'app' \(it has: none\)"),
        ({"containerDefinitions": [None]}, "app: containerDefinitions: entry 1 has no name"),
        (
            {"containerDefinitions": [{"name": "app", "secrets": [{"name": "A"}]}]},
            "app: container app: secrets: entry 1 has no valueFrom",
        ),
        (
            {"containerDefinitions": [{"name": "app", "environment": ["A=b"]}]},
            "app: container app: environment: entry 1 has no name",
        ),
        ({"tags": [{"value": "x"}]}, "app: tags: entry 1 has no key"),
        ({"volumes": [{"host": {}}]}, "app: volumes: entry 1 has no name"),
    ],
)
def test_a_definition_that_ecs_would_not_describe_is_refused_in_a_sentence(
    change: dict[str, Any], expected: str
) -> None:
    with pytest.raises(DefinitionUnusable, match=expected):
        bound(running() | change)


def test_tags_of_aws_are_left_out_and_a_tag_without_a_value_is_kept_empty() -> None:
    tags = [
        {"key": "aws:cloudformation:stack-name", "value": "s"},
        {"key": "team"},
        {"key": "a", "value": "b"},
    ]
    assert [{"key": "team", "value": ""}, {"key": "a", "value": "b"}] == registrable({"tags": tags})["tags"]


@pytest.mark.parametrize("variable", ["MONGODB_URI_PLANS_WRITE", "MONGODB_URI"])
@pytest.mark.parametrize("keep", [True, False])
def test_a_sidecar_that_keeps_a_mongo_variable_is_refused_by_name(variable: str, keep: bool) -> None:
    definition = running("MONGODB_URI")
    definition["containerDefinitions"][1]["secrets"] = [{"name": variable, "valueFrom": "arn:legacy:x"}]
    with pytest.raises(
        DefinitionUnusable, match=f"container sidecar keeps {variable}, but only container app"
    ):
        bound(definition, keep=keep)
