"""Rule deprecated-env-vars: seven old names alias their successors' secrets in `bind` and are gone in `retire`."""

from policy import adr
from policy.bindings import expected_secret, unseen
from policy.ecs import Binding, task_view
from policy.model import Framework, Rule, Severity
from policy.report import Report
from policy.resources import TASK_DEFINITION, Resource
from policy.run import Run
from policy.values import UNKNOWN


def _check_alias(bound: Binding, run: Run, report: Report) -> None:
    successor = adr.DEPRECATED_VARIABLES[bound.variable]
    reference = bound.reference
    if reference is None or run.foreign(reference):
        return
    wanted = expected_secret(run, adr.RUNTIME_SECRETS[successor])
    if not reference.names(wanted):
        report.finding(f"{bound.path}: {bound.variable} may only alias {successor}, which is {wanted}.")


def check(resource: Resource, run: Run, report: Report) -> None:
    """Judges the seven names wherever they are bound."""
    task = resource.read(task_view)
    unseen(task, report)
    schema = run.facts is not None and task.family == run.facts.schema_family
    for path, variable in task.plain:
        if variable in adr.DEPRECATED_VARIABLES:
            report.finding(f"{path}: {variable} is deprecated and never a plain variable.")
    for bound in task.bindings:
        if bound.variable not in adr.DEPRECATED_VARIABLES:
            continue
        if run.phase is adr.Phase.RETIRE:
            report.finding(f"{bound.path}: {bound.variable} is gone from phase retire on.")
        elif schema:
            report.finding(f"{bound.path}: {bound.variable} has no place in the schema task.")
        else:
            if run.phase is None:
                report.not_evaluated("phase", UNKNOWN)
            _check_alias(bound, run, report)


RULE = Rule(
    name="deprecated-env-vars",
    description="The seven deprecated variables only alias their successors' secrets, gone in retire (ADR 0006)",
    why="Old code reads old names until it is rolled out; bound to an old secret they would keep a retired user alive.",
    source="ADR 0006",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Bind the name to its successor's secret (writers: app-write-v2, audit read: app-read-v2), or drop it.",
    offending='{"name": "MONGODB_URI_PLANS_WRITE", "valueFrom": "arn:…:secret:staging/mongodb/plans-write-…"}',
    compliant='{"name": "MONGODB_URI_PLANS_WRITE", "valueFrom": "arn:…:staging/mongodb/app-write-v2-…:::VERSION"}',
    types=(TASK_DEFINITION,),
    check=check,
    after_creation=("containerDefinitions",),
)
