"""Rule secret-protected: a secret cannot be deleted by an update that merely forgets it."""

from policy.model import Framework, Rule, Severity
from policy.report import Report
from policy.resources import SECRET, Resource
from policy.run import Run


def check(resource: Resource, run: Run, report: Report) -> None:
    """The resource option protect is on, or the stack's setting announces that it is being taken off."""
    if resource.protect:
        return
    if run.unprotecting:
        report.advice("is not protected, as the stack's setting unprotect asks; a later destroy removes it.")
    else:
        report.finding("is not protected; a stray edit could delete a credential that tasks consume.")


RULE = Rule(
    name="secret-protected",
    description="Secrets are protected resources (ENG-279 rule 3)",
    why="Never delete what a task definition revision is still bound to; protect makes that two deliberate steps.",
    source="ENG-279 rule 3",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Pass opts=ResourceOptions(protect=True).",
    offending='aws.secretsmanager.Secret("s", ...)',
    compliant='aws.secretsmanager.Secret("s", ..., opts=ResourceOptions(protect=True))',
    types=(SECRET,),
    check=check,
    advises=True,
)
