"""Rule reference-uri-explicit: the reference reader has a variable and a secret of its own, never a fall-back."""

from policy import adr
from policy.bindings import expected_secret, unseen
from policy.ecs import task_view
from policy.model import Framework, Rule, Severity
from policy.report import Report
from policy.resources import TASK_DEFINITION, Resource
from policy.run import Run


def check(resource: Resource, run: Run, report: Report) -> None:
    """The runtime family binds MONGODB_REFERENCE_URI to `{env}/mongodb/reference-uri-v2`."""
    task = resource.read(task_view)
    if run.facts is None or task.family != run.facts.runtime_family:
        return
    unseen(task, report)
    wanted = expected_secret(run, adr.REFERENCE_NAME)
    if task.unseen is None and not task.problems and adr.REFERENCE_VARIABLE not in task.variables:
        report.finding(
            f"containerDefinitions: {adr.REFERENCE_VARIABLE} is not bound, so reads would fall back."
        )
    for bound in task.bindings:
        reference = bound.reference
        if bound.variable != adr.REFERENCE_VARIABLE or reference is None or run.foreign(reference):
            continue
        if not reference.names(wanted):
            report.finding(f"{bound.path}: {adr.REFERENCE_VARIABLE} has a secret of its own, {wanted}.")


RULE = Rule(
    name="reference-uri-explicit",
    description="MONGODB_REFERENCE_URI has its own secret, even where its value is the reader's (ADR 0006, ENG-272)",
    why="A silent fall-back from the reference database broke coverage answers for users (ENG-271).",
    source="ADR 0006",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Bind MONGODB_REFERENCE_URI to {env}/mongodb/reference-uri-v2.",
    offending='{"name": "MONGODB_REFERENCE_URI", "valueFrom": "arn:…:secret:staging/mongodb/app-read-v2-…:::VERSION"}',
    compliant='{"name": "MONGODB_REFERENCE_URI", "valueFrom": "arn:…:staging/mongodb/reference-uri-v2-…:::VERSION"}',
    types=(TASK_DEFINITION,),
    check=check,
    after_creation=("containerDefinitions",),
)
