"""Rule one-role-per-user: what a user may do stands in one role."""

from policy.atlas import user_view
from policy.model import Framework, Rule, Severity
from policy.report import Report
from policy.resource import DATABASE_USER, Resource
from policy.run import Run
from policy.values import Marker


def check(resource: Resource, run: Run, report: Report) -> None:
    """Exactly one role."""
    user = resource.read(user_view)
    if isinstance(user.roles, Marker):
        report.not_evaluated("roles", user.roles)
    elif len(user.roles) != 1 and not any(problem.path.startswith("roles") for problem in user.problems):
        report.finding(f"has {len(user.roles)} roles; a user has exactly one.")


RULE = Rule(
    name="one-role-per-user",
    description="A database user has exactly one role (ADR 0006)",
    why="Privileges add up: a second role silently widens the first, and no table of four rows can show it.",
    source="ADR 0006",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Keep the one role that ADR 0006 gives the user.",
    offending='roles=[{"role_name": "read", ...}, {"role_name": "role_audit_writer", ...}]',
    compliant='roles=[{"role_name": "read", "database_name": "askflorence"}]',
    types=(DATABASE_USER,),
    check=check,
)
