"""A repair is spent by one revision, which carries its reason as a tag."""

from typing import Any

import pytest
from rollout_world import ARN, NEW, OLD, OTHER, FakeEcs

from atlas_access.rollout.repair import TAG, Repair, spent_by, tagged
from atlas_access.rollout.service import Service

REASON = "gate 3 is red since the import: INC-7 (see issue)"
TAG_VALUE = "gate 3 is red since the import: INC-7 see issue"


class Family(FakeEcs):
    """A family of revisions, some of which carry a repair's tag."""

    tagged: dict[str, str]

    def list_task_definitions(self, *, familyPrefix: str, sort: str, maxResults: int) -> Any:  # noqa: N803
        assert ("app", "DESC") == (familyPrefix, sort)
        return {"taskDefinitionArns": [f"{ARN[:-4]}app-schema:3", OTHER, NEW, OLD][:maxResults]}

    def describe_task_definition(self, *, taskDefinition: str, include: list[str]) -> Any:  # noqa: N803
        found = self.tagged.get(taskDefinition)
        tags = [{"key": "team", "value": "x"}, *([{"key": TAG, "value": found}] if found else [])]
        return {"taskDefinition": {"taskDefinitionArn": taskDefinition}, "tags": tags}


@pytest.fixture
def ecs() -> Family:
    family = Family.running()
    family.tagged = {}
    return family


def repair(ecs: Family) -> Repair:
    return Repair("staging", REASON, Service(ecs, "c", "app"))


def test_the_revision_that_carries_the_repair_may_be_moved_by_it(ecs: Family) -> None:
    ecs.tagged = {NEW: TAG_VALUE, OTHER: "another reason"}
    assert () == repair(ecs).against(OLD, NEW)


@pytest.mark.parametrize("first", [OLD, OTHER])
def test_a_repair_that_another_revision_has_spent_is_none(ecs: Family, first: str) -> None:
    """Whether it runs, or was rolled back."""
    ecs.tagged = {first: TAG_VALUE, NEW: TAG_VALUE}
    assert (
        f"the repair was spent by app:{first[-1]}: remove atlas-access:repair from Pulumi.staging.yaml, or state the "
        "reason of a new one",
    ) == repair(ecs).against(OLD, NEW)


def test_a_revision_without_the_tag_is_not_moved(ecs: Family) -> None:
    (reason,) = repair(ecs).against(OLD, NEW)
    assert "app:8 does not carry the tag atlas-access/repair" in reason


def test_nothing_has_spent_a_repair_that_no_revision_carries(ecs: Family) -> None:
    assert "" == spent_by(ecs, OLD, REASON)


def test_a_repair_replaces_the_tag_of_the_one_before_and_no_other() -> None:
    definition = {"family": "app", "tags": [{"key": TAG, "value": "before"}, {"key": "team", "value": "x"}]}
    assert [{"key": "team", "value": "x"}, {"key": TAG, "value": TAG_VALUE}] == (
        tagged(definition, REASON)["tags"]
    )
    assert definition == tagged(definition, "")
