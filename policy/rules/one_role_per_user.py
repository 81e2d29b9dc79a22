"""Rule one-role-per-user: one role holds all that a user may do."""

from policy.atlas import RoleReference, user_view
from policy.config import Config
from policy.model import Framework, Rule, Severity
from policy.report import Report
from policy.resources import DATABASE_USER, Resource
from policy.run import Run
from policy.values import Marker


def _reads_both(roles: tuple[RoleReference, ...], config: Config) -> bool:
    """Whether these are `read` on our database and on the audit log's own: one reader, two databases."""
    wanted = {("read", database) for database in config.readable_databases}
    return len(roles) == len(wanted) and {(role.name, role.database) for role in roles} == wanted


def check(resource: Resource, run: Run, report: Report) -> None:
    """Exactly one role."""
    user = resource.read(user_view)
    if isinstance(user.roles, Marker):
        report.not_evaluated("roles", user.roles)
    elif _reads_both(user.roles, run.config):
        return
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
