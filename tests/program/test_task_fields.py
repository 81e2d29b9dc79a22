"""Every field of a described task definition is carried into the next registration, or refused by name."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import get_session

from atlas_access.base.task_definition import REGISTRATION_FACTS, DefinitionUnusable
from components.ecs_inputs import _CARRIED, task_definition_args

ECS = get_session().get_service_model("ecs")
REQUEST = ECS.operation_model("RegisterTaskDefinition").input_shape
REFUSED = {
    "": {"inferenceAccelerators", "trustedExecutionConfiguration"},
    "volumes": {"s3filesVolumeConfiguration"},
}
"""The fields of the SDK that a definition is refused for. Decide about a new one here, or carry it."""
DEFINITION = {"family": "app", "containerDefinitions": [{"name": "app", "image": "i"}]}


def structures(shape: Any, path: str = "") -> Iterator[tuple[str, set[str]]]:
    """The members of each structure in a request that is not carried whole, by its path."""
    yield path, set(shape.members)
    for name, member in shape.members.items():
        inner = member.member if member.type_name == "list" else member
        below = f"{path}.{name}".lstrip(".")
        if inner.type_name == "structure" and name not in {
            "containerDefinitions",
            "tags",
            *REFUSED.get(path, ()),
        }:
            yield from structures(inner, below)


def test_each_field_that_the_sdk_registers_is_carried_or_refused() -> None:
    found = dict(structures(REQUEST))
    decided = {path: set(names) | REFUSED.get(path, set()) for path, names in _CARRIED.items()}
    assert decided == found


def test_what_ecs_describes_beyond_that_is_what_ecs_added_itself() -> None:
    described = set(ECS.shape_for("TaskDefinition").members)
    assert described - set(REQUEST.members) == REGISTRATION_FACTS


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"trustedExecutionConfiguration": {"isolationMode": "x"}}, "trustedExecutionConfiguration"),
        ({"volumes": [{"name": "v", "next": 1}]}, "volumes.next"),
        ({"volumes": [{"name": "v", "efsVolumeConfiguration": {"next": 1}}]}, "volumes.efsVolumeConfiguration.next"),
        ({"runtimePlatform": {"next": "x"}}, "runtimePlatform.next"),
    ],
)  # fmt: skip
def test_a_field_that_would_be_lost_is_refused_by_its_path(change: dict[str, Any], field: str) -> None:
    with pytest.raises(DefinitionUnusable, match=f"^app: {field} cannot be carried over"):
        task_definition_args({**DEFINITION, **change}, "[]")


def test_nulls_and_tags_of_aws_reach_no_registration() -> None:
    tags = [{"key": "aws:ecs:x", "value": "1"}, {"key": "team"}]
    found: Any = task_definition_args(
        {**DEFINITION, "volumes": None, "runtimePlatform": None, "tags": tags}, "[]"
    )
    assert (None, None, {"team": ""}) == (found.volumes, found.runtime_platform, found.tags)
