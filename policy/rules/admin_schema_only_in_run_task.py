"""Rule admin-schema-only-in-run-task: the schema credential is the schema task's, and its only one."""

from policy import adr
from policy.bindings import expected_secret, is_mongo, is_schema, unseen
from policy.ecs import TaskView, task_view
from policy.model import Framework, Rule, Severity
from policy.report import Report
from policy.resources import TASK_DEFINITION, Resource
from policy.run import Run


def _check_schema_task(task: TaskView, run: Run, report: Report) -> None:
    wanted = expected_secret(run, adr.SCHEMA_NAME)
    for bound in task.bindings:
        if not is_mongo(bound) or bound.variable in adr.DEPRECATED_VARIABLES:
            continue
        if bound.reference is None or run.foreign(bound.reference):
            continue
        if bound.variable != adr.SCHEMA_VARIABLE or not bound.reference.names(wanted):
            report.finding(
                f"{bound.path}: the schema task is bound to {adr.SCHEMA_VARIABLE} as {wanted} and nothing else."
            )
    if task.unseen is None and not task.problems and adr.SCHEMA_VARIABLE not in task.variables:
        report.finding(f"containerDefinitions: the schema task has no {adr.SCHEMA_VARIABLE}.")


def check(resource: Resource, run: Run, report: Report) -> None:
    """Refuses the schema credential anywhere else, and anything else in the schema task."""
    task = resource.read(task_view)
    unseen(task, report)
    if run.facts is not None and task.family == run.facts.schema_family:
        _check_schema_task(task, run, report)
        return
    for path, variable in task.plain:
        if variable == adr.SCHEMA_VARIABLE:
            report.finding(f"{path}: {variable} belongs to the schema task alone.")
    for bound in task.bindings:
        if is_schema(bound, run):
            report.finding(f"{bound.path}: the schema credential belongs to the schema task alone.")


RULE = Rule(
    name="admin-schema-only-in-run-task",
    description="MONGODB_URI_ADMIN_SCHEMA is bound to the schema RunTask family only (ADR 0006, ENG-266)",
    why="Index management stays out of the runtime's blast radius; that is why app_admin_schema is a user of its own.",
    source="ADR 0006",
    severity=Severity.CRITICAL,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS, Framework.HIPAA_ACCESS),
    remediation="Remove the binding from this family; run schema changes as the schema task.",
    offending='TaskDefinition("app", family="askflorence-staging-app", … "MONGODB_URI_ADMIN_SCHEMA" …)',
    compliant='TaskDefinition("schema", family="askflorence-staging-schema", … "MONGODB_URI_ADMIN_SCHEMA" …)',
    types=(TASK_DEFINITION,),
    check=check,
    after_creation=("containerDefinitions",),
)
