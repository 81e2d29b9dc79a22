"""Rule immutable-revisions: a task-definition revision outlives the resource that registered it."""

from policy.ecs import task_view
from policy.model import Framework, Rule, Severity
from policy.report import Report
from policy.resources import TASK_DEFINITION, Resource
from policy.run import Run
from policy.values import Marker


def check(resource: Resource, run: Run, report: Report) -> None:
    """SkipDestroy is on: an INACTIVE revision could not be rolled back to."""
    skip = resource.read(task_view).skip_destroy
    if isinstance(skip, Marker):
        report.not_evaluated("skipDestroy", skip)
    elif skip is not True:
        report.finding(
            "skipDestroy: has to be true, or replacing the revision deregisters the one to roll back to."
        )


RULE = Rule(
    name="immutable-revisions",
    description="Task-definition revisions are never deregistered by a replacement (ENG-279 rule 10)",
    why="The prior revision is the rollback artifact; ECS cannot run a revision that is INACTIVE.",
    source="ENG-279 rule 10",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Set skip_destroy=True.",
    offending='aws.ecs.TaskDefinition("app", ..., skip_destroy=False)',
    compliant='aws.ecs.TaskDefinition("app", ..., skip_destroy=True)',
    types=(TASK_DEFINITION,),
    check=check,
)
