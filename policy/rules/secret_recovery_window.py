"""Rule secret-recovery-window: a deleted secret can be restored for 30 days."""

from policy import adr
from policy.model import Framework, Rule, Severity
from policy.reader import Reader
from policy.report import Report
from policy.resources import SECRET, Resource
from policy.run import Run
from policy.values import Marker


def check(resource: Resource, run: Run, report: Report) -> None:
    """The window is 30 days; absent means 30 as well (AWS Secrets Manager, DeleteSecret)."""
    reader = Reader(resource.props)
    days = reader.number("recoveryWindowInDays")
    if isinstance(days, Marker):
        report.not_evaluated("recoveryWindowInDays", days)
    elif reader.problems or (days is not None and days != adr.RECOVERY_WINDOW_DAYS):
        report.finding(f"recoveryWindowInDays: has to be {adr.RECOVERY_WINDOW_DAYS}.")


RULE = Rule(
    name="secret-recovery-window",
    description="Secrets keep a recovery window of 30 days (ENG-279, phase G)",
    why="Retiring a credential is the point of no return; 30 days are the way back.",
    source="ENG-279 phase G",
    severity=Severity.MEDIUM,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Set recovery_window_in_days=30.",
    offending='aws.secretsmanager.Secret("s", recovery_window_in_days=0, ...)',
    compliant='aws.secretsmanager.Secret("s", recovery_window_in_days=30, ...)',
    types=(SECRET,),
    check=check,
)
