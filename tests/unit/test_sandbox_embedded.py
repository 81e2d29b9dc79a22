"""What the embedded engine says reaches a recorder in the CLI's words."""

from atlas_access.review.deployment import Change
from sandbox.embedded import hand_on
from sandbox.engine.events import PropertyChange, ResourcePlanned, StepDone
from sandbox.recorder import Recorder

KIND = "aws:ecs/taskDefinition:TaskDefinition"
URN = f"urn:pulumi:staging::atlas-access::{KIND}::app"


def test_a_replacement_is_reported_once_with_its_changes() -> None:
    """Its two halves, the creation and the deletion of the old one, are one step for a person."""
    recorder = Recorder(lambda _: None, preview=False)
    hand_on(ResourcePlanned(URN, KIND, "replace", (PropertyChange("image", "update", "a", "b"),)), recorder)
    for operation in ("replace", "delete-replaced"):
        hand_on(StepDone(URN, KIND, operation, True, 1.0), recorder)
    steps = [(step.operation, step.name, step.changes) for step in recorder.steps]
    assert steps == [("replace", "app", (Change("image", "a", "b"),))]


def test_a_preview_reports_a_planned_replacement() -> None:
    """As the CLI's plan does."""
    recorder = Recorder(lambda _: None, preview=True)
    hand_on(ResourcePlanned(URN, KIND, "replace"), recorder)
    assert [(step.operation, step.changing) for step in recorder.steps] == [("replace", True)]
