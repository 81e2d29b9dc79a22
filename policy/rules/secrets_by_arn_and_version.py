"""Rule secrets-by-arn-and-version: a task names a secret by its full ARN and one version of it."""

from policy.adr import REFERENCE_VARIABLE, RUNTIME_SECRETS
from policy.bindings import is_mongo, unseen
from policy.ecs import task_view
from policy.model import Framework, Rule, Severity
from policy.report import Report, printable
from policy.resource import TASK_DEFINITION, Resource
from policy.run import Run

_CREDENTIALS = frozenset({*RUNTIME_SECRETS, REFERENCE_VARIABLE})
"""A plain variable of another name is a setting of the driver; a credential in one is no-plaintext-uri's finding."""


def check(resource: Resource, run: Run, report: Report) -> None:
    """Every MongoDB binding is `ARN:::VERSION`: no parameter, no stage, no plain value."""
    task = resource.read(task_view)
    unseen(task, report)
    for path, variable in task.plain:
        if variable in _CREDENTIALS:
            report.finding(
                f"{path}: {printable(variable)} is a plain variable; bind it to a secret's version."
            )
    for path in task.elsewhere:
        report.finding(
            f"{printable(path)}: names a MongoDB secret outside `secrets`, where no rule sees its use."
        )
    for bound in task.bindings:
        if not is_mongo(bound) or bound.unknown is not None:
            continue
        if bound.reference is None:
            report.finding(f"{bound.path}: {printable(bound.variable)} names no secret by its full ARN.")
        elif not bound.reference.has_suffix:
            report.finding(f"{bound.path}: the secret's ARN is incomplete.")
        elif bound.reference.stage or not bound.reference.version:
            report.finding(
                f"{bound.path}: {printable(bound.variable)} has to pin a version id, and no stage."
            )


RULE = Rule(
    name="secrets-by-arn-and-version",
    description="Tasks name secrets by full ARN and version id (ADR 0006; ENG-279 rule 2)",
    why="A value changed after its proof must not reach a task; only a pinned version is the one that was proven.",
    source="ENG-279 rule 2",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Write valueFrom as ARN:::VERSION with the version that the proof echoes.",
    offending='{"name": "MONGODB_URI", "valueFrom": "arn:…:secret:staging/mongodb/app-read-v2-AbCdEf"}',
    compliant='{"name": "MONGODB_URI", "valueFrom": "arn:…:secret:staging/mongodb/app-read-v2-AbCdEf:::VERSION"}',
    types=(TASK_DEFINITION,),
    check=check,
    after_creation=("containerDefinitions",),
)
