"""Rule built-in-roles-allow-list: of MongoDB's own roles only `read` and `readWrite` on our database."""

from policy import adr
from policy.atlas import user_view
from policy.model import Framework, Rule, Severity
from policy.report import Report, printable
from policy.resources import DATABASE_USER, Resource
from policy.run import Run
from policy.values import Marker


def check(resource: Resource, run: Run, report: Report) -> None:
    """A built-in role is read or readWrite on askflorence."""
    roles = resource.read(user_view).roles
    if isinstance(roles, Marker):
        report.not_evaluated("roles", roles)
        return
    for role in roles:
        if isinstance(role.name, Marker):
            report.not_evaluated(role.path, role.name)
        elif role.name not in adr.BUILT_IN_ROLES:
            continue
        elif isinstance(role.database, Marker):
            report.not_evaluated(role.path.replace("roleName", "databaseName"), role.database)
        elif (role.name, role.database) not in adr.ALLOWED_BUILT_IN_ROLES | {
            ("read", run.config.audit_database)
        }:
            at = printable(f"{role.name}@{role.database}")
            report.finding(
                f"{role.path}: {at} is refused; read and readWrite on {adr.DATABASE} are the only built-in ones."
            )


RULE = Rule(
    name="built-in-roles-allow-list",
    description="The only built-in roles are read and readWrite on askflorence (ADR 0006)",
    why="Roles on any database, dbAdmin and the admin roles reach far beyond the four functional users.",
    source="ADR 0006",
    severity=Severity.CRITICAL,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS, Framework.HIPAA_ACCESS),
    remediation="Use read@askflorence or readWrite@askflorence, or a custom role with named collections.",
    offending='roles=[{"role_name": "readWriteAnyDatabase", "database_name": "admin"}]',
    compliant='roles=[{"role_name": "read", "database_name": "askflorence"}]',
    types=(DATABASE_USER,),
    check=check,
)
