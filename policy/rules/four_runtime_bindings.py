"""Rule four-runtime-bindings: the runtime has the four variables, each with its own user's secret, and no other."""

from policy import adr
from policy.bindings import expected_secret, is_mongo, is_schema, unseen
from policy.ecs import Binding, TaskView, task_view
from policy.model import Framework, Rule, Severity
from policy.report import Report, printable
from policy.resources import TASK_DEFINITION, Resource
from policy.run import Run

_JUDGED_ELSEWHERE = frozenset({adr.REFERENCE_VARIABLE, adr.SCHEMA_VARIABLE, *adr.DEPRECATED_VARIABLES})


def _check_binding(bound: Binding, run: Run, report: Report) -> None:
    part = adr.RUNTIME_SECRETS.get(bound.variable)
    if part is None:
        report.finding(f"{bound.path}: {printable(bound.variable)} is none of the four variables.")
    elif bound.reference is not None and not bound.reference.names(expected_secret(run, part)):
        report.finding(f"{bound.path}: {bound.variable} has to name {expected_secret(run, part)}.")


def _check_runtime(task: TaskView, run: Run, report: Report) -> None:
    if task.unseen is None and not task.problems:
        for variable in adr.RUNTIME_SECRETS:
            if variable not in task.variables:
                report.finding(f"containerDefinitions: {variable} is not bound.")
    for bound in task.bindings:
        if not is_mongo(bound) or bound.variable in _JUDGED_ELSEWHERE or is_schema(bound, run):
            continue
        if bound.reference is None or not run.foreign(bound.reference):
            _check_binding(bound, run, report)


def check(resource: Resource, run: Run, report: Report) -> None:
    """Judges the runtime family, and refuses our credentials in families that nobody named.

    The reference variable, the schema variable and the deprecated names have rules of their own.
    """
    task = resource.read(task_view)
    unseen(task, report)
    if run.facts is None or task.family == run.facts.schema_family:
        return
    if task.family == run.facts.runtime_family:
        _check_runtime(task, run, report)
        return
    for bound in task.bindings:
        if is_mongo(bound) and bound.variable not in _JUDGED_ELSEWHERE and not is_schema(bound, run):
            report.finding(
                f"{bound.path}: only the runtime and the schema family are bound to MongoDB credentials."
            )


RULE = Rule(
    name="four-runtime-bindings",
    description="The runtime binds the four variables, each to its own user's secret, and no other (ADR 0006)",
    why="Swapped or missing bindings were the silent regressions that ADR 0006 ends.",
    source="ADR 0006",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Bind app-read-v2, app-write-v2 and audit-write to their variables, and nothing else.",
    offending='{"name": "MONGODB_WRITE_URI", "valueFrom": "arn:…:secret:staging/mongodb/app-read-v2-…:::VERSION"}',
    compliant='{"name": "MONGODB_WRITE_URI", "valueFrom": "arn:…:staging/mongodb/app-write-v2-…:::VERSION"}',
    types=(TASK_DEFINITION,),
    check=check,
    after_creation=("containerDefinitions",),
)
