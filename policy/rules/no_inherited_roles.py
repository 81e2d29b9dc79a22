"""Rule no-inherited-roles: custom roles enumerate their grants."""

from policy.atlas import role_view
from policy.model import Framework, Rule, Severity
from policy.report import Report
from policy.resources import CUSTOM_DB_ROLE, Resource
from policy.run import Run
from policy.values import Marker


def check(resource: Resource, run: Run, report: Report) -> None:
    """A custom role inherits nothing."""
    inherited = resource.read(role_view).inherited
    if isinstance(inherited, Marker):
        report.not_evaluated("inheritedRoles", inherited)
    elif inherited:
        report.finding(
            f"inherits from {len(inherited)} role(s); list the actions and collections themselves."
        )


RULE = Rule(
    name="no-inherited-roles",
    description="Custom roles inherit from no other role (ADR 0006)",
    why="What a role inherits is not seen in its own definition, and Atlas refuses it across scopes.",
    source="ADR 0006",
    severity=Severity.HIGH,
    frameworks=(Framework.SOC2_LOGICAL_ACCESS,),
    remediation="Remove inherited_roles and enumerate the grants.",
    offending='CustomDbRole("r", inherited_roles=[{"role_name": "read", "database_name": "askflorence"}], ...)',
    compliant='CustomDbRole("r", actions=[{"action": "FIND", "resources": [...]}], ...)',
    types=(CUSTOM_DB_ROLE,),
    check=check,
)
