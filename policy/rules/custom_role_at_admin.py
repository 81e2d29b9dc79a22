"""Rule custom-role-at-admin: custom roles are assigned as `role@admin`."""

from policy import adr
from policy.atlas import user_view
from policy.model import Framework, Rule, Severity
from policy.report import Report, printable
from policy.resources import DATABASE_USER, Resource
from policy.run import Run
from policy.values import Marker


def check(resource: Resource, run: Run, report: Report) -> None:
    """A role that is not built in is named at the database admin."""
    roles = resource.read(user_view).roles
    if isinstance(roles, Marker):
        report.not_evaluated("roles", roles)
        return
    for role in roles:
        if isinstance(role.name, Marker):
            report.not_evaluated(role.path, role.name)
        elif role.name is None or role.name in adr.BUILT_IN_ROLES:
            continue
        elif isinstance(role.database, Marker):
            report.not_evaluated(role.path.replace("roleName", "databaseName"), role.database)
        elif role.database is not None and role.database != adr.CUSTOM_ROLE_DATABASE:
            report.finding(f"{role.path}: {printable(role.name)} is a custom role and is assigned at admin.")


RULE = Rule(
    name="custom-role-at-admin",
    description="Custom roles are assigned at the database admin (Atlas; ADR 0006)",
    why="Atlas answers UNSUPPORTED_ROLE for a custom role at any other database.",
    source="ADR 0006",
    severity=Severity.MEDIUM,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation='Write database_name="admin".',
    offending='roles=[{"role_name": "role_audit_writer", "database_name": "askflorence"}]',
    compliant='roles=[{"role_name": "role_audit_writer", "database_name": "admin"}]',
    types=(DATABASE_USER,),
    check=check,
)
